"""Operations that left their lanes together, until each has its answer.

A flight holds its lanes and a stack of chunks; one chunk is on the wire or waiting at a time, and the rest goes after
it, in order. A chunk that is refused whole is split in two, both halves go one after the other, and so on until the
culprit is alone. A retry sends the same operations in the same order, less those whose partition was revoked.
"""

from collections.abc import Callable

from connector.core.entry import Entry
from connector.core.lanes import Lane, Load
from connector.events.event import Operation


class Chunk:
    """Operations that go into one request, and how it has fared so far."""

    __slots__ = (
        "attempts",
        "entries",
        "failures_seen",
        "lonely_failures",
        "operations",
        "successes_seen",
        "unreadable",
    )

    def __init__(self, entries: list[Entry], operations: list[Operation], attempts: int = 0) -> None:
        assert len(entries) == len(operations)
        self.entries = entries
        self.operations = operations
        self.attempts = attempts
        """Requests made for these operations, bisected ones included."""
        self.lonely_failures = 0
        """Failures while others of its region succeeded: what tells poison from an outage."""
        self.successes_seen = 0
        self.failures_seen = 0
        """The region's successes and failures when it last failed, or was first sent."""
        self.unreadable = 0
        """207 answers that could not be attributed."""

    def halves(self) -> tuple["Chunk", "Chunk"]:
        """Split in two, in order."""
        middle = len(self.entries) // 2
        assert middle, "a single operation is not split"
        return (
            Chunk(self.entries[:middle], self.operations[:middle], self.attempts),
            Chunk(self.entries[middle:], self.operations[middle:], self.attempts),
        )

    def keep(self, keeps: Callable[[Entry], bool]) -> None:
        """Drop the operations of entries that are not kept."""
        kept = [place for place, entry in enumerate(self.entries) if keeps(entry)]
        if len(kept) < len(self.entries):
            self.entries = [self.entries[place] for place in kept]
            self.operations = [self.operations[place] for place in kept]


class Flight:
    """A load from some lanes to its last answer."""

    __slots__ = ("chunks", "due_at", "lanes", "request_id", "sequence")

    def __init__(self, load: Load) -> None:
        self.chunks = [Chunk(load.entries, load.operations)]
        """A stack: the last one is next, or on the wire."""
        self.lanes: list[Lane] = load.lanes
        self.sequence = load.entries[0].sequence
        """Its oldest entry's: flights that may go are sent in this order."""
        self.due_at = 0.0
        """When the next chunk may go."""
        self.request_id = 0
        """Of the request on the wire; 0: none."""

    @property
    def current(self) -> Chunk:
        """The chunk that is next, or on the wire."""
        return self.chunks[-1]

    def split(self) -> None:
        """Replace the current chunk by its halves."""
        first, second = self.chunks.pop().halves()
        self.chunks += (second, first)

    def keep(self, keeps: Callable[[Entry], bool], unsent_only: bool) -> None:
        """Drop entries from all chunks, or from those not on the wire; chunks left empty go."""
        current = self.chunks[-1] if unsent_only and self.request_id else None
        for chunk in self.chunks:
            if chunk is not current:
                chunk.keep(keeps)
        self.chunks = [chunk for chunk in self.chunks if chunk.entries or chunk is current]
