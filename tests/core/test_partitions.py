"""How partitions come, go and come back."""

from collections.abc import Sequence
from random import Random

import pytest

from connector.core.answers import Accepted, Unauthorised
from connector.core.effects import (
    Cancel,
    Commit,
    CommitOffset,
    Noted,
    Outcome,
    Pause,
    Released,
    Resume,
    Send,
    TopicPartition,
)
from connector.core.options import BatchOptions, BufferOptions, DeliveryOptions, LedgerOptions
from connector.events.event import Decoded
from connector.events.record import Record
from tests.core.harness import (
    DOWN,
    Harness,
    OneByOne,
    at,
    event,
    names,
    refuse_those_with,
    tiny_decode,
    unsendable,
    window,
)

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def _released(core: Harness) -> list[tuple[tuple[TopicPartition, ...], list[int]]]:
    return [(one.partitions, [offset.offset for offset in one.offsets]) for one in core.seen(Released)]


def _take_over(core: Harness, partitions: tuple[int, ...] = (), **options: object) -> Harness:
    """Another member, which finds what this one committed."""
    other = Harness(partitions=(), **options)  # type: ignore[arg-type]
    other.broker = core.broker
    for partition in partitions:
        other.assign(partition)
    return other


# ---- assignment ----


def test_incident_15_where_an_assignment_starts_is_said() -> None:
    core = Harness(partitions=(), dedup=window(warm_up_records=0))
    start = core.assign(3, committed=70)
    assert (start.partition, start.offset) == (at(3), 70)


def test_each_assignment_is_a_new_epoch() -> None:
    core = Harness(partitions=())
    epochs = [core.assign(partition).epoch for partition in (0, 1, 0)]
    assert epochs == sorted(set(epochs))


def test_records_deleted_by_retention_before_they_were_read_are_counted_and_said() -> None:
    core = Harness(partitions=())
    assert core.assign(0, committed=10, low=50).offset == 50
    core.advance()
    assert core.core.snapshot(core.now).records_missed == 40
    (note,) = core.seen(Noted)
    assert note.level == "error" and "40 records" in note.message
    assert core.committed() == 50


def test_a_committed_offset_beyond_the_log_s_end_is_said_and_reset() -> None:
    core = Harness(partitions=())
    assert core.assign(0, committed=500, low=5, high=100).offset == 5
    core.advance()
    assert "beyond the end" in core.seen(Noted)[0].message


def test_incident_13_revoke_lose_and_assign_in_any_order_and_every_partition_makes_progress() -> None:
    random = Random(5)
    for _ in range(30):
        core = Harness(partitions=(), batch=ONE_BY_ONE)
        offsets = dict.fromkeys(range(3), 0)
        for _ in range(40):
            partition = random.randrange(3)
            match random.choice(["assign", "revoke", "lose", "receive", "answer", "wait"]):
                case "assign":
                    offsets[partition] = core.assign(partition).offset
                case "revoke":
                    core.core.revoke([at(partition)], core.now, 2.0)
                case "lose":
                    core.core.lose([at(partition)], core.now)
                case "receive":
                    core.receive(
                        event(offsets[partition], partition=partition, who=f"p{random.randrange(5)}")
                    )
                    offsets[partition] += 1
                case "answer":
                    core.accept(*core.in_flight()[:1])
                case "wait":
                    core.wait(random.choice([0.1, 3.0]))
            core.advance()
            for released in core.seen(Released):
                for offset in released.offsets:
                    core.broker.setdefault(at(offset.partition), offset)
        core.settle()
        for partition in range(3):
            start = core.assign(partition)
            core.receive(*(event(start.offset + n, partition=partition) for n in range(3)))
        core.settle()
        assert all(core.partition(partition).outstanding == 0 for partition in range(3))
        assert core.is_empty()


def test_a_partition_assigned_again_without_a_revoke_begins_anew() -> None:
    core = Harness()
    core.take(event(0), event(1))
    start = core.assign(0)
    assert start.offset == 0
    core.receive(event(0), event(1))
    core.settle()
    assert core.watermark() == 2 and core.is_empty()


# ---- revoke ----


def test_incident_2_unsent_records_of_a_revoked_partition_are_dropped_and_never_committed() -> None:
    core = Harness(batch=BatchOptions(linger_ms=1_000))
    core.receive(*(event(offset) for offset in range(10)))
    core.advance()
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert core.in_flight() == [] and core.is_empty()
    assert all(one.offset == 0 for released in core.seen(Released) for one in released.offsets)
    new_owner = _take_over(core, (0,))
    new_owner.receive(*(event(offset) for offset in range(10)))
    new_owner.settle()
    assert new_owner.delivered() == [f"0/{offset}" for offset in range(10)]


