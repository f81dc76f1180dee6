import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.commit_metadata import Run
from connector.core.effects import TopicPartition
from connector.core.ledger import Ledger

PARTITION = TopicPartition("events", 0)


def _ledger(position: int = 100) -> Ledger:
    return Ledger(PARTITION, 1, position, 0.0)


def _read(ledger: Ledger, *offsets: int) -> list[int]:
    return [ledger.extend((offset,)) for offset in offsets]


def test_a_new_ledger_s_watermark_is_its_position() -> None:
    assert _ledger(100).watermark == 100


def test_incident_22_the_watermark_waits_for_the_first_without_an_ending() -> None:
    ledger = _ledger()
    first, second, third = _read(ledger, 100, 101, 102)
    ledger.end(second)
    ledger.end(third)
    ledger.advance(1.0)
    assert ledger.watermark == 100
    ledger.end(first)
    ledger.advance(1.0)
    assert ledger.watermark == 103


def test_a_gap_in_the_offsets_counts_as_ended() -> None:
    ledger = _ledger()
    first, second = _read(ledger, 100, 150)
    ledger.end(first)
    ledger.advance(1.0)
    assert ledger.watermark == 150
    ledger.end(second)
    ledger.advance(1.0)
    assert ledger.watermark == 151


def test_a_record_ends_once() -> None:
    ledger = _ledger()
    (index,) = _read(ledger, 100)
    ledger.end(index)
    with pytest.raises(AssertionError):
        ledger.end(index)


def test_places_of_arrival_outlive_trimming() -> None:
    ledger = _ledger(0)
    for index in _read(ledger, *range(20_000)):
        ledger.end(index)
    ledger.advance(1.0)
    assert ledger.trimmed > 0 and ledger.watermark == 20_000
    (index,) = _read(ledger, 20_005)
    assert index == 20_000 and ledger.arrived == 20_001
    assert ledger.offset_at(index) == 20_005
    ledger.end(index)
    ledger.advance(1.0)
    assert ledger.watermark == 20_006


def test_records_that_are_cut_off_count_as_never_read() -> None:
    ledger = _ledger()
    first = ledger.extend([100, 101, 105])
    ledger.cut(first + 3)
    assert ledger.arrived == 3 and ledger.next_offset == 106
    ledger.cut(first + 1)
    assert ledger.arrived == 1 and ledger.next_offset == 101
    ledger.end(first)
    ledger.advance(1.0)
    assert ledger.watermark == 101 and ledger.outstanding == 0


def test_progress_is_seen_when_the_watermark_moves_or_nothing_waits() -> None:
    ledger = _ledger()
    ledger.advance(5.0)
    assert ledger.progress_at == 5.0
    first, second = _read(ledger, 100, 101)
    ledger.end(second)
    ledger.advance(9.0)
    assert ledger.progress_at == 5.0
    ledger.end(first)
    ledger.advance(11.0)
    assert ledger.progress_at == 11.0


def test_runs_beyond_the_watermark_include_what_an_earlier_owner_finished_and_is_not_read_yet() -> None:
    ledger = _ledger()
    ledger.finished.append(Run(102, 104))
    ledger.finished.append(Run(200, 300))
    first, second, third = _read(ledger, 100, 101, 102)
    assert ledger.was_finished(102) and not ledger.was_finished(104)
    ledger.end(third)
    ledger.advance(1.0)
    assert list(ledger.runs_beyond()) == [Run(102, 103), Run(200, 300)]
    assert ledger.watermark == 100
    del first, second


def test_an_earlier_owner_s_run_is_cut_where_reading_has_come_to() -> None:
    ledger = _ledger()
    ledger.finished.append(Run(102, 110))
    for offset in (100, 101, 102, 103):
        index = ledger.extend((offset,))
        if ledger.was_finished(offset):
            ledger.end(index)
    assert list(ledger.runs_beyond()) == [Run(102, 104), Run(104, 110)]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=300),
    st.lists(st.tuples(st.integers(0, 299), st.booleans()), max_size=400),
)
def test_against_a_plain_model(gaps: list[int], endings: list[tuple[int, bool]]) -> None:
    ledger = _ledger(0)
    offsets: list[int] = []
    ended: set[int] = set()
    waiting = iter(gaps)
    reached = 0
    for which, read in endings:
        if read or not offsets:
            gap = next(waiting, None)
            if gap is not None:
                reached += gap
                offsets.append(reached)
                assert ledger.extend((reached,)) == len(offsets) - 1
        else:
            index = which % len(offsets)
            if index not in ended:
                ended.add(index)
                ledger.end(index)
        ledger.advance(1.0)
        unfinished = [offset for index, offset in enumerate(offsets) if index not in ended]
        watermark = unfinished[0] if unfinished else (offsets[-1] + 1 if offsets else 0)
        assert ledger.watermark == watermark
        assert ledger.outstanding == len(unfinished)
        beyond = {offsets[index] for index in ended if offsets[index] > watermark}
        runs = list(ledger.runs_beyond())
        assert all(run.start > watermark for run in runs)
        for offset in offsets:
            assert any(run.start <= offset < run.end for run in runs) == (offset in beyond)
