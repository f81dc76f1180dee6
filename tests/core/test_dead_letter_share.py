"""When the whole input seems bad, the partition is stopped instead of moved to the dead letters."""

import pytest

from connector.core.answers import Answer, ItemError, PartlyRejected
from connector.core.effects import (
    Dropped,
    Outcome,
    PartitionStopped,
    Pause,
    Released,
    Resume,
    Send,
    WriteDeadLetter,
)
from connector.core.options import BatchOptions, DeadLetterShareOptions, DeliveryOptions
from tests.core.harness import DOWN, Harness, at, event, unsendable

SMALL = DeadLetterShareOptions(window_records=100, max_share=0.5, min_records=10)


def _reject_all(send: Send) -> Answer:
    return PartlyRejected(tuple(ItemError(place, "invalid") for place in range(send.events)))


def _bad(core: Harness, start: int, count: int) -> None:
    core.receive(*(unsendable(offset) for offset in range(start, start + count)))
    core.advance()


def test_incident_18_a_wholly_bad_input_stops_the_partition_and_says_so() -> None:
    core = Harness()
    offset = 0
    while not core.seen(PartitionStopped) and offset < 5_000:
        _bad(core, offset, 10)
        core.written()
        offset += 10
    (stopped,) = core.seen(PartitionStopped)
    assert stopped.partition == at(0) and "dlq" in stopped.detail
    assert 100 <= len(core.seen(WriteDeadLetter)) <= 110
    assert [pause.partitions for pause in core.seen(Pause)] == [(at(0),)]
    assert core.partition().waiting == "stopped_dead_letters"


def test_fewer_than_100_dead_letters_stop_nothing() -> None:
    core = Harness()
    _bad(core, 0, 99)
    core.settle()
    assert core.seen(PartitionStopped) == [] and core.watermark() == 99


def test_half_of_them_is_allowed() -> None:
    core = Harness(dead_letter_share=SMALL)
    for offset in range(0, 1_000, 2):
        core.receive(event(offset), unsendable(offset + 1))
        core.advance()
    core.settle()
    assert core.seen(PartitionStopped) == [] and core.watermark() == 1_000


def test_what_came_long_ago_does_not_count() -> None:
    core = Harness(dead_letter_share=SMALL)
    offset = 0
    for _ in range(20):
        _bad(core, offset, 9)
        core.receive(*(event(offset + 9 + n) for n in range(200)))
        core.settle()
        offset += 209
    assert core.seen(PartitionStopped) == []


def test_a_stopped_partition_s_buffered_records_are_dropped_as_by_a_revoke() -> None:
    core = Harness(dead_letter_share=SMALL, delivery=DeliveryOptions(concurrency=1))
    (in_flight,) = core.take(event(0, "in flight", who="ann"))
    core.receive(*(event(offset, id=f"i{offset}", who="bob") for offset in range(1, 10)))
    _bad(core, 10, 60)
    core.accept(in_flight)
    core.written()
    core.wait(2.0)
    assert core.in_flight() == [] and core.is_empty()
    assert core.watermark() == 1 and core.broker[at(0)].offset == 1
    assert core.endings()[Outcome.ACCEPTED] == 1