def test_what_is_in_flight_at_a_revoke_is_awaited_and_committed() -> None:
    core = Harness()
    (send,) = core.take(event(0), event(1))
    core.receive(event(2))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert _released(core) == []
    core.accept(send)
    core.advance()
    assert _released(core) == [((at(0),), [2])]
    assert core.is_empty()


def test_incident_28_a_revoke_ends_at_its_deadline() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.wait(4.9)
    assert _released(core) == []
    core.wait(0.2)
    assert _released(core) == [((at(0),), [])] or _released(core) == [((at(0),), [0])]
    assert [cancel.request_id for cancel in core.seen(Cancel)] == [send.request_id]
    assert core.is_empty()


def test_a_revoke_awaits_the_acknowledgement_of_dead_letters() -> None:
    core = Harness()
    core.take(unsendable(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert _released(core) == []
    core.written()
    core.advance()
    assert _released(core) == [((at(0),), [1])]


def test_a_dead_letter_acknowledged_after_the_revoke_s_deadline_touches_no_ledger() -> None:
    core = Harness()
    core.take(unsendable(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.wait(5.0)
    core.assign(0)
    core.written()
    core.advance()
    assert core.watermark() == 0


def test_results_that_come_back_after_a_revoke_touch_no_ledger() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.wait(5.0)
    core.assign(0)
    core.accept(send)
    assert core.watermark() == 0
    core.receive(event(0))
    core.settle()
    assert core.endings() == {Outcome.ACCEPTED: 1} and core.watermark() == 1


def test_a_retry_after_a_revoke_holds_only_what_is_left() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, who="a"), event(0, partition=1, who="b"), event(1, who="c"))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.answer(send, DOWN)
    core.advance()
    assert _released(core) == [((at(0),), [])] or core.seen(Released)[0].offsets[0].offset == 0
    core.wait(1.0)
    (again,) = core.in_flight()
    assert names(again) == ["1/0"]


def test_a_request_cancelled_for_a_revoke_is_resent_for_the_partitions_that_stay() -> None:
    core = Harness(partitions=(0, 1))
    core.take(event(0, who="a"), event(0, partition=1, who="b"))
    core.core.revoke([at(0)], core.now, 5.0)
    core.wait(5.0)
    assert len(core.seen(Cancel)) == 1
    assert [names(send) for send in core.in_flight()] == [["1/0"]]
    core.settle()
    assert core.watermark(1) == 1 and core.is_empty()


def test_a_waiting_retry_is_dropped_by_a_revoke_at_once() -> None:
    core = Harness()
    core.answer(*core.take(event(0), event(1)), DOWN)
    core.advance()
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert len(_released(core)) == 1 and core.is_empty()
    core.wait(60.0)
    assert core.in_flight() == []


def test_a_lane_is_free_again_after_its_retry_was_dropped() -> None:
    core = Harness(partitions=(0, 1))
    core.answer(*core.take(event(0, who="ann")), DOWN)
    core.core.lose([at(0)], core.now)
    assert names(core.take(event(0, partition=1, who="ann"))[0]) == ["1/0"]


def test_a_revoke_while_a_request_is_bisected_drops_the_parts_that_wait() -> None:
    core = Harness(partitions=(0, 1), delivery=DeliveryOptions(concurrency=1))
    judge = refuse_those_with("0/1")
    (send,) = core.take(
        *(event(offset, who=f"p{offset}") for offset in range(4)), event(0, partition=1, who="z")
    )
    core.answer(send, judge(send))
    (part,) = core.sends()
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.answer(part, judge(part))
    core.run(judge)
    core.advance()
    assert len(_released(core)) == 1
    sent_later = [name for one in core.seen(Send)[2:] for name in names(one)]
    assert sent_later == ["1/0"] or (sent_later == [] and "1/0" in names(part))
    assert core.watermark(1) == 1 and core.is_empty()


def test_a_revoke_of_what_is_not_ours_is_released_at_once() -> None:
    core = Harness()
    core.core.revoke([at(7)], core.now, 5.0)
    core.advance()
    assert _released(core) == [((at(7),), [])]


def test_revokes_under_way_together_each_end_by_themselves() -> None:
    core = Harness(partitions=(0, 1), batch=ONE_BY_ONE)
    one, other = core.take(event(0, who="a"), event(0, partition=1, who="b"))
    core.core.revoke([at(0)], core.now, 5.0)
    core.core.revoke([at(1)], core.now, 9.0)
    core.advance()
    core.accept(other)
    core.advance()
    assert _released(core) == [((at(1),), [1])]
    core.accept(one)
    core.advance()
    assert _released(core)[1:] == [((at(0),), [1])]


def test_records_that_arrive_for_a_partition_being_revoked_are_not_taken() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.receive(event(1))
    core.core.positioned({at(0): 2})
    core.accept(send)
    core.advance()
    assert _released(core) == [((at(0),), [1])] and core.is_empty()


def test_a_revoke_with_refused_credentials_ends_without_waiting_for_what_waits() -> None:
    core = Harness()
    core.answer(*core.take(event(0)), Unauthorised(401))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert len(_released(core)) == 1 and core.is_empty()


def test_incident_10_what_is_redelivered_carries_the_same_ulid() -> None:
    core = Harness()
    (send,) = core.take(event(0, id="1"), event(1))
    core.core.lose([at(0)], core.now)
    other = _take_over(core)
    other.assign(0, committed=0)
    (again,) = other.take(event(0, id="1"), event(1))
    assert again.body == send.body


# ---- lost ----


def test_incident_16_lost_partitions_are_never_committed_and_nothing_is_awaited() -> None:
    core = Harness(ledger=LedgerOptions(commit_interval_seconds=1))
    core.wait(1.0)
    first, *_ = core.take(event(0))
    core.accept(first)
    (second,) = core.take(event(1))
    commits = len(core.seen(Commit))
    core.core.lose([at(0)], core.now)
    core.wait(60.0)
    assert len(core.seen(Commit)) == commits and core.seen(Released) == []
    assert [cancel.request_id for cancel in core.seen(Cancel)] == [second.request_id]
    assert core.is_empty()


def test_a_partition_lost_while_it_is_revoked_is_released_with_nothing_to_commit() -> None:
    core = Harness()
    core.take(event(0))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.core.lose([at(0)], core.now)
    core.advance()
    assert _released(core) == [((at(0),), [])]


def test_answers_after_a_loss_are_passed_over() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.lose([at(0)], core.now)
    core.accept(send)
    core.advance()
    assert core.is_empty() and core.endings() == {}


# ---- restart ----


def test_a_restart_reads_on_where_the_ledger_ends_in_a_new_epoch() -> None:
    core = Harness()
    epoch = core.partition().epoch
    (send,) = core.take(event(0), event(1))
    (start,) = core.core.restart([at(0), at(9)], core.now)
    assert (start.partition, start.offset) == (at(0), 2) and start.epoch > epoch
    core.accept(send)
    core.receive(event(2), event(3))
    core.settle()
    assert core.watermark() == 4


def test_records_read_twice_are_taken_once() -> None:
    core = Harness()
    core.receive(event(0), event(1))
    core.receive(event(0), event(1), event(2))
    core.settle()
    assert core.delivered() == ["0/0", "0/1", "0/2"] and core.watermark() == 3


# ---- what an earlier owner finished ----


def test_a_restart_resends_only_what_was_not_finished() -> None:
    core = Harness(batch=ONE_BY_ONE)
    records = [event(offset, who=f"p{offset}") for offset in range(6)]
    for place, send in enumerate(core.take(*records)):
        if place not in (1, 4):
            core.accept(send)
    core.wait(1.0)
    other = _take_over(core, (0,))
    other.receive(*records)
    other.settle()
    assert other.delivered() == ["0/1", "0/4"] and other.watermark() == 6
    assert other.endings() == {Outcome.ACCEPTED: 2}, "what was counted is not counted again"


def test_what_is_read_around_finished_runs_is_decoded_together() -> None:
    """A restart behind a record that was stuck has much to read again: one by one it would take three times as long."""
    core = Harness(batch=ONE_BY_ONE)
    records = [event(offset, who=f"p{offset}") for offset in range(12)]
    for place, send in enumerate(core.take(*records)):
        if place in (5, 6, 7, 9):
            core.accept(send)
    core.wait(1.0)
    together: list[int] = []

    class Counting(OneByOne):
        def many(self, records: Sequence[Record], cluster_id: str) -> Sequence[Decoded]:
            together.append(len(records))
            return super().many(records, cluster_id)

    other = _take_over(core, (), decode=Counting(tiny_decode))
    other.assign(0)
    other.receive(*records)
    other.settle()
    assert [count for count in together if count] == [5, 3, 1, 1, 2]
    assert other.delivered() == [f"0/{offset}" for offset in (0, 1, 2, 3, 4, 8, 10, 11)]
    assert other.watermark() == 12


def test_what_was_finished_is_kept_over_a_second_restart_before_it_is_read() -> None:
    core = Harness(batch=ONE_BY_ONE)
    records = [event(offset, who=f"p{offset}") for offset in range(6)]
    blocker, *others = core.take(*records)
    core.accept(*others)
    core.wait(1.0)
    second = _take_over(core, (0,))
    second.receive(records[0])
    second.wait(2.0)
    third = _take_over(second, (0,))
    third.receive(*records)
    third.settle()
    assert third.delivered() == ["0/0"]
    del blocker


@pytest.mark.parametrize(
    "changed",
    [{"cluster_id": "mirror"}, {"topic_id": "recreated"}, {"leader_epoch": 2}, {"leader_epoch": None}],
)
def test_the_map_of_another_log_is_ignored(changed: dict[str, object]) -> None:
    core = Harness(batch=ONE_BY_ONE)
    records = [event(offset, who=f"p{offset}") for offset in range(3)]
    _, *others = core.take(*records)
    core.accept(*others)
    core.wait(1.0)
    other = _take_over(core)
    other.assign(0, **changed)  # type: ignore[arg-type]
    other.receive(*records)
    other.settle()
    assert other.delivered() == ["0/0", "0/1", "0/2"]


def test_a_compacted_record_within_a_finished_run_changes_nothing() -> None:
    core = Harness(batch=ONE_BY_ONE)
    records = [event(offset, who=f"p{offset}") for offset in range(6)]
    _, *others = core.take(*records)
    core.accept(*others)
    core.wait(1.0)
    other = _take_over(core, (0,))
    other.receive(*(record for record in records if record.offset() != 3))
    other.settle()
    assert other.delivered() == ["0/0"] and other.watermark() == 6


# ---- bounds ----


def test_a_partition_that_read_too_far_ahead_is_paused_and_resumed_at_half() -> None:
    core = Harness(batch=ONE_BY_ONE, ledger=LedgerOptions(max_span=10))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(10)))
    first, *others = core.sends()
    for send in others:
        core.accept(send)
    core.advance()
    assert [pause.partitions for pause in core.seen(Pause)] == [(at(0),)]
    assert core.partition().waiting == "span_full"
    assert core.seen(Resume) == []
    core.accept(first)
    core.advance()
    assert [resume.partitions for resume in core.seen(Resume)] == [(at(0),)]


