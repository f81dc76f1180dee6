"""A poll's records on their way in: decoded, told from duplicates, routed, and put in their lanes.

This is the hot path. What is done here is done for every event, so that what counts is the number of calls.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import lt
from typing import cast

from connector.core.admission import Admission, Arrival
from connector.core.buffer import Buffer, record_costs_bytes
from connector.core.dedup import Memory
from connector.core.effects import Dropped, Effect, TopicPartition, Trace
from connector.core.entry import Entry
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.region import Region
from connector.core.routing import Router, Unroutable
from connector.events.event import Decoded, Event, RequestKind
from connector.events.record import Record
from connector.events.ulid import conflict_ulid

_V2 = RequestKind.V2


_Way = tuple[list[Entry], dict[str, Entry], dict[str, int]]
"""Where an event of a region goes that needs no closer look: the poll's entries; and what is on its way, and accepted.
"""


class Intake:
    """Takes records in, a poll at a time."""

    def __init__(
        self,
        options: CoreOptions,
        router: Router,
        admission: Admission,
        memories: Mapping[str, Memory],
        buffer: Buffer,
        regions: Mapping[str, Region],
        emit: Callable[[Effect], None],
    ) -> None:
        self._router = router
        self._admission = admission
        self._decode = admission.decode
        self._memories = memories
        self._buffer = buffer
        self._regions = regions
        self._emit = emit
        self._ways = self._plain_ways(options.routing.default)
        """The region that an event names (None: none) -> where its entry goes, for whatever needs no closer look."""
        self._looks_ahead = options.routing.default not in regions and len(regions) < len(options.regions)
        """This group has nothing to do with records of others, however bad they are: the default region's group looks
        after those that can never be sent."""
        self._on_conflict = options.dedup.events.on_conflict
        self._sequence = 0

    def _plain_ways(self, default: str) -> dict[str | None, _Way]:
        ways: dict[str | None, _Way] = {
            name: (self._admission.fresh[name], memory.on_way, memory.window.digests)
            for name, memory in self._memories.items()
            if not memory.identifies.enabled
        }
        if self._router.trivial and default in ways:
            ways[None] = ways[default]
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
        for begin, end in _runs(records):
            own = [None if traces is None else traces.get(place) for place in range(begin, end)]
            ledger = self._ledger_of(records[begin], ledgers)
            if ledger is None:
                self.ignore(own)
            else:
                self._take(records[begin:end], ledger, now, own)
        anonymous_by_region = self._admission.fresh_anonymous
        for name, entries in self._admission.fresh.items():
            anonymous = anonymous_by_region[name]
            if entries or anonymous:
                self._regions[name].extend(entries, anonymous)
                entries.clear()
                anonymous.clear()

    def ignore(self, traces: Iterable[Trace | None]) -> None:
        """Records are not taken: their traces are given back."""
        for trace in traces:
            if trace is not None:
                self._emit(Dropped(trace))

    def _ledger_of(self, record: Record, ledgers: Mapping[TopicPartition, Ledger]) -> Ledger | None:
        """The ledger of a run of records, unless their partition takes no more part."""
        topic, partition = record.topic(), record.partition()
        assert topic is not None and partition is not None, "a record read from Kafka has its place"
        ledger = ledgers.get(TopicPartition(topic, partition))
        if ledger is None or not ledger.takes:
            return None
        ledger.checkpoint(record.timestamp()[1])
        return ledger

    def _take(
        self, run: Sequence[Record], ledger: Ledger, now: float, traces: Sequence[Trace | None]
    ) -> None:
        """Take records that one partition brought."""
        offsets = cast("list[int]", [record.offset() for record in run])
        if offsets[0] >= ledger.next_offset and all(map(lt, offsets, offsets[1:])):
            self._take_new(run, offsets, ledger, now, traces)
            return
        known = [record for record, offset in zip(run, offsets, strict=True) if offset < ledger.position]
        self._warm_up(known, ledger, now)
        for record, offset, trace in zip(run, offsets, traces, strict=True):
            if offset < ledger.next_offset:
                self.ignore((trace,))
            else:
                self._take_new((record,), (offset,), ledger, now, (trace,))

    def _take_new(
        self,
        run: Sequence[Record],
        offsets: Sequence[int],
        ledger: Ledger,
        now: float,
        traces: Sequence[Trace | None],
    ) -> None:
        """Take records that the ledger has not seen, offsets ascending: as many at a time as an earlier owner had
        finished, or had not."""
        begin = 0
        while begin < len(run) and ledger.takes:
            finished = ledger.was_finished(offsets[begin])
            end = len(run)
            if ledger.finished:
                border = ledger.finished[0]
                end = bisect_left(offsets, border.end if finished else border.start, begin)
            part = slice(begin, end)
            index = ledger.extend(offsets[part])
            if finished:
                for place in range(index, index + end - begin):
                    ledger.end(place)
                self._warm_up(run[part], ledger, now)
                self.ignore(traces[part])
            else:
                self._admit(run[part], ledger, index, now, traces[part])
            begin = end
        self.ignore(traces[begin:])

    def _warm_up(self, records: Iterable[Record], ledger: Ledger, now: float) -> None:
        """Records that an earlier run has ended: only their ids are of interest."""
        floor, passes = ledger.warm_up_floor, ledger.warm_up_passes
        wanted = [one for one in records if (one.offset() or 0) >= floor and one.offset() not in passes]
        for record, event in zip(wanted, self._decode.many(wanted, self._admission.cluster_id), strict=True):
            if type(event) is not Event:
                continue
            region = self._router.region(record, event)
            memory = self._memories.get(region) if type(region) is str else None
            if memory is None or event.ulid in memory.on_way:
                continue
            ulid, digest = event.ulid, event.digest
            if memory.window.digests.get(ulid, digest) != digest:
                if self._on_conflict != "send":
                    continue
                ulid = conflict_ulid(ulid, digest)
            memory.window.add((ulid,), (digest,), now)

    def _admit(
        self,
        run: Sequence[Record],
        ledger: Ledger,
        first_index: int,
        now: float,
        traces: Sequence[Trace | None],
    ) -> None:
        """Records that are new to this ledger, where they have their places already."""
        ways, region_of, sequence = self._ways, self._router.region, self._sequence
        self._sequence += len(run)
        taken = taken_bytes = 0
        for place, (record, event, cost_bytes, trace) in enumerate(
            zip(run, self._decoded(run), record_costs_bytes(run), traces, strict=True)
        ):
            named: str | Unroutable | None = None
            if type(event) is Event:
                named = event.region
                way = ways.get(named)
                if way is None:
                    named = region_of(record, event)
                    way = ways.get(named) if isinstance(named, str) else None
                if way is not None:
                    entries, on_way, accepted = way
                    ulid = event.ulid
                    if (
                        ulid not in on_way
                        and ulid not in accepted
                        and event.kind is _V2
                        and event.second is None
                    ):
                        # The way of nearly every event. All others take the longer one, which comes to the same.
                        cost_bytes += len(event.body)
                        taken += 1
                        taken_bytes += cost_bytes
                        entry = Entry(
                            record, ledger, first_index + place, event, cost_bytes, sequence + place, now, 1
                        )
                        if trace is not None:
                            entry.trace, entry.watched = trace, True
                        on_way[ulid] = entry
                        entries.append(entry)
                        continue
            arrival = Arrival(record, ledger, first_index + place, sequence + place, now, trace)
            self._admission.admit(arrival, event, named)
            if not ledger.takes:  # that was one dead letter too many
                ledger.cut(arrival.index + 1)
                self.ignore(traces[place + 1 :])
                break
        self._buffer.add(taken, taken_bytes)

    def _decoded(self, run: Sequence[Record]) -> Sequence[Decoded | str]:
        """What the records hold; the region alone where it is another group's and nothing else is of interest."""
        cluster_id = self._admission.cluster_id
        if not self._looks_ahead:
            return self._decode.many(run, cluster_id)
        regions, foretold = self._regions, self._router.foretold
        named = [foretold(record) for record in run]
        kept = [record for record, name in zip(run, named, strict=True) if name is None or name in regions]
        decoded = iter(self._decode.many(kept, cluster_id))
        return [next(decoded) if name is None or name in regions else name for name in named]


def _runs(records: Sequence[Record]) -> Iterator[tuple[int, int]]:
    """Where the records of one partition that were read one after the other begin and end."""
    begin = 0
    partition: int | None = None
    topic: str | None = None
    for place, record in enumerate(records):
        if record.partition() != partition or record.topic() != topic:
            if place:
                yield begin, place
            begin, partition, topic = place, record.partition(), record.topic()
    if records:
        yield begin, len(records)
