"""Draining, standing still, times to be woken at, and what can be seen."""

import pytest

from connector.core.answers import Accepted, Misconfigured, Unauthorised
from connector.core.effects import Cancel, Drained, Outcome, Released, Send
from connector.core.options import BatchOptions, BufferOptions, DeliveryOptions
from tests.core.harness import DOWN, THROTTLED, Harness, at, event, unsendable

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def _drained(core: Harness) -> Drained:
    (drained,) = core.seen(Drained)
    return drained


# ---- drain ----


def test_a_drain_flushes_what_lingers_and_commits() -> None:
    core = Harness(batch=BatchOptions(linger_ms=60_000))
    core.receive(event(0), event(1))
    core.core.drain(core.now, 10.0)
    core.accept(core.send())
    core.advance()
    assert _drained(core).clean and [one.offset for one in _drained(core).offsets] == [2]


def test_a_drain_takes_nothing_more() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.drain(core.now, 10.0)
    assert core.take(event(1, who="bob")) == []
    core.accept(send)
    core.advance()
    assert _drained(core).clean and _drained(core).offsets[0].offset == 1


def test_a_drain_waits_for_retries_and_dead_letters() -> None:
    core = Harness()
    (send,) = core.take(event(0), unsendable(1))
    core.core.drain(core.now, 60.0)
    core.answer(send, DOWN)
    core.wait(1.0)
    core.accept(*core.in_flight())
    core.advance()
    assert core.seen(Drained) == []
    core.written()
    core.advance()
    assert _drained(core).clean and _drained(core).offsets[0].offset == 2


@pytest.mark.parametrize("answer", [DOWN, THROTTLED, Unauthorised(401), Misconfigured(404, "url")])
def test_a_drain_ends_at_its_deadline_losing_nothing(answer: object) -> None:
    core = Harness()
    core.accept(*core.take(event(0)))
    (send,) = core.take(event(1), event(2))
    core.core.drain(core.now, 10.0)
    core.run(lambda send: answer, seconds=9.0)  # type: ignore[arg-type, return-value]
    core.advance()
    assert core.seen(Drained) == []
    core.wait(1.1)
    drained = _drained(core)
    assert not drained.clean and [one.offset for one in drained.offsets] in ([1], [])
    del send


def test_a_drain_at_its_deadline_cancels_what_is_in_flight() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.drain(core.now, 10.0)
    core.wait(10.0)
    assert [cancel.request_id for cancel in core.seen(Cancel)] == [send.request_id]
    assert not _drained(core).clean
    core.accept(send)
    assert core.advance() == [] and core.core.wake_at() is None


def test_a_drain_with_nothing_held_ends_at_once() -> None:
    core = Harness()
    core.core.drain(core.now, 10.0)
    core.advance()
    assert _drained(core).clean


def test_a_second_drain_changes_nothing() -> None:
    core = Harness()
    core.take(event(0))
    core.core.drain(core.now, 10.0)
    core.core.drain(core.now, 100.0)
    core.wait(10.0)
    assert len(core.seen(Drained)) == 1


def test_a_revoke_during_a_drain_keeps_the_drain_s_deadline() -> None:
    core = Harness(partitions=(0, 1))
    core.take(event(0), event(0, partition=1, who="bob"))
    core.core.drain(core.now, 5.0)
    core.core.revoke([at(0)], core.now, 60.0)
    core.wait(5.1)
    assert not _drained(core).clean


# ---- polling that stands still ----


def _silence(core: Harness, seconds: float) -> None:
    """Time passes without a poll, as on a suspended machine."""
    core.now += seconds


def test_no_request_starts_when_polling_has_stood_still_longer_than_the_session() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=1), session_timeout_seconds=45.0)
    (first,) = core.take(event(0), event(1))
    _silence(core, 46.0)
    core.accept(first)
    assert core.sends() == []
    core.core.polled(core.now)
    assert len(core.sends()) == 1


def test_a_retry_does_not_start_then_either() -> None:
    core = Harness(session_timeout_seconds=45.0)
    core.answer(*core.take(event(0)), DOWN)
    _silence(core, 100.0)
    assert core.sends() == []
    core.core.lose([at(0)], core.now)
    core.core.polled(core.now)
    assert core.sends() == [] and core.is_empty()


def test_up_to_the_session_s_timeout_requests_start() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=1), session_timeout_seconds=45.0)
    (first,) = core.take(event(0), event(1))
    _silence(core, 44.0)
    core.accept(first)
    assert len(core.sends()) == 1


def test_it_does_not_want_to_be_woken_in_vain_while_polling_stands_still() -> None:
    core = Harness(session_timeout_seconds=45.0)
    core.answer(*core.take(event(0)), DOWN)
    _silence(core, 100.0)
    core.advance()
    wake_at = core.core.wake_at()
    assert wake_at is None or wake_at > core.now


# ---- credit ----


def test_credit_is_what_is_left_of_records_and_bytes() -> None:
    core = Harness(buffer=BufferOptions(max_records=10, max_bytes=1_000_000))
    core.receive(event(0), event(1))
    credit = core.core.credit()
    assert credit.records == 8 and 990_000 < credit.bytes < 1_000_000


def test_a_full_buffer_gives_no_credit_until_it_is_down_to_half() -> None:
    core = Harness(batch=ONE_BY_ONE, buffer=BufferOptions(max_records=10))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(10)))
    sends = core.sends()
    assert core.core.credit().records == 0 and core.partition().waiting != "nothing_to_read"
    for left, send in zip(range(9, -1, -1), sends, strict=True):
        core.accept(send)
        assert (core.core.credit().records > 0) == (left <= 5)


