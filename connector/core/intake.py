"""A poll's records on their way in: decoded, told from duplicates, routed, and put in their lanes.

This is the hot path. What is done here is done for every event, so that what counts is the number of calls.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from connector.core.buffer import Buffer, cost_bytes_of
from connector.core.dedup import Memory
from connector.core.effects import Dropped, Effect, Noted, Outcome, TopicPartition, Trace
from connector.core.endings import Endings
from connector.core.entry import Entry, Waiter
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.region import Region
from connector.core.routing import Router, Unroutable
from connector.events.event import Decoded, Event, Reason, Rejection, RequestKind
from connector.events.record import Record
from connector.events.ulid import conflict_ulid

Decode = Callable[[Record, str, str], Decoded]
"""`decode(record, cluster_id, ulid)`: `ulid` is empty, or replaces the one that follows from the event id."""

_CONFLICT_NOTE_SECONDS = 60.0
_V2 = RequestKind.V2


class _Way(NamedTuple):
    """Where an event of a region goes that needs no closer look."""

    entries: list[Entry]
    on_way: dict[str, Entry]
    accepted: dict[str, int]


class Intake:
    """Takes records in, a poll at a time."""

    def __init__(
        self,
        options: CoreOptions,
        decode: Decode,
        router: Router,
        memories: Mapping[str, Memory],
        endings: Endings,
        buffer: Buffer,
        regions: Mapping[str, Region],
        emit: Callable[[Effect], None],
    ) -> None:
        self._decode = decode
        self._router = router
        self._memories = memories
        self._endings = endings
        self._buffer = buffer
        self._regions = regions
        """Those that this group serves; the others' records are filtered."""
        self._emit = emit
        self._default = options.routing.default
        self._fresh: dict[str, list[Entry]] = {name: [] for name in regions}
        self._fresh_anonymous: dict[str, list[Entry]] = {name: [] for name in regions}
        """This poll's new entries by region, in order of arrival: for batches, and anonymous ones."""
        self._plain = self._plain_ways()
        """The region that an event names (None: none) -> where its entry goes, for whatever needs no closer look."""
        self._looks_ahead = self._default not in regions and len(regions) < len(options.regions)
        """This group has nothing to do with records of others, however bad they are: the default region's group looks
        after those that can never be sent."""
        self._on_conflict = options.dedup.events.on_conflict
        self._sequence = 0
        self._conflict_noted_at = float("-inf")
        self.cluster_id = ""
        self.conflicts = 0

    def _plain_ways(self) -> dict[str | None, _Way]:
        ways: dict[str | None, _Way] = {
            name: _Way(self._fresh[name], memory.on_way, memory.window.digests)
            for name, memory in self._memories.items()
            if not memory.identifies.enabled
        }
        if self._router.trivial and self._default in ways:
            ways[None] = ways[self._default]
        return ways

    def receive(
        self,
        records: Sequence[Record],
        ledgers: Mapping[TopicPartition, Ledger],
        now: float,
        traces: Mapping[int, Trace] | None,
    ) -> None:
        """Take a poll's records, in the order in which they were read."""
        for memory in self._memories.values():
            memory.window.expire(now)
        decode, cluster_id, plain, region_of = self._decode, self.cluster_id, self._plain, self._router.region
        looks_ahead, foretold, regions = self._looks_ahead, self._router.foretold, self._regions
        sequence = self._sequence
        partition: int | None = None
        topic: str | None = None
        ledger: Ledger | None = None
        taken = taken_bytes = 0
        for place, record in enumerate(records):
            if record.partition() != partition or record.topic() != topic:
                partition, topic = record.partition(), record.topic()
                ledger = self._ledger_of(record, ledgers)
            trace = traces.get(place) if traces is not None else None
            if ledger is None:
                self._ignore(trace)
                continue
            offset = record.offset()
            assert offset is not None, "a record read from Kafka has its place"
            if offset < ledger.next_offset:
                if offset < ledger.position:
                    self._warm_up(record, offset, ledger, now)
                self._ignore(trace)
                continue
            index = ledger.append(offset)
            if ledger.finished and ledger.was_finished(offset):
                ledger.end(index)
                self._warm_up(record, offset, ledger, now)
                self._ignore(trace)
                continue
            if looks_ahead:
                elsewhere = foretold(record)
                if elsewhere is not None and elsewhere not in regions:
                    self._endings.at_once(ledger, index, Outcome.FILTERED, elsewhere, trace)
                    continue
            event = decode(record, cluster_id, "")
            if type(event) is not Event:
                self._without_event(record, event, ledger, index, trace)
                if not ledger.takes:  # that was one dead letter too many
                    ledger = None
                continue
            named = event.region if event.region in plain else region_of(record, event)
            if named in plain:
                ulid, operations = event.ulid, event.operations
                entries, on_way, accepted = plain[named]
                if ulid not in on_way and ulid not in accepted and operations[0].kind is _V2:
                    # The way of nearly every event. All others take the longer one, which comes to the same.
                    cost_bytes = cost_bytes_of(record, operations)
                    sequence += 1
                    taken += 1
                    taken_bytes += cost_bytes
                    entry = Entry(
                        record, ledger, index, event, cost_bytes, sequence, now, len(operations), None, trace
                    )
                    entry.watched = trace is not None or len(operations) > 1
                    on_way[ulid] = entry
                    entries.append(entry)
                    continue
            self._sequence = sequence
            self._admit(record, event, named, ledger, index, trace, now)
            sequence = self._sequence
            if not ledger.takes:  # that was one dead letter too many
                ledger = None
        self._sequence = sequence
        self._buffer.add(taken, taken_bytes)
        for name, entries in self._fresh.items():
            anonymous = self._fresh_anonymous[name]
            if entries or anonymous:
                self._regions[name].extend(entries, anonymous)
                entries.clear()
                anonymous.clear()

    def _ledger_of(self, record: Record, ledgers: Mapping[TopicPartition, Ledger]) -> Ledger | None:
        """The ledger of a run of records, unless their partition takes no more part."""
        topic, partition = record.topic(), record.partition()
        assert topic is not None and partition is not None, "a record read from Kafka has its place"
        ledger = ledgers.get(TopicPartition(topic, partition))
        if ledger is None or not ledger.takes:
            return None
        ledger.checkpoint(record.timestamp()[1])
        return ledger

    def ignore(self, traces: Mapping[int, Trace] | None) -> None:
        """A poll's records are not taken: their traces are given back."""
        for trace in (traces or {}).values():
            self._ignore(trace)

    def _ignore(self, trace: Trace | None) -> None:
        if trace is not None:
            self._emit(Dropped(trace))

    def _warm_up(self, record: Record, offset: int, ledger: Ledger, now: float) -> None:
        """A record that an earlier run has ended: only its id is of interest."""
        if offset < ledger.warm_up_floor or offset in ledger.warm_up_passes:
            return
        event = self._decode(record, self.cluster_id, "")
        if type(event) is not Event:
            return
        region = self._router.region(record, event)
        memory = self._memories.get(region) if type(region) is str else None
        if memory is None or event.ulid in memory.on_way:
            return
        ulid, digest = event.ulid, event.digest
        if memory.window.digests.get(ulid, digest) != digest:
            if self._on_conflict != "send":
                return
            ulid = conflict_ulid(ulid, digest)
        memory.window.add((ulid,), (digest,), now)

    def _admit(
        self,
        record: Record,
        event: Event,
        named: str | Unroutable | None,
        ledger: Ledger,
        index: int,
        trace: Trace | None,
        now: float,
    ) -> None:
        """An event whose region may be another group's, or that needs a closer look. `named`: None for the default."""
        if type(named) is Unroutable:
            self._reject(record, Reason.UNROUTABLE, named.message, ledger, index, trace)
            return
        region_name = str(named or self._default)
        region = self._regions.get(region_name)
        if region is None:
            self._endings.at_once(ledger, index, Outcome.FILTERED, region_name, trace, event)
            return
        memory = self._memories[region_name]
        known = _known(event, memory)
        if known is not None:
            self._known_before(record, event, known, ledger, index, region, trace, now)
            return
        if memory.identifies.enabled and self._unchanged(
            record, event, ledger, index, region_name, trace, now
        ):
            return
        self._enter(record, event, ledger, index, region, trace, now)

    def _enter(
        self,
        record: Record,
        event: Event,
        ledger: Ledger,
        index: int,
        region: Region,
        trace: Trace | None,
        now: float,
    ) -> None:
        """A new event: into its lane."""
        count = len(event.operations)
        cost_bytes = cost_bytes_of(record, event.operations)
        self._sequence += 1
        entry = Entry(
            record,
            ledger,
            index,
            event,
            cost_bytes,
            self._sequence,
            now,
            count,
            None,
            trace,
            None,
            trace is not None or count > 1,
        )
        memory = self._memories[region.name]
        memory.on_way[event.ulid] = entry
        if memory.identifies.enabled:
            memory.identifies.departs(entry)
        self._buffer.add(1, cost_bytes)
        fresh = self._fresh if event.operations[0].kind is _V2 else self._fresh_anonymous
        fresh[region.name].append(entry)

    def _known_before(
        self,
        record: Record,
        event: Event,
        known: Entry | int,
        ledger: Ledger,
        index: int,
        region: Region,
        trace: Trace | None,
        now: float,
    ) -> None:
        digest = known if isinstance(known, int) else known.digest_of(event.ulid)
        if digest != event.digest:
            self._conflict(record, event, ledger, index, region, trace, now)
            if isinstance(known, Entry) and self._on_conflict == "drop":
                ledger.dead_offsets.append(ledger.offset_at(index))  # or it would hide the other, read again
        elif isinstance(known, int):
            self._endings.at_once(ledger, index, Outcome.DUPLICATE, region.name, trace, event)
        else:
            self._hang(known, record, event, ledger, index, Outcome.DUPLICATE, trace)

    def _conflict(
        self,
        record: Record,
        event: Event,
        ledger: Ledger,
        index: int,
        region: Region,
        trace: Trace | None,
        now: float,
    ) -> None:
        """The same id with other content: an id that is not unique for each event would make Customer.io drop it."""
        self.conflicts += 1
        self._note_conflict(event, ledger, index, now)
        if self._on_conflict == "drop":
            self._endings.at_once(ledger, index, Outcome.DUPLICATE, region.name, trace, event)
            return
        if self._on_conflict == "dead_letter":
            message = "an event of the same id and other content came before"
            self._reject(record, Reason.CONFLICT, message, ledger, index, trace, region.name)
            return
        again = self._decode(record, self.cluster_id, conflict_ulid(event.ulid, event.digest))
        assert type(again) is Event, "it was decoded before"
        known = _known(again, self._memories[region.name])
        if known is None:
            self._enter(record, again, ledger, index, region, trace, now)
        elif isinstance(known, Entry):
            self._hang(known, record, again, ledger, index, Outcome.DUPLICATE, trace)
        else:
            self._endings.at_once(ledger, index, Outcome.DUPLICATE, region.name, trace, event)

    def _note_conflict(self, event: Event, ledger: Ledger, index: int, now: float) -> None:
        if now < self._conflict_noted_at + _CONFLICT_NOTE_SECONDS:
            return
        self._conflict_noted_at = now
        where = f"{ledger.partition.shown} offset {ledger.offset_at(index)}"
        self._emit(
            Noted(
                "warning",
                f"{where}: an event id came again with other content (dedup.events.on_conflict: "
                f"{self._on_conflict}); ids must be unique for each event. {self.conflicts} so far",
            )
        )

    def _unchanged(
        self,
        record: Record,
        event: Event,
        ledger: Ledger,
        index: int,
        region: str,
        trace: Trace | None,
        now: float,
    ) -> bool:
        """Is it an identify that says nothing new? Then it ends here, or with the one that says the same."""
        memory = self._memories[region]
        said = memory.identifies.unchanged(event, now)
        if said is True:
            memory.window.add((event.ulid,), (event.digest,), now)
            self._endings.at_once(ledger, index, Outcome.UNCHANGED, region, trace, event)
        elif isinstance(said, Entry):
            memory.on_way[event.ulid] = said
            self._hang(said, record, event, ledger, index, Outcome.UNCHANGED, trace)
        return said is not False

    def _hang(
        self,
        original: Entry,
        record: Record,
        event: Event,
        ledger: Ledger,
        index: int,
        outcome: Outcome,
        trace: Trace | None,
    ) -> None:
        cost_bytes = cost_bytes_of(record, event.operations)
        self._buffer.add(1, cost_bytes)
        original.hang(Waiter(record, ledger, index, event, cost_bytes, outcome, trace))

    def _without_event(
        self, record: Record, decoded: Decoded, ledger: Ledger, index: int, trace: Trace | None
    ) -> None:
        if isinstance(decoded, Rejection):
            self._reject(record, decoded.reason, decoded.message, ledger, index, trace)
        else:
            self._endings.at_once(ledger, index, Outcome.FILTERED, self._default, trace)

    def _reject(
        self,
        record: Record,
        reason: Reason,
        message: str,
        ledger: Ledger,
        index: int,
        trace: Trace | None,
        region: str = "",
    ) -> None:
        """What cannot be decoded or routed belongs to the default region's group, so that it is dead-lettered once."""
        region = region or self._default
        if region not in self._regions:
            self._endings.at_once(ledger, index, Outcome.FILTERED, region, trace)
            return
        cost_bytes = cost_bytes_of(record, ())
        self._endings.unsendable(record, ledger, index, reason, message, region, cost_bytes, trace)


def _known(event: Event, memory: Memory) -> Entry | int | None:
    """The entry on its way, or the digest of the accepted event, of the same id."""
    on_way = memory.on_way.get(event.ulid)
    if on_way is not None:
        return on_way
    return None if event.replayed else memory.window.digests.get(event.ulid)
