from connector.core.effects import TopicPartition
from connector.core.entry import Entry
from connector.core.flight import Chunk, Flight
from connector.core.lanes import Lanes
from connector.core.ledger import Ledger
from connector.events.event import Event, Operation
from connector.events.record import StoredRecord

LEDGER = Ledger(TopicPartition("events", 0), 1, 0, 0.0)


def _entry(number: int, lane: str, operations: int = 1, secondary: str = "") -> Entry:
    second = Operation("person.event", b"%d.1" % number) if operations == 2 else None
    event = Event(
        None,
        f"{number:026d}",
        0,
        None,
        "person.event",
        b"%d.0" % number,
        lane.encode(),
        secondary.encode(),
        second=second,
    )
    record = StoredRecord("events", 0, number, b"")
    return Entry(record, LEDGER, number, event, 0, number, 0.0, operations)


def _flight(lanes: Lanes, *entries: Entry) -> Flight:
    lanes.extend(entries)
    load = lanes.take(1_000, 1_000_000)
    return Flight(Chunk(load.entries, load.bodies), load.lanes)


def _one_lane(*numbers: int, operations: int = 1) -> tuple[Lanes, Flight]:
    lanes = Lanes(4096)
    return lanes, _flight(lanes, *(_entry(number, "id:ann", operations) for number in numbers))


def _bodies(chunk: Chunk) -> list[bytes]:
    return chunk.bodies


def test_parts_of_one_lane_go_one_after_the_other_in_order_until_one_is_alone() -> None:
    lanes, flight = _one_lane(0, 1, 2, 3, 4)
    gone = []
    while flight.chunks:
        if len(flight.current.entries) > 1:
            assert flight.split(lanes.lane_of) is None
        else:
            gone += _bodies(flight.chunks.pop())
    assert gone == [b"0.0", b"1.0", b"2.0", b"3.0", b"4.0"]


def test_what_is_of_other_lanes_becomes_a_flight_of_its_own_with_its_lanes() -> None:
    lanes = Lanes(4096)
    flight = _flight(lanes, *(_entry(number, f"id:{number // 2}") for number in range(8)))
    held = {lane.number for lane in flight.lanes}
    flights = [flight]
    while any(len({lane.number for lane in one.lanes}) > 1 for one in flights):
        for one in list(flights):
            if len(one.lanes) > 1:
                other = one.split(lanes.lane_of)
                assert other is not None
                flights.append(other)
    assert sorted(_bodies(one.current) for one in flights) == [
        [b"%d.0" % number, b"%d.0" % (number + 1)] for number in range(0, 8, 2)
    ]
    assert {lane.number for one in flights for lane in one.lanes} == held
    assert sum(len(one.lanes) for one in flights) == len(held), "each lane is held by one of them"
    for one in flights:
        lanes.release(one.lanes)


def test_a_split_off_merge_takes_both_its_lanes_along() -> None:
    lanes = Lanes(4096)
    flight = _flight(lanes, _entry(0, "id:ann"), _entry(1, "id:bob", secondary="id:cid"))
    other = flight.split(lanes.lane_of)
    assert other is not None
    numbers = [{lane.number for lane in one.lanes} for one in (flight, other)]
    expected = [{b"id:ann"}, {b"id:bob", b"id:cid"}]
    assert numbers == [{lanes.lane_of(one).number for one in identifiers} for identifiers in expected]


def test_flights_are_told_apart_by_their_sequence() -> None:
    lanes = Lanes(4096)
    flight = _flight(lanes, _entry(3, "id:ann"), _entry(5, "id:bob"))
    other = flight.split(lanes.lane_of)
    assert other is not None and (flight.sequence, other.sequence) == (3, 5)


def test_parts_remember_how_often_their_operations_were_tried() -> None:
    lanes, flight = _one_lane(0, 1)
    flight.current.attempts = 3
    flight.split(lanes.lane_of)
    assert [chunk.attempts for chunk in flight.chunks] == [3, 3]


def test_what_is_not_kept_leaves_all_chunks_and_the_order_of_the_rest_stands() -> None:
    lanes, flight = _one_lane(0, 1, 2, 3, operations=2)
    flight.split(lanes.lane_of)
    flight.keep(lambda entry: entry.sequence != 1, unsent_only=False)
    assert [_bodies(chunk) for chunk in reversed(flight.chunks)] == [
        [b"0.0", b"0.1"],
        [b"2.0", b"2.1", b"3.0", b"3.1"],
    ]


def test_a_chunk_on_the_wire_is_left_as_it_was_sent() -> None:
    lanes, flight = _one_lane(0, 1, 2, 3)
    flight.split(lanes.lane_of)
    flight.request_id = 9
    flight.keep(lambda entry: entry.sequence % 2 == 1, unsent_only=True)
    assert [_bodies(chunk) for chunk in reversed(flight.chunks)] == [[b"0.0", b"1.0"], [b"3.0"]]


def test_chunks_left_empty_go() -> None:
    lanes, flight = _one_lane(0, 1, 2, 3)
    flight.split(lanes.lane_of)
    flight.keep(lambda entry: entry.sequence > 1, unsent_only=False)
    assert [_bodies(chunk) for chunk in flight.chunks] == [[b"2.0", b"3.0"]]
    flight.keep(lambda entry: False, unsent_only=False)
    assert flight.chunks == []


def test_an_operation_of_a_pair_stays_with_its_entry_across_a_split() -> None:
    lanes, flight = _one_lane(0, operations=2)
    flight.split(lanes.lane_of)
    first, second = reversed(flight.chunks)
    assert first.entries == second.entries
    assert (_bodies(first), _bodies(second)) == ([b"0.0"], [b"0.1"])
