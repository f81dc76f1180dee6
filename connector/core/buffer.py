"""What is held in memory without an ending, and how much more may be taken."""

from collections.abc import Sequence

from connector.core.inputs import NO_CREDIT, Credit
from connector.core.options import BufferOptions
from connector.events.event import Event
from connector.events.record import Record

RECORD_OVERHEAD_BYTES = 1_400
"""What a record costs besides its key, value and headers and the bodies of its operations: Kafka's message object, the
event, its ULID and identifiers, the entry and its places in lane, ledger and window. `tests/core/test_buffer.py`
measures 1,000; the rest is for what the allocator cannot use."""

HEADER_OVERHEAD_BYTES = 250
"""What each header costs besides its name and value."""


class Buffer:
    """Counts records and bytes. Once a bound is reached nothing is taken until both are down to half."""

    __slots__ = ("_bytes_max", "_full", "_records_max", "bytes", "records")

    def __init__(self, options: BufferOptions) -> None:
        self._bytes_max = options.max_bytes
        self._records_max = options.max_records
        self._full = False
        self.bytes = 0
        self.records = 0

    @property
    def full(self) -> bool:
        """Is nothing taken for now?"""
        return self.credit().records == 0

    def add(self, records: int, cost_bytes: int) -> None:
        """These were taken."""
        self.records += records
        self.bytes += cost_bytes

    def free(self, records: int, cost_bytes: int) -> None:
        """These have their ending, or were dropped."""
        self.records -= records
        self.bytes -= cost_bytes
        assert self.records >= 0 and self.bytes >= 0, "a record is freed once"

    def credit(self) -> Credit:
        """How much more may be taken now."""
        if self._full:
            self._full = self.records * 2 > self._records_max or self.bytes * 2 > self._bytes_max
        else:
            self._full = self.records >= self._records_max or self.bytes >= self._bytes_max
        if self._full:
            return NO_CREDIT
        return Credit(self._records_max - self.records, self._bytes_max - self.bytes)


def cost_bytes_of(record: Record, event: Event | None) -> int:
    """What a record counts towards the buffer; without an event where it never becomes one."""
    return record_costs_bytes((record,))[0] + (0 if event is None else event.operations_bytes)


def record_costs_bytes(records: Sequence[Record]) -> list[int]:
    """The same of each of these records, without their operations."""
    sizes = [len(record) + len(record.key() or b"") + RECORD_OVERHEAD_BYTES for record in records]
    headers = [record.headers() for record in records]
    if any(headers):
        return [size + _headers_bytes(named or ()) for size, named in zip(sizes, headers, strict=True)]
    return sizes


def _headers_bytes(headers: Sequence[tuple[str, bytes | None]]) -> int:
    return sum([len(name) + len(value or b"") + HEADER_OVERHEAD_BYTES for name, value in headers])
