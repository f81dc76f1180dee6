"""Lanes by themselves, and against a naive model: one list of waiting entries, searched from its beginning."""

from collections.abc import Sequence
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.effects import TopicPartition
from connector.core.entry import Entry
from connector.core.lanes import Lanes, Load
from connector.core.ledger import Ledger
from connector.events.event import Event, Operation
from connector.events.record import StoredRecord

LEDGER = Ledger(TopicPartition("events", 0), 1, 0, 0.0)
PLENTY = 1 << 30


def _entry(sequence: int, lane: str, secondary: str = "", bodies: Sequence[int] = (10,)) -> Entry:
    first, *others = [Operation("person.event", b"x" * size) for size in bodies]
    second = others[0] if others else None
    record = StoredRecord("events", 0, sequence, b"")
    lanes = lane.encode(), secondary.encode()
    event = Event(None, f"{sequence:026d}", 0, None, first.action, first.body, *lanes, second=second)
    return Entry(record, LEDGER, sequence, event, 0, sequence, float(sequence), len(bodies))


def _sequences(load: Load) -> list[int]:
    return [entry.sequence for entry in load.entries]


def _two_lanes(lanes: Lanes) -> tuple[str, str]:
    """Identifiers of two different lanes."""
    first = "id:0"
    other = next(
        f"id:{n}" for n in count(1) if lanes.lane_of(f"id:{n}".encode()) is not lanes.lane_of(b"id:0")
    )
    return first, other


def _same_lane(lanes: Lanes, identifier: str) -> str:
    """Another identifier of the same lane."""
    lane = lanes.lane_of(identifier.encode())
    return next(f"id:x{n}" for n in count() if lanes.lane_of(f"id:x{n}".encode()) is lane)


def test_a_lane_is_the_crc32_of_identifier_type_and_value() -> None:
    assert Lanes(4096).lane_of(b"id:42").number == 0xBC454044 % 4096


def test_a_batch_takes_whole_idle_lanes_oldest_head_first() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    lanes.extend([_entry(1, one), _entry(2, other), _entry(3, one)])
    assert _sequences(lanes.take(10, PLENTY)) == [1, 3, 2]


def test_a_lane_is_busy_while_anything_of_it_is_in_flight() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    lanes.extend([_entry(1, one)])
    load = lanes.take(10, PLENTY)
    lanes.extend([_entry(2, one), _entry(3, other)])
    assert _sequences(lanes.take(10, PLENTY)) == [3]
    lanes.release(load.lanes)
    assert _sequences(lanes.take(10, PLENTY)) == [2]


def test_a_batch_ends_where_it_is_full_and_the_lane_s_rest_waits_for_it() -> None:
    lanes = Lanes(64)
    lanes.extend([_entry(sequence, "id:0") for sequence in range(1, 6)])
    load = lanes.take(3, PLENTY)
    assert _sequences(load) == [1, 2, 3]
    assert lanes.oldest_ready_at() is None
    lanes.release(load.lanes)
    assert _sequences(lanes.take(3, PLENTY)) == [4, 5]


def test_bytes_are_counted_exactly_with_the_commas_between() -> None:
    lanes = Lanes(64)
    lanes.extend([_entry(sequence, "id:0", bodies=(10,)) for sequence in range(1, 5)])
    load = lanes.take(10, 32)
    assert _sequences(load) == [1, 2, 3]
    assert sum(map(len, load.bodies)) + len(load.bodies) - 1 == 32
    lanes = Lanes(64)
    lanes.extend([_entry(sequence, "id:0", bodies=(10,)) for sequence in range(1, 5)])
    assert _sequences(lanes.take(10, 31)) == [1, 2]


def test_a_record_with_two_operations_is_taken_whole_or_not() -> None:
    lanes = Lanes(64)
    lanes.extend([_entry(1, "id:0"), _entry(2, "id:0", bodies=(10, 10))])
    assert _sequences(lanes.take(2, PLENTY)) == [1]