def test_a_full_span_is_no_other_partition_s_matter() -> None:
    core = Harness(partitions=(0, 1), batch=ONE_BY_ONE, ledger=LedgerOptions(max_span=3))
    core.receive(*(event(offset) for offset in range(3)))
    core.advance()
    core.accept(*core.take(event(0, partition=1, who="bob")))
    assert core.watermark(1) == 1
    assert [pause.partitions for pause in core.seen(Pause)] == [(at(0),)]


def test_a_paused_partition_that_comes_back_begins_unpaused() -> None:
    core = Harness(batch=ONE_BY_ONE, ledger=LedgerOptions(max_span=2))
    core.receive(event(0), event(1))
    core.advance()
    core.core.lose([at(0)], core.now)
    core.assign(0)
    core.advance()
    assert len(core.seen(Pause)) == 1 and core.partition().waiting == "nothing_to_read"


def test_dropped_records_give_their_credit_back() -> None:
    core = Harness(buffer=BufferOptions(max_records=4), delivery=DeliveryOptions(concurrency=1))
    core.receive(*(event(offset, id="same") for offset in range(4)))
    core.advance()
    assert core.core.credit().records == 0
    core.core.lose([at(0)], core.now)
    core.advance()
    assert core.core.credit().records == 4 and core.is_empty()


