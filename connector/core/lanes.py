"""Order: a person's operations stand in one lane, and a lane has at most one request in flight.

There are many more lanes than requests in flight, so that two people seldom share one. A batch takes whole idle lanes,
oldest head first, until it is full: light traffic makes few requests, a backlog fills all of them.

A merge concerns two people and stands in both lanes at once. It goes when it is at the head of both and both are idle,
alone of its lanes in that request; what follows in either waits for it. Both places were taken at one arrival, so
every wait points at an earlier arrival and no circle can form.
"""

from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

from connector.core.entry import Entry


class Lane:
    """One queue, and whether anything of it is in flight."""

    __slots__ = ("busy", "bytes", "listed", "number", "odd", "queue")

    def __init__(self, number: int) -> None:
        self.number = number
        self.queue: list[Entry] = []
        self.bytes = 0
        """Of the operations of what stands in the queue."""
        self.odd = 0
        """Entries in the queue that stand in two lanes, or have several operations."""
        self.busy = False
        self.listed = False
        """May be served: it is idle and has something to send."""

    def depart(self, count: int, count_bytes: int, odd: int) -> None:
        """So many from the head of the queue are on their way."""
        del self.queue[:count]
        self.bytes -= count_bytes
        self.odd -= odd
        self.busy = True


class Load:
    """What a request takes: entries and bodies of operations side by side (an entry with two stands there twice)."""

    __slots__ = ("bodies", "bytes", "entries", "lanes")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.bodies: list[bytes] = []
        self.lanes: list[Lane] = []
        self.bytes = 0
        """Of all bodies."""

    def keep_up(self) -> None:
        """Put the bodies beside the entries that came last, which have one each."""
        self.bodies += [entry.event.body for entry in self.entries[len(self.bodies) :]]