def test_a_record_larger_than_any_request_is_taken_alone() -> None:
    lanes = Lanes(64)
    lanes.extend([_entry(1, "id:0", bodies=(50, 50)), _entry(2, "id:0")])
    assert _sequences(lanes.take(10, 60)) == [1, 1]


def test_a_merge_waits_until_both_lanes_have_delivered_what_came_before() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    lanes.extend([_entry(1, one), _entry(2, other), _entry(3, one, other), _entry(4, one), _entry(5, other)])
    first = lanes.take(1, PLENTY)
    second = lanes.take(1, PLENTY)
    assert (_sequences(first), _sequences(second)) == ([1], [2])
    lanes.release(first.lanes)
    assert lanes.oldest_ready_at() is None
    lanes.release(second.lanes)
    assert _sequences(lanes.take(1, PLENTY)) == [3]


def test_what_follows_a_merge_waits_for_it_in_both_lanes() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    lanes.extend([_entry(1, one, other), _entry(2, one), _entry(3, other)])
    load = lanes.take(10, PLENTY)
    assert _sequences(load) == [1]
    assert lanes.oldest_ready_at() is None
    lanes.release(load.lanes)
    assert _sequences(lanes.take(10, PLENTY)) == [2, 3]


def test_a_merge_within_one_lane_is_one_place() -> None:
    lanes = Lanes(64)
    same = _same_lane(lanes, "id:0")
    lanes.extend([_entry(1, "id:0"), _entry(2, "id:0", same), _entry(3, same)])
    assert _sequences(lanes.take(10, PLENTY)) == [1, 2, 3]
    assert lanes.queued == 0


def test_merges_that_cross_do_not_block_each_other() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    lanes.extend([_entry(1, one, other), _entry(2, other, one), _entry(3, one, other)])
    taken = []
    while (load := lanes.take(10, PLENTY)).entries:
        taken += _sequences(load)
        lanes.release(load.lanes)
    assert taken == [1, 2, 3]


def test_a_dropped_merge_frees_what_waited_for_it() -> None:
    lanes = Lanes(64)
    one, other = _two_lanes(lanes)
    merge = _entry(1, one, other)
    lanes.extend([merge, _entry(2, one), _entry(3, other)])
    lanes.drop([merge])
    assert _sequences(lanes.take(10, PLENTY)) == [2, 3]


