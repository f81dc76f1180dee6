"""Records that need a closer look on their way in: of an id that came before, of a region that is another group's or
must be found out, identifies that may say nothing new, anonymous events, and what can never be sent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from connector.core.buffer import Buffer, cost_bytes_of
from connector.core.dedup import Memory
from connector.core.effects import Effect, Noted, Outcome, Trace
from connector.core.endings import Endings
from connector.core.entry import Entry, Waiter
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.region import Region
from connector.core.routing import Unroutable
from connector.events.event import Decoded, Event, Reason, Rejection, RequestKind, Tombstone
from connector.events.record import Record
from connector.events.ulid import conflict_ulid

_CONFLICT_NOTE_SECONDS = 60.0
_V2 = RequestKind.V2


class Decode(Protocol):
    """What turns records into events. Pure, and total."""

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Decoded:
        """`ulid` is empty, or replaces the one that follows from the event id."""
        ...

    def many(self, records: Sequence[Record], cluster_id: str) -> Sequence[Decoded]:
        """The same of each of these records."""
        ...


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A record that has its place in the ledger, and nothing else so far."""

    record: Record
    ledger: Ledger
    index: int
    sequence: int
    """Its place among all records."""
    at: float
    trace: Trace | None


class Admission:
    """Decides about one record at a time."""

    def __init__(
        self,
        options: CoreOptions,
        decode: Decode,
        memories: Mapping[str, Memory],
        endings: Endings,
        buffer: Buffer,
        regions: Mapping[str, Region],
        emit: Callable[[Effect], None],
    ) -> None:
        self.decode = decode
        self._memories = memories
        self._endings = endings
        self._buffer = buffer
        self._regions = regions
        """Those that this group serves; the others' records are filtered."""
        self._emit = emit
        self._default = options.routing.default
        self._on_conflict = options.dedup.events.on_conflict
        self._conflict_noted_at = float("-inf")
        self.fresh: dict[str, list[Entry]] = {name: [] for name in regions}
        self.fresh_anonymous: dict[str, list[Entry]] = {name: [] for name in regions}
        """This poll's new entries by region, in order of arrival: for batches, and anonymous ones."""
        self.cluster_id = ""
        self.conflicts = 0

    def admit(self, arrival: Arrival, decoded: Decoded | str, named: str | Unroutable | None) -> None:
        """Put an event in its lane; else the record ends here, or with another one, or as a dead letter.

        `named`: the event's region, None for the default. `decoded` is a region where the record is another group's
        and nothing else is of interest.
        """
        if isinstance(decoded, str):
            self._end(arrival, Outcome.FILTERED, decoded)
        elif isinstance(decoded, Rejection):
            self._reject(arrival, decoded.reason, decoded.message)
        elif isinstance(decoded, Tombstone):
            self._end(arrival, Outcome.FILTERED, self._default)
        elif isinstance(named, Unroutable):
            self._reject(arrival, Reason.UNROUTABLE, named.message)
        else:
            self._admit_to(named or self._default, arrival, decoded)

    def _admit_to(self, region_name: str, arrival: Arrival, event: Event) -> None:
        region = self._regions.get(region_name)
        if region is None:
            self._end(arrival, Outcome.FILTERED, region_name, event)
            return
        known = _known(event, self._memories[region_name])
        if known is not None:
            self._known_before(arrival, event, known, region)
        elif not self._unchanged(arrival, event, region):
            self._enter(arrival, event, region)

    def _end(self, arrival: Arrival, outcome: Outcome, region: str, event: Event | None = None) -> None:
        self._endings.at_once(arrival.ledger, arrival.index, outcome, region, arrival.trace, event)

    def _enter(self, arrival: Arrival, event: Event, region: Region) -> None:
        """A new event: into its lane."""
        count = 1 if event.second is None else 2
        cost_bytes = cost_bytes_of(arrival.record, event)
        entry = Entry(
            arrival.record,
            arrival.ledger,
            arrival.index,
            event,
            cost_bytes,
            arrival.sequence,
            arrival.at,
            count,
            trace=arrival.trace,
            watched=arrival.trace is not None or count > 1,
        )
        memory = self._memories[region.name]
        memory.on_way[event.ulid] = entry
        if memory.identifies.enabled:
            memory.identifies.departs(entry)
        self._buffer.add(1, cost_bytes)
        fresh = self.fresh if event.kind is _V2 else self.fresh_anonymous
        fresh[region.name].append(entry)

    def _known_before(self, arrival: Arrival, event: Event, known: Entry | int, region: Region) -> None:
        digest = known if isinstance(known, int) else known.digest_of(event.ulid)
        ledger = arrival.ledger
        if digest != event.digest:
            self._conflict(arrival, event, region)
            if isinstance(known, Entry) and self._on_conflict == "drop":
                # Or it would hide the other, read again.
                ledger.dead_offsets.append(ledger.offset_at(arrival.index))
        elif isinstance(known, int):
            self._end(arrival, Outcome.DUPLICATE, region.name, event)
        else:
            self._hang(arrival, event, known, Outcome.DUPLICATE)

    def _conflict(self, arrival: Arrival, event: Event, region: Region) -> None:
        """The same id with other content: an id that is not unique for each event would make Customer.io drop it."""
        self.conflicts += 1
        self._note_conflict(arrival)
        if self._on_conflict == "drop":
            self._end(arrival, Outcome.DUPLICATE, region.name, event)
            return
        if self._on_conflict == "dead_letter":
            message = "an event of the same id and other content came before"
            self._reject(arrival, Reason.CONFLICT, message, region.name)
            return
        again = self.decode(arrival.record, self.cluster_id, conflict_ulid(event.ulid, event.digest))
        assert type(again) is Event, "it was decoded before"
        known = _known(again, self._memories[region.name])
        if known is None:
            self._enter(arrival, again, region)
        elif isinstance(known, Entry):
            self._hang(arrival, again, known, Outcome.DUPLICATE)
        else:
            self._end(arrival, Outcome.DUPLICATE, region.name, event)

    def _note_conflict(self, arrival: Arrival) -> None:
        if arrival.at < self._conflict_noted_at + _CONFLICT_NOTE_SECONDS:
            return
        self._conflict_noted_at = arrival.at
        where = f"{arrival.ledger.partition.shown} offset {arrival.ledger.offset_at(arrival.index)}"
        self._emit(
            Noted(
                "warning",
                f"{where}: an event id came again with other content (dedup.events.on_conflict: "
                f"{self._on_conflict}); ids must be unique for each event. {self.conflicts} so far",
            )
        )

    def _unchanged(self, arrival: Arrival, event: Event, region: Region) -> bool:
        """Is it an identify that says nothing new? Then it ends here, or with the one that says the same."""
        memory = self._memories[region.name]
        if not memory.identifies.enabled:
            return False
        said = memory.identifies.unchanged(event, arrival.at)
        if said is True:
            memory.window.add((event.ulid,), (event.digest,), arrival.at)
            self._end(arrival, Outcome.UNCHANGED, region.name, event)
        elif isinstance(said, Entry):
            memory.on_way[event.ulid] = said
            self._hang(arrival, event, said, Outcome.UNCHANGED)
        return said is not False

    def _hang(self, arrival: Arrival, event: Event, original: Entry, outcome: Outcome) -> None:
        cost_bytes = cost_bytes_of(arrival.record, event)
        self._buffer.add(1, cost_bytes)
        original.hang(
            Waiter(arrival.record, arrival.ledger, arrival.index, event, cost_bytes, outcome, arrival.trace)
        )

    def _reject(self, arrival: Arrival, reason: Reason, message: str, region: str = "") -> None:
        """What cannot be decoded or routed belongs to the default region's group, so that it is dead-lettered once."""
        region = region or self._default
        if region not in self._regions:
            self._end(arrival, Outcome.FILTERED, region)
            return
        cost_bytes = cost_bytes_of(arrival.record, None)
        self._endings.unsendable(
            arrival.record,
            arrival.ledger,
            arrival.index,
            reason,
            message,
            region,
            cost_bytes,
            arrival.trace,
        )


def _known(event: Event, memory: Memory) -> Entry | int | None:
    """The entry on its way, or the digest of the accepted event, of the same id."""
    on_way = memory.on_way.get(event.ulid)
    if on_way is not None:
        return on_way
    return None if event.replayed else memory.window.digests.get(event.ulid)