class Lanes:
    """All lanes of one kind of request in one region. `count` is a power of two."""

    __slots__ = ("_bits", "_lanes", "_listed", "_mask", "_sorted", "queued", "queued_bytes", "ready")

    def __init__(self, count: int) -> None:
        assert count & (count - 1) == 0, "a power of two"
        self._lanes = [Lane(number) for number in range(count)]
        self._mask = count - 1
        self._bits = self._mask.bit_length()
        self._listed: list[int] = []
        """A key for every lane that may be served: the sequence of its head, and in the last bits its number.

        Whole numbers in a list that is sorted when it is looked into: what arrives comes in order, and what is
        released comes many at a time, so that this is much cheaper than a heap."""
        self._sorted = True
        self.queued = 0
        """Entries that stand in lanes."""
        self.queued_bytes = 0
        """Bytes of their operations."""
        self.ready = 0
        """Entries that stand in lanes that may be served. A merge in their midst makes it an overestimate."""

    def lane_of(self, identifier: bytes) -> Lane:
        """The lane of an identifier: crc32, so that it is the same everywhere."""
        return self._lanes[crc32(identifier) & self._mask]

    def extend(self, entries: Sequence[Entry]) -> None:
        """Entries arrive, in order, each behind all others of its lane."""
        lanes, mask, bits, listed = self._lanes, self._mask, self._bits, self._listed
        arrived_bytes = ready = 0
        for entry in entries:
            event = entry.event
            lane = lanes[crc32(event.lane) & mask]
            queue = lane.queue
            queue.append(entry)
            size = len(event.body)
            if event.second is not None or event.lane_secondary:
                size = event.operations_bytes
                lane.odd += 1
            lane.bytes += size
            arrived_bytes += size
            if event.lane_secondary:
                self._stand_twice(entry, lane, size)
            elif lane.listed:
                ready += 1
            elif not lane.busy and len(queue) == 1:
                listed.append(entry.sequence << bits | lane.number)  # the highest: no other arrived later
                lane.listed = True
                ready += 1
        self.queued += len(entries)
        self.queued_bytes += arrived_bytes
        self.ready += ready

    def _stand_twice(self, entry: Entry, lane: Lane, size: int) -> None:
        """A merge, which stands in its first lane already, also takes its place in the second."""
        other = self.lane_of(entry.event.lane_secondary)
        if other is not lane:
            other.queue.append(entry)
            other.odd += 1
            other.bytes += size
            self.ready += other.listed
        self.ready += lane.listed
        self._list(lane)

    def fills(self, operations_max: int, bytes_max: int) -> bool:
        """Would a request taken now be full? Judged by the mean size of what is queued."""
        ready = self.ready
        return ready > 0 and (ready >= operations_max or ready * self.queued_bytes >= bytes_max * self.queued)

    def oldest_ready_at(self) -> float | None:
        """When the oldest entry that could be sent arrived; None: there is none."""
        in_order = self._in_order()
        return self._lanes[in_order[0] & self._mask].queue[0].arrived_at if in_order else None

    def take(self, operations_max: int, bytes_max: int) -> Load:
        """Take whole idle lanes, oldest head first. `bytes_max` is for bodies and the commas between them.

        The first record is taken even if its operations alone are more than that. Empty only if no lane is ready.
        """
        load = Load()
        room, room_bytes = operations_max, bytes_max + 1
        lanes, mask, entries, load_lanes = self._lanes, self._mask, load.entries, load.lanes
        in_order = self._in_order()
        served = whole = whole_bytes = 0
        for key in in_order:
            lane = lanes[key & mask]
            queue = lane.queue
            count = len(queue)
            if not lane.odd and count <= room and lane.bytes + count <= room_bytes:
                entries += queue
                load_lanes.append(lane)
                room -= count
                room_bytes -= lane.bytes + count
                whole += count
                whole_bytes += lane.bytes
                queue.clear()
                lane.bytes = 0
                lane.listed = False
                lane.busy = True
            else:
                before = len(entries)
                room, room_bytes = self._take_from(lane, load, room, room_bytes)
                if len(entries) == before:
                    break
            served += 1
        load.keep_up()
        load.bytes += whole_bytes
        del in_order[:served]
        self.ready -= whole
        self.queued -= whole
        self.queued_bytes -= whole_bytes
        return load

    def _in_order(self) -> list[int]:
        """Keys of the lanes that may be served, oldest head first."""
        if not self._sorted:
            self._listed.sort()
            self._sorted = True
        return self._listed

    def _take_from(self, lane: Lane, load: Load, room: int, room_bytes: int) -> tuple[int, int]:
        """Move what fits of a listed lane into the load. Nothing fits: the lane is left as it was."""
        load.keep_up()
        queue, entries, bodies = lane.queue, load.entries, load.bodies
        other: Lane | None = None
        taken_bytes = taken = odd = 0
        for entry in queue:
            event = entry.event
            own, size = event.operations, event.operations_bytes
            if (len(own) > room or size + len(own) > room_bytes) and entries:
                break
            if event.lane_secondary:
                other = self._other(entry, lane)
                if other is not None and taken:
                    other = None
                    break
            for operation in own:
                entries.append(entry)
                bodies.append(operation.body)
            room -= len(own)
            room_bytes -= size + len(own)
            odd += _is_odd(entry)
            taken += 1
            taken_bytes += size
            if other is not None:
                break
        if not taken:
            return 0, 0
        self.ready -= len(queue)
        self.queued -= taken
        self.queued_bytes -= taken_bytes
        load.bytes += taken_bytes
        load.lanes.append(lane)
        lane.listed = False
        lane.depart(taken, taken_bytes, odd)
        if other is not None:
            load.lanes.append(other)
            other.depart(1, taken_bytes, odd)
        return room, room_bytes

    def release(self, lanes: Sequence[Lane]) -> None:
        """Nothing of these lanes is in flight any more."""
        for lane in lanes:
            assert lane.busy, "a lane is released once"
            lane.busy = False
        for lane in lanes:
            if lane.queue:
                self._list(lane)

    def drop(self, dropped: Iterable[Entry]) -> None:
        """Take these entries out of their lanes, wherever they stand."""
        lanes: dict[int, set[int]] = {}
        for entry in dropped:
            self.queued -= 1
            self.queued_bytes -= entry.event.operations_bytes
            for identifier in (entry.event.lane, entry.event.lane_secondary):
                if identifier:
                    lanes.setdefault(self.lane_of(identifier).number, set()).add(entry.sequence)
        for number, sequences in lanes.items():
            lane = self._lanes[number]
            if lane.listed:
                self._unlist(lane)
            lane.queue = [entry for entry in lane.queue if entry.sequence not in sequences]
            lane.bytes = sum([entry.event.operations_bytes for entry in lane.queue])
            lane.odd = sum(map(_is_odd, lane.queue))
        for number in lanes:
            self._list(self._lanes[number])

    def __iter__(self) -> Iterator[Entry]:
        """Every entry that stands in a lane; a merge once."""
        for lane in self._lanes:
            for entry in lane.queue:
                if not entry.event.lane_secondary or self._primary(entry) is lane:
                    yield entry

    def _primary(self, entry: Entry) -> Lane:
        return self.lane_of(entry.event.lane)

    def _other(self, entry: Entry, lane: Lane) -> Lane | None:
        """The second lane that an entry stands in."""
        event = entry.event
        if not event.lane_secondary:
            return None
        primary, secondary = self.lane_of(event.lane), self.lane_of(event.lane_secondary)
        if primary is secondary:
            return None
        return secondary if primary is lane else primary

    def _list(self, lane: Lane) -> None:
        """A lane may be served if it is idle, and with a merge at its head if the other lane is ready for it too."""
        if lane.busy or lane.listed or not lane.queue:
            return
        head = lane.queue[0]
        if head.event.lane_secondary:
            other = self._other(head, lane)
            if other is not None and (other.busy or other.listed or other.queue[0] is not head):
                return
        self._listed.append(head.sequence << self._bits | lane.number)
        self._sorted = False
        lane.listed = True
        self.ready += len(lane.queue)

    def _unlist(self, lane: Lane) -> None:
        """A lane may not be served for now."""
        self._listed.remove(lane.queue[0].sequence << self._bits | lane.number)
        lane.listed = False
        self.ready -= len(lane.queue)


def _is_odd(entry: Entry) -> bool:
    return entry.event.second is not None or bool(entry.event.lane_secondary)