def test_bytes_bound_the_buffer_too() -> None:
    core = Harness(buffer=BufferOptions(max_bytes=1_000_000))
    core.receive(*(event(offset, padding="x" * 30_000) for offset in range(40)))
    credit = core.core.credit()
    assert (credit.records, credit.bytes) == (0, 0)
    core.settle()
    assert core.core.credit().bytes == 1_000_000


def test_a_partition_that_waits_for_the_buffer_says_so() -> None:
    core = Harness(partitions=(0, 1), buffer=BufferOptions(max_records=2))
    core.receive(event(0), event(1))
    core.advance()
    assert core.partition(1).waiting == "buffer_full"


# ---- times ----


def test_it_is_not_woken_in_vain() -> None:
    """In an hour of nothing, of an outage and of a wait for an answer it wakes about once a second, not more."""
    for judge in (None, lambda send: DOWN):
        core = Harness()
        core.receive(event(0))
        core.advance()
        wakes = 0
        until = core.now + 3_600
        while core.now < until:
            if judge is not None:
                for send in core.in_flight():
                    core.answer(send, judge(send))
            wake_at = core.core.wake_at()
            core.now = min(until, until if wake_at is None else max(core.now, wake_at))
            core.core.polled(core.now)
            core.advance()
            wakes += 1
        assert wakes < 3_600 * 1.5


def test_it_wants_to_be_woken_when_a_retry_is_due() -> None:
    core = Harness(delivery=DeliveryOptions(backoff_seconds_min=0.3))
    core.answer(*core.take(event(0)), DOWN)
    core.advance()
    wake_at = core.core.wake_at()
    assert wake_at is not None and wake_at <= core.now + 0.3


# ---- what can be seen ----


def test_incident_26_every_partition_that_waits_has_a_reason() -> None:
    core = Harness(partitions=(0, 1))
    assert core.partition().waiting == "nothing_to_read"
    (send,) = core.take(event(0))
    assert core.partition().waiting == "delivering" and core.partition(1).waiting == "nothing_to_read"
    core.answer(send, DOWN)
    assert core.partition().waiting == "retrying"
    core.settle()
    assert core.partition().waiting == "nothing_to_read"
    core.take(unsendable(1))
    assert core.partition().waiting == "dead_letters_pending"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Unauthorised(401), "unauthorised"),
        (Misconfigured(404, "url"), "misconfigured"),
        (THROTTLED, "throttled"),
        (DOWN, "retrying"),
    ],
)
def test_incident_26_the_reason_names_what_the_destination_said(answer: object, reason: str) -> None:
    core = Harness()
    core.answer(*core.take(event(0)), answer)  # type: ignore[arg-type]
    core.advance()
    assert core.partition().waiting == reason


def test_incident_26_progress_is_watched_for_each_partition() -> None:
    core = Harness(partitions=(0, 1), batch=ONE_BY_ONE)
    began = core.now
    stuck, moving = core.take(event(0, who="ann"), event(0, partition=1, who="bob"))
    core.wait(60.0)
    core.accept(moving)
    assert core.partition(0).progress_at == pytest.approx(began)
    assert core.partition(1).progress_at == core.now
    core.accept(stuck)
    assert core.partition(0).progress_at == core.now


def test_the_age_is_that_of_the_oldest_record_without_an_ending() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.receive(event(0, timestamp_ms=5_000, who="ann"))
    core.receive(event(1, timestamp_ms=9_000, who="bob"))
    first, second = core.sends()
    core.accept(second)
    assert core.partition().oldest_timestamp_ms == 5_000
    core.accept(first)
    assert core.partition().oldest_timestamp_ms == -1


def test_the_snapshot_counts_what_is_held() -> None:
    core = Harness()
    core.take(event(0), event(1), unsendable(2))
    snapshot = core.core.snapshot(core.now)
    (partition,) = snapshot.partitions
    (region,) = snapshot.regions
    assert (partition.watermark, partition.next_offset, partition.outstanding) == (0, 3, 3)
    assert (region.in_flight_requests, region.queued) == (1, 0)
    assert (snapshot.buffered_records, snapshot.dead_letters_pending) == (3, 1)
    core.settle()
    assert core.core.snapshot(core.now).window_entries == 2
    assert core.endings() == {Outcome.ACCEPTED: 2, Outcome.DEAD_LETTERED: 1}


def test_incident_8_what_is_held_does_not_grow_with_the_backlog() -> None:
    held = []
    for backlog in (500, 5_000):
        core = Harness(buffer=BufferOptions(max_records=100))
        offset = most = 0
        while offset < backlog:
            take = min(50, core.core.credit().records, backlog - offset)
            core.receive(*(event(offset + n, who=f"p{n}") for n in range(take)))
            offset += take
            most = max(most, core.core.snapshot(core.now).buffered_records)
            core.run(lambda send: Accepted(), seconds=0.02)
        held.append(most)
    assert held[0] == held[1] <= 100


def test_the_effects_are_the_caller_s() -> None:
    core = Harness()
    effects = core.take(event(0))
    core.accept(*effects)
    core.take(event(1))
    assert len(effects) == 1 and len(core.seen(Send)) == 2


def test_nothing_read_during_a_drain_is_passed_over_by_the_client_s_position() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.drain(core.now, 5.0)
    core.receive(event(1), event(2))
    core.core.positioned({at(0): 3})
    core.accept(send)
    core.advance()
    assert [one.offset for one in _drained(core).offsets] == [1]


def test_a_revoke_after_the_drain_is_released_at_once_with_nothing_to_commit() -> None:
    core = Harness()
    core.core.drain(core.now, 5.0)
    core.advance()
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    assert [(one.partitions, one.offsets) for one in core.seen(Released)] == [((at(0),), ())]
