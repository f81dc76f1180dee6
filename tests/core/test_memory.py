"""What docs/architecture.md says under Memory, measured."""

import tracemalloc
from collections.abc import Callable

import pytest

from connector.core import channel
from connector.core.answers import Accepted
from connector.core.dedup import IdWindow
from connector.core.effects import Send, TopicPartition
from connector.core.ledger import Ledger
from connector.core.options import DedupOptions, EventWindowOptions, IdentifyCacheOptions
from connector.events.event import Reason
from connector.events.ulid import ulid_from_id
from tests.core.harness import Harness, event, identify, unsendable

COUNTS = pytest.mark.parametrize("count", [25_000, 43_750])
"""The second stands just behind a place where a dict doubles: there it is the largest for what it holds."""


def bytes_each(count: int, fill: Callable[[], object]) -> float:
    """At the worst moment, for each of what is there at the end."""
    tracemalloc.start()
    try:
        filled = fill()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del filled
    return peak_bytes / count


def test_a_dead_letter_behind_a_stuck_record_takes_16_bytes_more_of_the_ledger() -> None:
    count = 50_000
    core = Harness()
    core.take(event(0, "stuck"))

    def fill() -> None:
        for begin in range(1, count, 500):
            core.receive(*(unsendable(offset, Reason.UNROUTABLE) for offset in range(begin, begin + 500)))
            core.advance()
            core.written()
            core.effects.clear()
            tracemalloc.reset_peak()

    assert bytes_each(count, fill) < 60, (
        "with what a poll needs meanwhile, and arrays that have grown by an eighth"
    )
    assert core.partition().outstanding == 1


@COUNTS
@pytest.mark.parametrize("accepted_together", [1, 500])
def test_an_entry_of_the_dedup_window_takes_320_bytes_at_most(count: int, accepted_together: int) -> None:
    """Also when it is full, where a dict is made anew at times, and under light traffic, where ids come alone."""

    def fill() -> IdWindow:
        window = IdWindow(count, 600.0)
        for begin in range(0, count * 3, accepted_together):
            numbers = range(begin, begin + accepted_together)
            ids = [ulid_from_id(f"event-{n}") for n in numbers]
            window.add(ids, [n << 24 for n in numbers], begin / 1000)
        return window

    assert 150 < bytes_each(count, fill) <= 320


@pytest.mark.parametrize("polled_together", [1, 500])
def test_a_record_without_an_ending_takes_9_bytes_of_its_ledger(polled_together: int) -> None:
    """Also where one is stuck and the others come one by one."""
    count = 200_000

    def fill() -> Ledger:
        ledger = Ledger(TopicPartition("events", 0), 1, 0, 0.0)
        for offset in range(count):
            if offset % polled_together == 0:
                ledger.checkpoint(offset)
            ledger.extend((offset,))
        return ledger

    # Both arrays have room for an eighth more.
    assert 9 <= bytes_each(count, fill) <= 9 * 9 / 8 + 1


def test_the_age_of_the_oldest_record_is_right_to_a_hundredth_however_many_wait_behind_it() -> None:
    ledger = Ledger(TopicPartition("events", 0), 1, 0, 0.0)
    for second in range(20_000):
        ledger.checkpoint(second * 1000)
        ledger.extend((second,))
    for ended in range(0, 19_999, 7):
        while ledger.mark + ledger.trimmed < ended:
            ledger.end(ledger.mark + ledger.trimmed)
            ledger.advance(0.0)
        age, right = 20_000 - ledger.oldest_timestamp_ms / 1000, 20_000 - ended
        assert right <= age <= right + 20_000 / 100


def test_a_person_in_the_identify_cache_takes_600_bytes_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is full, and others take the place of those who came first."""
    monkeypatch.setattr(channel, "_LANES_BATCH", 64)  # or lanes that are used for the first time are measured
    people, together = 11_000, 100
    cache = IdentifyCacheOptions(max_entries=people, ttl_seconds=3_600)
    options = DedupOptions(events=EventWindowOptions(max_entries=0), identifies=cache)
    harness = Harness(dedup=options)

    def fill() -> None:
        core, now = harness.core, harness.now
        for begin in range(0, people * 2, together):
            now += 1
            offsets = range(begin, begin + together)
            core.receive([identify(offset, "a state", who=f"person-{offset}") for offset in offsets], now)
            for effect in core.advance(now):
                if isinstance(effect, Send):
                    core.answer(effect.request_id, Accepted(), now)
        assert harness.is_empty()

    assert 300 < bytes_each(people, fill) <= 600
