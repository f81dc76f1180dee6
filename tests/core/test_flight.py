from connector.core.effects import TopicPartition
from connector.core.entry import Entry
from connector.core.flight import Chunk, Flight
from connector.core.lanes import Load
from connector.core.ledger import Ledger
from connector.events.event import Event, Operation, RequestKind
from connector.events.record import StoredRecord

LEDGER = Ledger(TopicPartition("events", 0), 1, 0, 0.0)


def _entry(number: int, operations: int = 1) -> Entry:
    body = [b"%d.%d" % (number, part) for part in range(operations)]
    event = Event(
        None,
        f"{number:026d}",
        0,
        None,
        tuple(Operation(RequestKind.V2, "person.event", one, b"id:1") for one in body),
    )
    record = StoredRecord("events", 0, number, b"")
    return Entry(record, LEDGER, number, event, 0, number, 0.0, operations)


def _flight(*entries: Entry) -> Flight:
    load = Load()
    for entry in entries:
        for operation in entry.event.operations:
            load.entries.append(entry)
            load.operations.append(operation)
    return Flight(load)


def _bodies(chunk: Chunk) -> list[bytes]:
    return [operation.body for operation in chunk.operations]


def test_halves_go_one_after_the_other_in_order_until_one_is_alone() -> None:
    flight = _flight(*(_entry(number) for number in range(5)))
    gone = []
    while flight.chunks:
        if len(flight.current.entries) > 1:
            flight.split()
        else:
            gone += _bodies(flight.chunks.pop())
    assert gone == [b"0.0", b"1.0", b"2.0", b"3.0", b"4.0"]


def test_halves_remember_how_often_their_operations_were_tried() -> None:
    flight = _flight(_entry(0), _entry(1))
    flight.current.attempts = 3
    flight.split()
    assert [chunk.attempts for chunk in flight.chunks] == [3, 3]


def test_what_is_not_kept_leaves_all_chunks_and_the_order_of_the_rest_stands() -> None:
    flight = _flight(*(_entry(number, 2) for number in range(4)))
    flight.split()
    flight.keep(lambda entry: entry.sequence != 1, unsent_only=False)
    assert [_bodies(chunk) for chunk in reversed(flight.chunks)] == [
        [b"0.0", b"0.1"],
        [b"2.0", b"2.1", b"3.0", b"3.1"],
    ]


def test_a_chunk_on_the_wire_is_left_as_it_was_sent() -> None:
    flight = _flight(*(_entry(number) for number in range(4)))
    flight.split()
    flight.request_id = 9
    flight.keep(lambda entry: entry.sequence % 2 == 1, unsent_only=True)
    assert [_bodies(chunk) for chunk in reversed(flight.chunks)] == [[b"0.0", b"1.0"], [b"3.0"]]


def test_chunks_left_empty_go() -> None:
    flight = _flight(*(_entry(number) for number in range(4)))
    flight.split()
    flight.keep(lambda entry: entry.sequence > 1, unsent_only=False)
    assert [_bodies(chunk) for chunk in flight.chunks] == [[b"2.0", b"3.0"]]
    flight.keep(lambda entry: False, unsent_only=False)
    assert flight.chunks == []


def test_an_operation_of_a_pair_stays_with_its_entry_across_a_split() -> None:
    flight = _flight(_entry(0), _entry(1, 2))
    flight.split()
    flight.chunks.pop()
    assert [entry.sequence for entry in flight.current.entries] == [1, 1]
    assert _bodies(flight.current) == [b"1.0", b"1.1"]
