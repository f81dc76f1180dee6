"""What a dead letter looks like in Kafka. Pure."""

from enum import IntEnum
from typing import NamedTuple

from connector.core.effects import WriteDeadLetter
from connector.events.record import Headers
from connector.kafka.headers import encodable

REASON = "dead-letter.reason"
MESSAGE = "dead-letter.message"
TOPIC = "dead-letter.topic"
PARTITION = "dead-letter.partition"
OFFSET = "dead-letter.offset"
TIMESTAMP = "dead-letter.timestamp"
ATTEMPTS = "dead-letter.attempts"
TRUNCATED = "dead-letter.truncated"

MESSAGE_CHARACTERS_MAX = 2000


class Cut(IntEnum):
    """How much of the record is left out since the broker does not take it."""

    NOTHING = 0
    VALUE = 1
    ALL = 2
    """Key and headers too: the headers here still say where the record is."""


class Letter(NamedTuple):
    """What is produced."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def letter_of(letter: WriteDeadLetter, cut: Cut = Cut.NOTHING) -> Letter:
    """The record as it was, with headers that say why it is here and where it came from."""
    record = letter.record
    key, value = record.key(), record.value()
    own = dead_letter_headers(letter)
    if cut is Cut.NOTHING:
        return Letter(key, value, [*record_headers(letter), *own])
    own.append((TRUNCATED, _text(len(value or b""))))
    if cut is Cut.VALUE:
        return Letter(key, None, [*record_headers(letter), *own])
    return Letter(None, None, own)


def dead_letter_headers(letter: WriteDeadLetter) -> Headers:
    """Ours. They come behind the record's own, so the last of a name is the one that counts."""
    record = letter.record
    headers: Headers = [
        (REASON, letter.reason.value.encode()),
        (MESSAGE, _text(letter.message[:MESSAGE_CHARACTERS_MAX])),
        (TOPIC, _text(record.topic())),
        (PARTITION, _text(record.partition())),
        (OFFSET, _text(record.offset())),
        (ATTEMPTS, _text(letter.attempts)),
    ]
    milliseconds = record.timestamp()[1]
    if milliseconds >= 0:
        headers.append((TIMESTAMP, _text(milliseconds)))
    return headers


def record_headers(letter: WriteDeadLetter) -> Headers:
    """The record's own, unchanged; a name that cannot be produced is left out, which no record from Kafka has."""
    return [(name, value) for name, value in letter.record.headers() or () if encodable(name)]


def _text(value: object) -> bytes:
    return str(value).encode(errors="replace")
