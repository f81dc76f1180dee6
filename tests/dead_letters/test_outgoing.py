import pytest

from connector.dead_letters.letter import Origin
from connector.dead_letters.outgoing import Outgoing, replayed, with_replay
from connector.events.record import Headers
from connector.events.ulid import ulid_from_place
from connector.kafka.dead_letter_record import Cut
from tests.dead_letters.letters import TIMESTAMP_MS, letter, original

PLACE = ulid_from_place("cluster", "events", 1, 5, TIMESTAMP_MS).encode()


def test_record_goes_back_as_it_was_with_the_replay_header_alone() -> None:
    headers: Headers = [("b", b"1"), ("a", None), ("b", b"\xff")]
    record = original(headers=headers)
    assert replayed(letter(record), "cluster") == Outgoing(
        topic="events",
        partition=1,
        key=record.key(),
        value=record.value(),
        headers=[*headers, ("dead-letter.replay", PLACE)],
        timestamp_ms=TIMESTAMP_MS,
    )


def test_replay_header_is_the_ulid_that_decoding_gives_an_event_without_an_id() -> None:
    from connector.core.options import LanesOptions
    from connector.events.decode import Decoder
    from connector.events.event import Event
    from connector.events.options import EventOptions
    from connector.events.record import StoredRecord

    decode = Decoder(EventOptions(), LanesOptions().key)
    value = b'{"type":"track","userId":"1","event":"Order Completed"}'
    first = original(value=value)
    again = replayed(letter(first), "cluster")
    second = StoredRecord("events", 1, 99, again.value, again.key, again.headers, again.timestamp_ms)
    events = decode(first, "cluster"), decode(second, "cluster")
    assert isinstance(events[0], Event) and isinstance(events[1], Event)
    assert events[0].ulid == events[1].ulid
    assert events[1].replayed


def test_second_replay_keeps_the_ulid_of_the_first_place() -> None:
    earlier: Headers = [("dead-letter.replay", b"01ARZ3NDEKTSV4RRFFQ69G5FAV"), ("a", b"1")]
    again = replayed(letter(original(headers=earlier)), "cluster")
    assert again.headers == [("a", b"1"), earlier[0]]


@pytest.mark.parametrize("nonsense", [b"1", b"", None, b"\xff" * 26])
def test_replay_header_that_is_no_ulid_is_replaced(nonsense: bytes | None) -> None:
    origin = Origin("events", 1, 5, TIMESTAMP_MS)
    assert with_replay([("dead-letter.replay", nonsense)], origin, "cluster") == [
        ("dead-letter.replay", PLACE)
    ]


def test_record_without_a_place_is_marked_all_the_same() -> None:
    assert with_replay([], None, "cluster") == [("dead-letter.replay", b"1")]


def test_record_whose_value_is_gone_is_never_put_back() -> None:
    with pytest.raises(AssertionError):
        replayed(letter(cut=Cut.VALUE), "cluster")
