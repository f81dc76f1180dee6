"""The record that goes back onto its topic. Pure."""

from typing import NamedTuple

from connector.dead_letters.letter import DeadLetter, Origin
from connector.events.headers import REPLAY
from connector.events.record import Headers
from connector.events.ulid import is_ulid, ulid_from_place

_WITHOUT_PLACE = b"1"


class Outgoing(NamedTuple):
    """What is produced."""

    topic: str
    partition: int | None
    """Where the record stood, so that it comes behind the same person's others. None: the key decides."""
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    """That of the record, which is the event's where it has none of its own: an old identify must not win over a new
    one. -1: now."""

    @property
    def size_bytes(self) -> int:
        headers = sum([len(name.encode()) + len(value or b"") for name, value in self.headers])
        return len(self.key or b"") + len(self.value or b"") + headers


def replayed(letter: DeadLetter, cluster_id: str) -> Outgoing:
    """The record as it was, and the header that says it is here again."""
    assert letter.truncated_bytes is None, "a record whose value is gone cannot be put back"
    origin = letter.origin
    return Outgoing(
        topic=origin.topic,
        partition=origin.partition,
        key=letter.key,
        value=letter.value,
        headers=with_replay(letter.headers, origin, cluster_id),
        timestamp_ms=origin.timestamp_ms,
    )


def with_replay(headers: Headers, origin: Origin | None, cluster_id: str) -> Headers:
    """The headers, and `dead-letter.replay`: the ULID of the record's first place, which the header of an earlier
    replay already names. It stands in for an event id where there is none."""
    first = next((value for name, value in headers if name == REPLAY and _is_ulid(value)), None)
    if first is None:
        first = ulid_from_place(cluster_id, *origin).encode() if origin else _WITHOUT_PLACE
    return [*(header for header in headers if header[0] != REPLAY), (REPLAY, first)]


def _is_ulid(value: bytes | None) -> bool:
    return is_ulid((value or b"").decode("ascii", "replace"))