def test_a_lost_record_s_commit_offset_is_not_invented() -> None:
    core = Harness(partitions=(0, 1))
    core.take(event(0), event(0, partition=1, who="bob"))
    core.core.revoke([at(0), at(1)], core.now, 1.0)
    core.wait(1.0)
    (released,) = core.seen(Released)
    assert all(isinstance(one, CommitOffset) and one.offset == 0 for one in released.offsets)


def test_everything_accepted_survives_a_take_over_in_any_state() -> None:
    """Whatever was answered when the owner died: the next one delivers the rest, and that alone."""
    random = Random(7)
    for _ in range(25):
        core = Harness(batch=BatchOptions(linger_ms=0, max_events=3))
        records = [event(offset, who=f"p{random.randrange(8)}") for offset in range(60)]
        accepted: list[str] = []
        for start in range(0, 60, 6):
            core.receive(*records[start : start + 6])
            core.advance()
            for send in core.in_flight():
                if random.random() < 0.6:
                    core.accept(send)
                    accepted += names(send)
            core.wait(random.choice([0.0, 1.1]))
        core.wait(1.1)
        other = _take_over(core, (0,))
        other.receive(*records[core.broker[at(0)].offset :])
        other.run(lambda send: Accepted())
        assert other.watermark() == 60
        assert sorted(accepted + other.delivered()) == sorted(f"0/{offset}" for offset in range(60))
