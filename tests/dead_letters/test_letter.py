import pytest

from connector.dead_letters.letter import DeadLetter, Foreign, Origin, Place, read_letter
from connector.events.event import Reason
from connector.events.record import Headers, StoredRecord
from connector.kafka.dead_letter_record import Cut
from tests.dead_letters.letters import TIMESTAMP_MS, dead, letter, original

OWN_BUT_REPLAY: Headers = [
    ("region", b"eu"),
    ("twice", b"1"),
    ("twice", None),
    ("bytes", b"\xff\x00"),
    ("empty", b""),
]


def test_dead_letter_says_why_it_is_there_and_where_from() -> None:
    read = letter(reason=Reason.REJECTED, partition=3, offset=17)
    assert read.place == Place(3, 17)
    assert read.written_ms == TIMESTAMP_MS + 1000
    assert (read.reason, read.message, read.attempts) == ("rejected", "`event` is missing", 1)
    assert read.origin == Origin("events", 1, 5, TIMESTAMP_MS)
    assert read.truncated_bytes is None
    assert (str(read.place), str(read.origin)) == ("3:17", "events:1:5")


@pytest.mark.parametrize("value", [b"{}", b"", b"\xff", None])
def test_record_is_read_as_it_was(value: bytes | None) -> None:
    read = letter(original(value=value, key=None, headers=OWN_BUT_REPLAY))
    assert (read.key, read.value, read.headers) == (None, value, OWN_BUT_REPLAY)


def test_record_without_a_timestamp_has_none() -> None:
    assert letter(original(timestamp_ms=-1)).origin.timestamp_ms == -1


def test_value_that_was_cut_off_is_told_with_its_size() -> None:
    read = letter(original(value=b"x" * 1234, headers=[("a", b"1")]), cut=Cut.VALUE)
    assert (read.truncated_bytes, read.value, read.headers) == (1234, None, [("a", b"1")])


def test_record_from_another_dead_letter_topic_keeps_the_headers_it_came_with() -> None:
    first = dead(original(headers=[("a", b"1")], timestamp_ms=-1))
    second = letter(first, reason=Reason.POISON)
    assert second.reason == "poison"
    assert second.origin.topic == "events.dead-letters"
    assert second.headers == first.headers()


def test_second_set_of_headers_does_not_borrow_from_the_first() -> None:
    first = dead(original())
    again = StoredRecord("events.dead-letters", 0, 0, b"v", None, first.headers(), -1)
    assert letter(again).origin.timestamp_ms == -1


def test_headers_that_a_mirror_adds_behind_ours_are_kept() -> None:
    record = dead(original(headers=[("a", b"1")]))
    mirrored = StoredRecord("t", 0, 0, b"v", b"k", [*(record.headers() or []), ("mirror", b"m")])
    read = read_letter(mirrored)
    assert isinstance(read, DeadLetter)
    assert read.headers == [("a", b"1"), ("mirror", b"m")]


def test_letter_of_a_replayed_record_says_so() -> None:
    assert letter(original(headers=[("dead-letter.replay", b"1")])).replayed
    assert not letter().replayed


def header(name: str, value: bytes | None) -> Headers:
    """Headers of a dead letter with one of them changed."""
    return [(n, value if n == name else v) for n, v in dead().headers() or []]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("a", b"1")],
        [("dead-letter.reason", b"invalid")],
        [h for h in header("", b"") if h[0] != "dead-letter.reason"],
        header("dead-letter.topic", b""),
        header("dead-letter.topic", b"no topic"),
        header("dead-letter.topic", b"\xff"),
        header("dead-letter.topic", None),
        header("dead-letter.partition", b"-1"),
        header("dead-letter.partition", "١".encode()),
        header("dead-letter.offset", b"1e3"),
        header("dead-letter.offset", b"9" * 100),
        header("dead-letter.offset", None),
    ],
)
def test_record_whose_headers_are_not_ours_is_foreign(headers: Headers | None) -> None:
    read = read_letter(StoredRecord("t", 1, 2, b"v", b"k", headers, 7))
    assert read == Foreign(Place(1, 2), 7, b"k", b"v", headers or [])
