"""What docs/architecture.md says under Memory, measured."""

import tracemalloc
from collections.abc import Callable

import pytest

from connector.core.dedup import IdWindow
from connector.core.effects import TopicPartition
from connector.core.ledger import Ledger
from connector.events.ulid import ulid_from_id

COUNTS = pytest.mark.parametrize("count", [50_000, 90_000])
"""Before and behind a place where dicts double."""


def bytes_each(count: int, fill: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        filled = fill()
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del filled
    return held_bytes / count


@COUNTS
def test_an_entry_of_the_dedup_window_takes_300_bytes_at_most(count: int) -> None:
    def fill() -> IdWindow:
        window = IdWindow(count, 600.0)
        for begin in range(0, count, 500):
            numbers = range(begin, begin + 500)
            window.add([ulid_from_id(f"event-{n}") for n in numbers], [n << 24 for n in numbers], 0.0)
        return window

    assert 100 < bytes_each(count, fill) <= 300


@COUNTS
def test_a_record_without_an_ending_takes_9_bytes_of_its_ledger(count: int) -> None:
    def fill() -> Ledger:
        ledger = Ledger(TopicPartition("events", 0), 1, 0, 0.0)
        for offset in range(count):
            ledger.append(offset)
        return ledger

    # Both arrays have room for an eighth more.
    assert 9 <= bytes_each(count, fill) <= 9 * 9 / 8 + 0.1
