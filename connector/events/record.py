"""What Kafka hands over: one record, seen through the methods of `confluent_kafka.Message`.

The shell passes Kafka's own message objects straight through, so that nothing is copied on the hot path; tests and
the command line pass a `StoredRecord`.
"""

from typing import NamedTuple, Protocol

Headers = list[tuple[str, bytes | None]]

TIMESTAMP_NONE = (0, -1)
"""(type, milliseconds) of a record without a timestamp."""


class Record(Protocol):
    """One Kafka record. `timestamp()` is (type, Unix milliseconds), -1 milliseconds meaning none; `len` is that of the
    value, 0 without one: so a record may be false, and is compared with None."""

    def __len__(self) -> int: ...
    def topic(self) -> str | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Headers | None: ...
    def timestamp(self) -> tuple[int, int]: ...


class _Fields(NamedTuple):
    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None
    headers: Headers | None
    timestamp_ms: int


class StoredRecord:
    """A record held as plain data, for tests, files and replays."""

    __slots__ = ("_fields",)

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        timestamp_ms: int = -1,
    ) -> None:
        self._fields = _Fields(topic, partition, offset, value, key, headers, timestamp_ms)

    def __len__(self) -> int:
        return len(self._fields.value or b"")

    def topic(self) -> str:
        return self._fields.topic

    def partition(self) -> int:
        return self._fields.partition

    def offset(self) -> int:
        return self._fields.offset

    def key(self) -> bytes | None:
        return self._fields.key

    def value(self) -> bytes | None:
        return self._fields.value

    def headers(self) -> Headers | None:
        return self._fields.headers

    def timestamp(self) -> tuple[int, int]:
        milliseconds = self._fields.timestamp_ms
        return TIMESTAMP_NONE if milliseconds < 0 else (1, milliseconds)