def test_a_stopped_partition_takes_nothing_more() -> None:
    core = Harness(dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.written()
    assert core.take(event(60)) == []
    core.core.positioned({at(0): 61})
    core.wait(2.0)
    assert core.broker[at(0)].offset <= 60 and core.is_empty()


def test_what_a_poll_holds_behind_the_dead_letter_too_many_counts_as_never_read() -> None:
    core = Harness(dead_letter_share=SMALL)
    bad, good = [unsendable(offset) for offset in range(60)], [event(offset) for offset in range(60, 70)]
    core.receive(*bad, *good, traces={65: "a trace"})
    core.advance()
    core.written()
    core.wait(2.0)
    assert core.in_flight() == [] and core.is_empty()
    assert core.seen(Dropped) == [Dropped("a trace")]
    (partition,) = core.core.snapshot(core.now).partitions
    assert partition.outstanding == 0 and partition.next_offset == core.watermark() < 60


def test_a_stopped_partition_stops_no_other() -> None:
    core = Harness(partitions=(0, 1), dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.receive(event(0, partition=1))
    core.settle()
    assert core.watermark(1) == 1 and core.partition(1).waiting == "nothing_to_read"


def test_a_stop_survives_a_restart_without_spending_another_quota() -> None:
    core = Harness(dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.written()
    core.wait(1.0)
    committed = core.broker[at(0)].offset
    other = Harness(partitions=(), dead_letter_share=SMALL)
    other.broker = core.broker
    other.assign(0)
    other.advance()
    assert len(other.seen(PartitionStopped)) == 1
    assert [pause.partitions for pause in other.seen(Pause)] == [(at(0),)]
    _bad(other, committed, 5)
    assert other.letters == []
    other.wait(5.0)
    third = Harness(partitions=(), dead_letter_share=SMALL)
    third.broker = other.broker
    third.assign(0)
    third.advance()
    assert len(third.seen(PartitionStopped)) == 1


def test_accepting_dead_letters_lifts_the_stop() -> None:
    core = Harness(dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.written()
    core.wait(1.0)
    committed = core.broker[at(0)].offset
    other = Harness(partitions=(), dead_letter_share=SMALL, accept_dead_letters=True)
    other.broker = core.broker
    other.assign(0)
    _bad(other, committed, 200)
    other.written()
    assert other.seen(PartitionStopped) == [] and other.watermark() == committed + 200
    other.wait(1.0)
    third = Harness(partitions=(), dead_letter_share=SMALL)
    third.broker = other.broker
    third.assign(0)
    third.advance()
    assert third.seen(PartitionStopped) == [], "what was lifted stays lifted"


def test_a_reset_to_mended_input_lifts_the_stop() -> None:
    core = Harness(dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.written()
    core.wait(1.0)
    other = Harness(partitions=(), dead_letter_share=SMALL)
    other.assign(0, committed=500, metadata="")
    other.receive(event(500))
    other.settle()
    assert other.watermark() == 501 and other.seen(PartitionStopped) == []


def test_a_stopped_partition_can_be_revoked_and_lost() -> None:
    core = Harness(partitions=(0, 1), dead_letter_share=SMALL)
    _bad(core, 0, 60)
    core.written()
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert len(core.seen(Released)) == 1
    core.core.lose([at(1)], core.now)
    core.advance()
    assert core.core.snapshot(core.now).partitions == () and core.is_empty()
    assert core.seen(Resume) == []


def test_an_outage_is_no_bad_input() -> None:
    core = Harness(dead_letter_share=SMALL)
    core.receive(*(event(offset) for offset in range(200)))
    core.run(lambda send: DOWN, seconds=3_600.0)
    assert core.seen(PartitionStopped) == []


def test_dead_letters_of_long_before_do_not_count_though_their_answers_come_late() -> None:
    core = Harness(dead_letter_share=DeadLetterShareOptions(window_records=400))
    core.receive(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(1_200)))
    (send,) = core.sends()
    core.receive(*(event(offset, who=f"q{offset}") for offset in range(1_200, 2_000)), unsendable(2_000))
    core.reject(send, *(f"e{offset}" for offset in range(0, 1_200, 4)))  # a quarter of any 400
    core.settle()
    assert core.seen(PartitionStopped) == []


def test_a_share_of_1_never_stops() -> None:
    core = Harness(dead_letter_share=DeadLetterShareOptions(max_share=1))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(3_000)))
    core.run(_reject_all)
    assert core.seen(PartitionStopped) == [] and core.watermark() == 3_000


@pytest.mark.parametrize("undecodable_every", [1_000_000, 5_000])
def test_incident_18_a_backlog_that_customerio_refuses_whole_stops_the_partition(
    undecodable_every: int,
) -> None:
    """However far ahead was read, and whatever became a dead letter there."""
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=100))
    core.receive(
        *(
            unsendable(offset)
            if offset % undecodable_every == undecodable_every - 1
            else event(offset, who=f"p{offset}")
            for offset in range(20_000)
        )
    )
    core.run(_reject_all, seconds=60.0)
    assert len(core.seen(PartitionStopped)) == 1
    assert len(core.seen(WriteDeadLetter)) <= 4_000
