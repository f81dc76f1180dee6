from collections.abc import Sequence

import pytest

from connector.events.record import Headers, StoredRecord
from connector.telemetry.sampling import (
    LOOKS_PER_POLL_MAX,
    LOOKS_PER_SPAN,
    RETURNS_PER_SPAN,
    RecordSampler,
    SpanBudget,
)
from tests.telemetry.examples import record


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(StoredRecord):
    """Counts how often headers are looked at."""

    looks = 0

    def headers(self) -> Headers | None:
        Counted.looks += 1
        return super().headers()


def counted_records(count: int) -> list[Counted]:
    Counted.looks = 0
    return [Counted("events", 0, offset, b"{}") for offset in range(count)]


def follow(budget: SpanBudget, sampler: RecordSampler, records: Sequence[StoredRecord]) -> list[int]:
    """Indices that are followed, as a caller that begins every span would."""
    if not budget.is_left():
        return []
    followed = []
    for index, _ in sampler.picks(records):
        sampler.count()
        followed.append(index)
    return followed


def test_sampled_records_are_followed_whatever_the_share() -> None:
    budget = SpanBudget(50, Clock())
    records = [record(0, flags="00"), record(1, flags="01"), record(2), record(3, flags="01")]
    assert follow(budget, RecordSampler(budget, 0.0), records) == [1, 3]


def test_record_whose_trace_is_not_sampled_is_never_followed() -> None:
    budget = SpanBudget(50, Clock())
    assert follow(budget, RecordSampler(budget, 1.0), [record(0, flags="00")] * 20) == []


def test_share_of_records_without_a_trace_is_followed() -> None:
    budget = SpanBudget(1000, Clock())
    followed = follow(budget, RecordSampler(budget, 0.1), [record(n) for n in range(100)])
    assert followed[0] == 0
    assert len(followed) in (10, 11)


def test_no_more_than_the_budget_a_second() -> None:
    clock = Clock()
    budget = SpanBudget(5, clock)
    sampler = RecordSampler(budget, 1.0)
    records = [record(n) for n in range(100)]
    assert follow(budget, sampler, records) == [0, 1, 2, 3, 4]
    clock.now += 0.5
    assert follow(budget, sampler, records) == []
    clock.now += 0.5
    assert len(follow(budget, sampler, records)) == 5


def test_budget_is_shared() -> None:
    budget = SpanBudget(5, Clock())
    one, other = RecordSampler(budget, 1.0), RecordSampler(budget, 1.0)
    assert len(follow(budget, one, [record(n) for n in range(3)])) == 3
    assert len(follow(budget, other, [record(n) for n in range(9)])) == 2


def test_used_up_budget_looks_at_no_record() -> None:
    budget = SpanBudget(1, Clock())
    sampler = RecordSampler(budget, 1.0)
    records = counted_records(50)
    assert follow(budget, sampler, records) == [0]
    assert Counted.looks == 1
    assert follow(budget, sampler, records) == []
    assert Counted.looks == 1


def test_looks_are_bounded_a_poll_and_a_second() -> None:
    clock = Clock()
    budget = SpanBudget(10, clock)
    sampler = RecordSampler(budget, 0.0)
    records = counted_records(10_000)
    follow(budget, sampler, records)
    assert Counted.looks == LOOKS_PER_POLL_MAX
    for _ in range(20):
        follow(budget, sampler, records)
    assert Counted.looks == 10 * LOOKS_PER_SPAN
    clock.now += 1
    follow(budget, sampler, records)
    assert Counted.looks == 10 * LOOKS_PER_SPAN + LOOKS_PER_POLL_MAX


def test_looks_are_spread_over_a_large_poll_in_order() -> None:
    budget = SpanBudget(1000, Clock())
    followed = follow(budget, RecordSampler(budget, 1.0), [record(n) for n in range(10_000)])
    assert len(followed) == LOOKS_PER_POLL_MAX
    assert followed == sorted(set(followed))
    assert followed[-1] >= 10_000 * (LOOKS_PER_POLL_MAX - 1) // LOOKS_PER_POLL_MAX


@pytest.mark.parametrize("spans_per_second", [0, 0.0])
def test_budget_of_nothing_follows_nothing(spans_per_second: float) -> None:
    budget = SpanBudget(spans_per_second, Clock())
    assert not budget.is_left()


def test_budget_below_one_a_second() -> None:
    clock = Clock()
    budget = SpanBudget(0.25, clock)
    sampler = RecordSampler(budget, 1.0)
    spans = 0
    for _ in range(16):
        spans += len(follow(budget, sampler, [record(0)]))
        clock.now += 1
    assert spans == 4


def test_spans_that_come_to_nothing_are_given_back_but_not_for_ever() -> None:
    budget = SpanBudget(10, lambda: 0.0)
    begun = 0
    while budget.is_left():
        budget.spans_left -= 1
        begun += 1
        budget.give_back()
    assert begun == 10 * (1 + RETURNS_PER_SPAN)
