"""Operations that left their lanes together, until each has its answer.

A flight holds its lanes and a stack of chunks; one chunk is on the wire or waiting at a time, and the rest goes after
it, in order. A chunk that is refused whole is split in two, and so on until the culprit is alone: between lanes into
two flights, within a lane into two chunks that go one after the other. A retry sends the same operations in the same
order, less those whose partition was revoked.
"""

from collections.abc import Callable

from connector.core.circuit import Circuit
from connector.core.effects import TopicPartition
from connector.core.entry import Entry
from connector.core.inputs import Retried
from connector.core.lanes import Lane

LaneOf = Callable[[bytes], Lane]
"""The lane of an identifier."""


class Chunk:
    """Operations that go into one request, and how it has fared so far."""

    __slots__ = (
        "accepted_seen",
        "attempts",
        "bodies",
        "entries",
        "evidence",
        "failures_seen",
        "proof",
        "successes_first_seen",
        "successes_seen",
        "tries",
        "unreadable",
    )

    def __init__(self, entries: list[Entry], bodies: list[bytes], attempts: int = 0) -> None:
        assert len(entries) == len(bodies)
        self.entries = entries
        self.bodies = bodies
        """Of the operations: an entry with two stands there twice."""
        self.attempts = attempts
        """Requests made for these operations, bisected ones included."""
        self.evidence = 0.0
        """What speaks for these operations being to blame, and not the destination: see `verdicts`."""
        self.proof = 0.0
        """The same by first attempts alone, which is slower and not misled by what others' retries come to."""
        self.successes_seen = 0
        self.successes_first_seen = 0
        self.accepted_seen = 0
        self.failures_seen = 0
        """The endpoint's successes, acceptances and first failures when it last failed, or was first sent."""
        self.tries = 0
        """Requests made for just these operations."""
        self.unreadable = 0
        """207 answers that could not be attributed."""

    def look_around(self, circuit: Circuit) -> None:
        """Remember how the endpoint is doing, to compare when it fails next."""
        self.successes_seen = circuit.successes_total
        self.successes_first_seen = circuit.successes_first
        self.accepted_seen = circuit.accepted_total
        self.failures_seen = circuit.failures_total

    def split_at(self, place: int) -> tuple["Chunk", "Chunk"]:
        """Split in two, in order."""
        assert 0 < place < len(self.entries), "neither part is empty"
        return (
            Chunk(self.entries[:place], self.bodies[:place], self.attempts),
            Chunk(self.entries[place:], self.bodies[place:], self.attempts),
        )

    def lane_boundary(self, lane_of: LaneOf) -> int | None:
        """The place nearest to the middle where one lane ends and another begins; None: it is all of one lane."""
        numbers = [lane_of(entry.event.lane).number for entry in self.entries]
        places = [place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1]]
        return min(places, key=lambda place: abs(place - len(numbers) // 2), default=None)

    def keep(self, keeps: Callable[[Entry], bool]) -> None:
        """Drop the operations of entries that are not kept."""
        kept = [place for place, entry in enumerate(self.entries) if keeps(entry)]
        if len(kept) < len(self.entries):
            self.entries = [self.entries[place] for place in kept]
            self.bodies = [self.bodies[place] for place in kept]


class Flight:
    """A load from some lanes to its last answer."""

    __slots__ = (
        "chunks",
        "due_at",
        "failed_at",
        "failing_since",
        "failing_why",
        "lanes",
        "request_id",
        "sequence",
        "tried_at",
    )

    def __init__(self, chunk: Chunk, lanes: list[Lane]) -> None:
        self.chunks = [chunk]
        """A stack: the last one is next, or on the wire."""
        self.lanes = lanes
        self.sequence = chunk.entries[0].sequence
        """Its oldest entry's, which is no other flight's."""
        self.due_at = 0.0
        """When the next chunk may go."""
        self.tried_at = float("-inf")
        """When it was last sent."""
        self.request_id = 0
        """Of the request on the wire; 0: none."""
        self.failing_since: float | None = None
        """When the first attempt failed of those that have failed since it last came on."""
        self.failed_at = float("-inf")
        """When the last of them did."""
        self.failing_why = ""

    @property
    def current(self) -> Chunk:
        """The chunk that is next, or on the wire."""
        return self.chunks[-1]

    def failed(self, why: str, now: float) -> None:
        """An attempt met a destination that cannot, or will not, now."""
        if self.failing_since is None:
            self.failing_since = now
        self.failed_at = now
        self.failing_why = why

    def came_on(self) -> None:
        """Something of it was settled."""
        self.failing_since = None

    def fails(self, healthy_since: float) -> bool:
        """Has it failed though its endpoint has been healthy since then?"""
        return self.failing_since is not None and self.failed_at > healthy_since

    def retried(self, healthy_since: float) -> Retried:
        """How it fails."""
        assert self.failing_since is not None, "it fails"
        chunk = self.current
        record = chunk.entries[0].record
        place = TopicPartition(record.topic() or "", record.partition() or 0)
        return Retried(
            place,
            record.offset() or 0,
            len(chunk.bodies),
            chunk.attempts,
            max(self.failing_since, healthy_since),
            self.failing_why,
        )

    def split(self, lane_of: LaneOf) -> "Flight | None":
        """Split the current chunk. Operations of other lanes become a flight of their own, which is returned, so that
        they need not wait for these; those of one lane go one part after the other."""
        chunk = self.chunks.pop()
        boundary = chunk.lane_boundary(lane_of)
        if boundary is None:
            first, second = chunk.split_at(len(chunk.entries) // 2)
            self.chunks += (second, first)
            return None
        assert not self.chunks, "only what is of one lane is stacked"
        first, second = chunk.split_at(boundary)
        self.chunks.append(first)
        events = [entry.event for entry in second.entries]
        others = {lane_of(event.lane).number for event in events}
        others |= {lane_of(event.lane_secondary).number for event in events if event.lane_secondary}
        other = Flight(second, [lane for lane in self.lanes if lane.number in others])
        other.failing_since, other.failed_at, other.failing_why = (
            self.failing_since,
            self.failed_at,
            self.failing_why,
        )
        self.lanes = [lane for lane in self.lanes if lane.number not in others]
        return other

    def keep(self, keeps: Callable[[Entry], bool], unsent_only: bool) -> None:
        """Drop entries from all chunks, or from those not on the wire; chunks left empty go."""
        current = self.chunks[-1] if unsent_only and self.request_id else None
        for chunk in self.chunks:
            if chunk is not current:
                chunk.keep(keeps)
        self.chunks = [chunk for chunk in self.chunks if chunk.entries or chunk is current]