class _Naive:
    """The rule, said plainly: an entry may go if nothing before it in one of its lanes waits or is in flight."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.waiting: list[Entry] = []
        self.in_flight: list[tuple[Load, set[int]]] = []

    def lanes_of(self, entry: Entry) -> set[int]:
        event = entry.event
        identifiers = [one for one in (event.lane, event.lane_secondary) if one]
        return {self._lanes.lane_of(identifier).number for identifier in identifiers}

    def may_go(self) -> list[Entry]:
        blocked = set().union(*(lanes for _, lanes in self.in_flight))
        able = []
        for entry in self.waiting:
            lanes = self.lanes_of(entry)
            if not lanes & blocked:
                able.append(entry)
            blocked |= lanes
        return able


_identifiers = st.integers(0, 9).map(lambda number: f"id:{number}")
_arrivals = st.tuples(
    _identifiers,
    st.one_of(st.just(""), st.just(""), _identifiers),
    st.lists(st.integers(1, 40), min_size=1, max_size=2),
)
_steps = st.one_of(
    st.lists(_arrivals, min_size=1, max_size=8),
    st.tuples(st.just("take"), st.integers(1, 6), st.integers(40, 200)),
    st.tuples(st.just("release"), st.integers(0, 20)),
    st.tuples(st.just("drop"), st.integers(0, 4), st.integers(2, 5)),
)


@settings(max_examples=400)
@given(st.lists(_steps, max_size=60))
def test_against_a_naive_model(steps: list[object]) -> None:
    """No lane twice in flight, order within each, no deadlock, nothing lost, bounds kept; whatever is dropped."""
    lanes = Lanes(8)
    naive = _Naive(lanes)
    sequences = count(1)
    for step in steps:
        if isinstance(step, list):
            _arrive(lanes, naive, sequences, step)
        elif step[0] == "take":  # type: ignore[index]
            _take(lanes, naive, *step[1:])  # type: ignore[index]
        elif step[0] == "release":  # type: ignore[index]
            if naive.in_flight:
                load, _ = naive.in_flight.pop(step[1] % len(naive.in_flight))  # type: ignore[index]
                lanes.release(load.lanes)
        else:
            _, remainder, modulus = step  # type: ignore[misc]
            gone = [entry for entry in naive.waiting if entry.sequence % modulus == remainder]
            lanes.drop(gone)
            naive.waiting = [entry for entry in naive.waiting if entry not in gone]
        _agree(lanes, naive)
    while naive.waiting:
        for load, _ in naive.in_flight:
            lanes.release(load.lanes)
        naive.in_flight = []
        assert _take(lanes, naive, 5, 100), "with nothing in flight something can always go"
        _agree(lanes, naive)


def _arrive(lanes: Lanes, naive: _Naive, sequences: "count[int]", arrivals: list[object]) -> None:
    entries = []
    for lane, secondary, bodies in arrivals:  # type: ignore[misc]
        merges = bool(secondary) and secondary != lane
        entries.append(
            _entry(next(sequences), lane, secondary if merges else "", bodies[:1] if merges else bodies)
        )
    lanes.extend(entries)
    naive.waiting += entries


def _take(lanes: Lanes, naive: _Naive, operations_max: int, bytes_max: int) -> bool:
    able = naive.may_go()
    load = lanes.take(operations_max, bytes_max)
    assert bool(load.entries) == bool(able)
    if not load.entries:
        assert load.lanes == []
        return False
    assert load.bytes == sum(map(len, load.bodies))
    assert load.entries[0] is able[0], "the oldest that may go goes first"
    if len({entry.sequence for entry in load.entries}) > 1:
        assert len(load.bodies) <= operations_max
        assert sum(map(len, load.bodies)) + len(load.bodies) - 1 <= bytes_max
    taken = list(dict.fromkeys(entry.sequence for entry in load.entries))
    gone = [entry for sequence in taken for entry in naive.waiting if entry.sequence == sequence]
    held = set().union(*(naive.lanes_of(entry) for entry in gone))
    busy = set().union(*(numbers for _, numbers in naive.in_flight))
    assert not held & busy, "a lane has one request in flight"
    assert held == {lane.number for lane in load.lanes}
    for entry in gone:
        before = [one for one in naive.waiting if one.sequence < entry.sequence and one not in gone]
        assert not any(naive.lanes_of(one) & naive.lanes_of(entry) for one in before), "it overtook nobody"
    for number in held:
        order = [entry.sequence for entry in gone if number in naive.lanes_of(entry)]
        assert order == sorted(order)
    merges = [entry for entry in gone if len(naive.lanes_of(entry)) > 1]
    for merge in merges:
        assert not any(naive.lanes_of(one) & naive.lanes_of(merge) for one in gone if one is not merge)
    naive.waiting = [entry for entry in naive.waiting if entry.sequence not in taken]
    naive.in_flight.append((load, held))
    return True


def _agree(lanes: Lanes, naive: _Naive) -> None:
    assert lanes.queued == len(naive.waiting)
    assert lanes.queued_bytes == sum(len(one.body) for e in naive.waiting for one in e.event.operations)
    assert {entry.sequence for entry in lanes} == {entry.sequence for entry in naive.waiting}
    for lane in lanes._lanes:
        events = [entry.event for entry in lane.queue]
        assert lane.bytes == sum(event.operations_bytes for event in events)
        assert lane.odd == sum(event.second is not None or event.lane_secondary != b"" for event in events)
    able = naive.may_go()
    assert lanes.oldest_ready_at() == (float(able[0].sequence) if able else None)
    assert (lanes.ready > 0) == bool(able)
