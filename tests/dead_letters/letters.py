"""Dead letters as the connector writes them."""

from typing import cast

from connector.core.effects import WriteDeadLetter
from connector.dead_letters.letter import DeadLetter, read_letter
from connector.events.event import Reason
from connector.events.record import Headers, StoredRecord
from connector.kafka.dead_letter_record import Cut, letter_of

TIMESTAMP_MS = 1_700_000_000_123


def original(
    offset: int = 5,
    value: bytes | None = b'{"type":"track"}',
    key: bytes | None = b"42",
    headers: Headers | None = None,
    topic: str = "events",
    partition: int = 1,
    timestamp_ms: int = TIMESTAMP_MS,
) -> StoredRecord:
    """A record as it stood in the source topic."""
    return StoredRecord(topic, partition, offset, value, key, headers, timestamp_ms)


def dead(
    record: StoredRecord | None = None,
    reason: Reason = Reason.INVALID,
    cut: Cut = Cut.NOTHING,
    partition: int = 0,
    offset: int = 0,
    written_ms: int = TIMESTAMP_MS + 1000,
) -> StoredRecord:
    """Its dead letter, where it stands in the dead-letter topic."""
    letter = letter_of(
        WriteDeadLetter(1, original() if record is None else record, reason, "`event` is missing", 1), cut
    )
    return StoredRecord(
        "events.dead-letters", partition, offset, letter.value, letter.key, letter.headers, written_ms
    )


def letter(record: StoredRecord | None = None, **more: object) -> DeadLetter:
    """Its dead letter, read again."""
    read = read_letter(dead(record, **more))  # type: ignore[arg-type]
    assert isinstance(read, DeadLetter)
    return cast(DeadLetter, read)
