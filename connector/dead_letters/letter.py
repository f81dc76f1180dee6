"""A record of the dead-letter topic, read: why it is there, and the record that it was. Pure."""

import re
from typing import NamedTuple

from connector.events.headers import REPLAY
from connector.events.record import Headers, Record
from connector.kafka.dead_letter_record import (
    ATTEMPTS,
    MESSAGE,
    OFFSET,
    PARTITION,
    REASON,
    TIMESTAMP,
    TOPIC,
    TRUNCATED,
)

_OWN = frozenset((REASON, MESSAGE, TOPIC, PARTITION, OFFSET, TIMESTAMP, ATTEMPTS, TRUNCATED))
_TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class Place(NamedTuple):
    """Where a dead letter stands in the dead-letter topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


class Origin(NamedTuple):
    """Where the record stood. The timestamp tells it from another one at the same place, after a topic was
    recreated."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """-1: none."""

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


class DeadLetter(NamedTuple):
    """A dead letter of ours."""

    place: Place
    written_ms: int
    """-1: not known."""
    reason: str
    message: str
    origin: Origin
    attempts: int | None
    truncated_bytes: int | None
    """The size of a value that was too large to be kept. None: the record is whole."""
    key: bytes | None
    value: bytes | None
    headers: Headers
    """The record's own, as they were."""

    @property
    def replayed(self) -> bool:
        """It had been put back on its topic, and came here once more."""
        return any(name == REPLAY for name, _ in self.headers)


class Foreign(NamedTuple):
    """A record whose headers are not ours: somebody else wrote it. It is never replayed."""

    place: Place
    written_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def read_letter(record: Record) -> DeadLetter | Foreign:
    """What a record of the dead-letter topic is."""
    headers = record.headers() or []
    place = Place(record.partition() or 0, record.offset() or 0)
    written_ms = record.timestamp()[1]
    own, kept = _split(headers)
    origin = _origin(own)
    if origin is None:
        return Foreign(place, written_ms, record.key(), record.value(), headers)
    return DeadLetter(
        place=place,
        written_ms=written_ms,
        reason=_text(own[REASON]),
        message=_text(own.get(MESSAGE)),
        origin=origin,
        attempts=_number(own.get(ATTEMPTS)),
        truncated_bytes=(_number(own[TRUNCATED]) or 0) if TRUNCATED in own else None,
        key=record.key(),
        value=record.value(),
        headers=kept,
    )


def _split(headers: Headers) -> tuple[dict[str, bytes | None], Headers]:
    """Ours, which begin with the last reason, and the record's own. A record that was read from a dead-letter topic
    has such headers of its own, before ours."""
    begin = next((i for i in reversed(range(len(headers))) if headers[i][0] == REASON), len(headers))
    own = {name: value for name, value in headers[begin:] if name in _OWN}
    return own, [*headers[:begin], *(header for header in headers[begin:] if header[0] not in _OWN)]


def _origin(own: dict[str, bytes | None]) -> Origin | None:
    topic = _text(own.get(TOPIC))
    partition, offset = _number(own.get(PARTITION)), _number(own.get(OFFSET))
    if partition is None or offset is None or not _TOPIC_NAME.fullmatch(topic):
        return None
    timestamp_ms = _number(own.get(TIMESTAMP))
    return Origin(topic, partition, offset, -1 if timestamp_ms is None else timestamp_ms)


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _number(value: bytes | None) -> int | None:
    text = _text(value)
    return int(text) if _NUMBER.fullmatch(text) else None
