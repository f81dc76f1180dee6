from connector.core.effects import WriteDeadLetter
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka.dead_letter_record import MESSAGE_CHARACTERS_MAX, Cut, dead_letter_headers, letter_of

RECORD = StoredRecord(
    "events", 3, 17, b'{"a":1}', b"key", [("region", b"eu"), ("none", None), ("region", b"us")], 1234
)
LETTER = WriteDeadLetter(9, RECORD, Reason.REJECTED, "attributes.plan: too long", 2)


def test_record_is_as_it_was_and_ours_come_behind() -> None:
    letter = letter_of(LETTER)
    assert (letter.key, letter.value) == (b"key", b'{"a":1}')
    assert letter.headers[:3] == RECORD.headers()
    assert letter.headers[3:] == dead_letter_headers(LETTER)


def test_headers_say_why_and_where_from() -> None:
    assert dict(dead_letter_headers(LETTER)) == {
        "dead-letter.reason": b"rejected",
        "dead-letter.message": b"attributes.plan: too long",
        "dead-letter.topic": b"events",
        "dead-letter.partition": b"3",
        "dead-letter.offset": b"17",
        "dead-letter.attempts": b"2",
        "dead-letter.timestamp": b"1234",
    }


def test_record_without_timestamp_headers_or_value() -> None:
    bare = WriteDeadLetter(1, StoredRecord("t", 0, 0, None), Reason.EMPTY, "", 0)
    letter = letter_of(bare)
    assert (letter.key, letter.value) == (None, None)
    assert "dead-letter.timestamp" not in dict(letter.headers)


def test_dead_letter_that_became_one_again_tells_the_latest_last() -> None:
    record = StoredRecord("t", 0, 0, b"", None, [("dead-letter.reason", b"forged")])
    headers = letter_of(WriteDeadLetter(1, record, Reason.INVALID, "", 0)).headers
    assert [value for name, value in headers if name == "dead-letter.reason"] == [b"forged", b"invalid"]


def test_without_its_value_it_says_how_long_that_was() -> None:
    letter = letter_of(LETTER, Cut.VALUE)
    assert (letter.key, letter.value) == (b"key", None)
    assert letter.headers == [*letter_of(LETTER).headers, ("dead-letter.truncated", b"7")]


def test_even_without_key_and_headers_it_says_where_the_record_is() -> None:
    letter = letter_of(LETTER, Cut.ALL)
    assert (letter.key, letter.value) == (None, None)
    assert letter.headers == [*dead_letter_headers(LETTER), ("dead-letter.truncated", b"7")]


def test_message_is_bounded_and_always_encodable() -> None:
    endless = WriteDeadLetter(1, RECORD, Reason.INVALID, "\udcff" + "é" * 9999, 0)
    message = dict(dead_letter_headers(endless))["dead-letter.message"]
    assert message is not None
    assert len(message.decode()) == MESSAGE_CHARACTERS_MAX


def test_header_that_would_crash_the_producer_is_left_out() -> None:
    record = StoredRecord("t", 0, 0, b"", None, [("\udcff", b"1"), ("fine", b"2")])
    assert letter_of(WriteDeadLetter(1, record, Reason.INVALID, "", 0)).headers[0] == ("fine", b"2")
