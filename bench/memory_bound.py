"""The memory that the connector may need, as docs/architecture.md says under Memory."""

from typing import NamedTuple

from connector.settings.groups import consumer_groups
from connector.settings.model import Settings

PROCESS_BYTES = 110_000_000
"""Before anything is read: Python, the libraries, librdkafka, telemetry."""
WINDOW_BYTES_AN_ENTRY = 320
IDENTIFIES_BYTES_A_PERSON = 600
LEDGER_BYTES_A_RECORD = 9


class MemoryBound(NamedTuple):
    """Bytes, part by part."""

    process: int
    buffer: int
    prefetch: int
    window: int
    identifies: int
    ledger: int
    bodies: int

    @property
    def total(self) -> int:
        return sum(self)


def memory_bound(settings: Settings, partitions: int, records: int) -> MemoryBound:
    """For a process that has all these partitions, and has read so many records in all at most."""
    groups, regions = len(consumer_groups(settings)), len(settings.regions)
    ids = min(records, settings.dedup.events.max_entries)
    people = min(records, settings.dedup.identifies.max_entries)
    span = min(records, partitions * settings.ledger.max_span)
    return MemoryBound(
        process=PROCESS_BYTES,
        buffer=settings.buffer.max_bytes,
        # A fetch on its way comes beside what is held ahead.
        prefetch=groups * settings.kafka.prefetch_bytes * 3 // 2,
        window=regions * ids * WINDOW_BYTES_AN_ENTRY,
        identifies=regions * people * IDENTIFIES_BYTES_A_PERSON,
        ledger=groups * span * LEDGER_BYTES_A_RECORD,
        bodies=regions * settings.delivery.concurrency * settings.batch.max_bytes,
    )
