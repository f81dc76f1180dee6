"""A record's ending: once, counted, told to the ledger, the dedup memory, the buffer and whoever waits for it."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from connector.core.buffer import Buffer
from connector.core.dedup import Memory
from connector.core.effects import Dropped, Effect, Ended, Outcome, Trace, WriteDeadLetter
from connector.core.entry import Entry, Waiter
from connector.core.ledger import Ledger
from connector.core.options import DeadLetterShareOptions
from connector.events.event import Event, Reason, Rejection
from connector.events.record import Record

_DECODED_AGAIN = frozenset((Reason.UNDECODABLE, Reason.EMPTY, Reason.INVALID, Reason.TOO_LARGE))
"""Reasons that warm-up finds by itself, because they follow from the record alone."""


class _Letter(msgspec.Struct, frozen=True):
    """A dead letter that Kafka has not acknowledged."""

    ledger: Ledger
    index: int
    reason: Reason
    region: str
    cost_bytes: int
    trace: Trace | None
    entry: Entry | None
    """None: the record never became an event."""


class Endings:
    """Where every record ends."""

    def __init__(
        self,
        memories: Mapping[str, Memory],
        buffer: Buffer,
        share: DeadLetterShareOptions | None,
        emit: Callable[[Effect], None],
    ) -> None:
        self._memories = memories
        self._buffer = buffer
        self._share = share
        """None: not watched."""
        self._emit = emit
        self._letters: dict[int, _Letter] = {}
        self._letter_id = 0
        self.counts: Counter[tuple[str, str]] = Counter()
        """(outcome, region) -> records."""
        self.dead_letters: Counter[str] = Counter()
        """reason -> dead letters acknowledged."""
        self.overrun: list[Ledger] = []
        """Partitions whose share of dead letters has just gone beyond its limit."""

    @property
    def letters_pending(self) -> int:
        """Dead letters that Kafka has not acknowledged."""
        return len(self._letters)

    def pending_of(self, ledgers: Iterable[Ledger]) -> bool:
        """Is a dead letter of one of these partitions still unacknowledged?"""
        wanted = set(map(id, ledgers))
        return any(id(letter.ledger) in wanted for letter in self._letters.values())

    def at_once(
        self,
        ledger: Ledger,
        index: int,
        outcome: Outcome,
        region: str,
        trace: Trace | None,
        event: Event | None = None,
    ) -> None:
        """A record that was never buffered ends as it arrives."""
        ledger.end(index)
        self.counts[outcome, region] += 1
        if trace is not None:
            self._emit(_ended(trace, outcome, region, event))

    def accepted(self, entries: Sequence[Entry], region: str, now: float) -> None:
        """Customer.io has accepted these operations."""
        memory = self._memories[region]
        on_way = memory.on_way
        ids: list[str] = []
        digests: list[int] = []
        freed_bytes = 0
        for entry in entries:
            if entry.watched and not self._ends_accepted(entry, region, now):
                continue
            ledger = entry.ledger
            if ledger.live:
                ledger.flags[entry.index - ledger.trimmed] = 1
            event = entry.event
            ids.append(event.ulid)
            digests.append(event.digest)
            del on_way[event.ulid]
            freed_bytes += entry.cost_bytes
        memory.window.add(ids, digests, now)
        self._buffer.free(len(ids), freed_bytes)
        self.counts[Outcome.ACCEPTED, region] += len(ids)

    def _ends_accepted(self, entry: Entry, region: str, now: float) -> bool:
        """One operation of a watched entry is accepted. False: the record does not end here."""
        entry.unsettled -= 1
        if entry.unsettled:
            return False
        if entry.rejection is not None:
            rejection = entry.rejection
            self._dead_letter_entry(entry, rejection.reason, rejection.message, entry.attempts, region)
            return False
        self._memories[region].identifies.ended(entry, True, now)
        if entry.trace is not None:
            self._emit(_ended(entry.trace, Outcome.ACCEPTED, region, entry.event))
        self._end_waiters(entry, region, now, dead=False)
        return True

    def rejected(
        self, entry: Entry, reason: Reason, message: str, attempts: int, region: str, now: float
    ) -> None:
        """An operation of this entry can never be accepted; its record becomes a dead letter once all have answers."""
        self._memories[region].identifies.ended(entry, False, now)
        entry.unsettled -= 1
        if entry.unsettled:
            entry.rejection, entry.attempts = Rejection(reason, message), attempts
            return
        if entry.rejection is not None:
            message = f"{entry.rejection.message}; {message}"
        self._dead_letter_entry(entry, reason, message, attempts, region)

    def _dead_letter_entry(
        self, entry: Entry, reason: Reason, message: str, attempts: int, region: str
    ) -> None:
        if entry.ledger.overrun and not entry.waiters:
            del self._memories[region].on_way[entry.event.ulid]
            self._buffer.free(1, entry.cost_bytes)
            if entry.trace is not None:
                self._emit(Dropped(entry.trace))
            return
        letter = _Letter(entry.ledger, entry.index, reason, region, entry.cost_bytes, entry.trace, entry)
        self._write(letter, entry.record, message, attempts)

    def unsendable(
        self,
        record: Record,
        ledger: Ledger,
        index: int,
        reason: Reason,
        message: str,
        region: str,
        cost_bytes: int,
        trace: Trace | None,
    ) -> None:
        """A record that never becomes an operation. It counts towards the buffer until Kafka has its dead letter."""
        self._buffer.add(1, cost_bytes)
        self._write(_Letter(ledger, index, reason, region, cost_bytes, trace, None), record, message, 0)

    def _write(self, letter: _Letter, record: Record, message: str, attempts: int) -> None:
        self._letter_id += 1
        self._letters[self._letter_id] = letter
        self._emit(WriteDeadLetter(self._letter_id, record, letter.reason, message, attempts))
        if letter.ledger.live:
            self._watch_share(letter.ledger, letter.index)

    def _watch_share(self, ledger: Ledger, index: int) -> None:
        """More than the allowed share of a partition's last records means that the input as a whole is bad."""
        dead, share = ledger.dead_indexes, self._share
        if share is None:
            return
        insort(dead, index)  # answers come late and by lane, so not in order
        window = share.window_records
        # Nothing will come near these any more.
        del dead[: bisect_left(dead, ledger.trimmed + ledger.mark - window)]
        place = bisect_left(dead, index)
        before = place + 1 - bisect_right(dead, index - window)
        behind = bisect_left(dead, index + window) - place
        spans = ((before, index + 1), (behind, window))
        too_many = any(
            count >= share.min_records and count > share.max_share * min(window, span)
            for count, span in spans
        )
        if too_many and not ledger.overrun:
            ledger.overrun, ledger.takes = True, False
            self.overrun.append(ledger)

    def dead_letter_written(self, letter_id: int, now: float) -> None:
        """Kafka has acknowledged a dead letter: the record has its ending."""
        letter = self._letters.pop(letter_id, None)
        if letter is None:
            return
        self._buffer.free(1, letter.cost_bytes)
        self.counts[Outcome.DEAD_LETTERED, letter.region] += 1
        self.dead_letters[letter.reason] += 1
        if letter.ledger.live:
            letter.ledger.end(letter.index)
            if letter.reason not in _DECODED_AGAIN:
                letter.ledger.dead_offsets.append(letter.ledger.offset_at(letter.index))
        if letter.trace is not None:
            event = None if letter.entry is None else letter.entry.event
            self._emit(_ended(letter.trace, Outcome.DEAD_LETTERED, letter.region, event, letter.reason))
        if letter.entry is not None:
            del self._memories[letter.region].on_way[letter.entry.event.ulid]
            self._end_waiters(letter.entry, letter.region, now, dead=True)

    def let_go_letters(self) -> None:
        """Dead letters without an acknowledgement are awaited no longer: whoever reads their records next writes
        them again."""
        letters, self._letters = self._letters, {}
        for letter in letters.values():
            self._buffer.free(1, letter.cost_bytes)
            if letter.trace is not None:
                self._emit(Dropped(letter.trace))

    def _end_waiters(self, entry: Entry, region: str, now: float, dead: bool) -> None:
        """Whoever hangs on this entry ends with it."""
        waiters, entry.waiters = entry.waiters, None
        for waiter in waiters or ():
            self._buffer.free(1, waiter.cost_bytes)
            self.counts[waiter.outcome, region] += 1
            if waiter.ledger.live:
                waiter.ledger.end(waiter.index)
                if dead:
                    waiter.ledger.dead_offsets.append(waiter.ledger.offset_at(waiter.index))
            if waiter.trace is not None:
                self._emit(_ended(waiter.trace, waiter.outcome, region, waiter.event))
            if _forget(self._memories[region], waiter, entry) and not dead:
                self._memories[region].window.add((waiter.event.ulid,), (waiter.event.digest,), now)

    def dropped(self, entry: Entry, region: str, now: float) -> bool:
        """The entry's partition is not ours any more. True: a duplicate of it has taken its place, and it stays.

        Otherwise its id is forgotten, or its redelivery would be taken for a duplicate and be lost.
        """
        memory = self._memories[region]
        self._buffer.free(1, entry.cost_bytes)
        if entry.trace is not None:
            self._emit(Dropped(entry.trace))
        del memory.on_way[entry.event.ulid]
        if entry.succeed():
            memory.on_way[entry.event.ulid] = entry
            return True
        memory.identifies.ended(entry, False, now)
        return False

    def drop_waiters(self) -> None:
        """Let go of every waiter whose partition is not ours any more."""
        for memory in self._memories.values():
            for entry in [entry for entry in memory.on_way.values() if entry.waiters]:
                gone = [waiter for waiter in entry.waiters or () if not waiter.ledger.takes]
                entry.waiters = [waiter for waiter in entry.waiters or () if waiter.ledger.takes]
                for waiter in gone:
                    self._drop_waiter(waiter)
                    _forget(memory, waiter, entry)

    def _drop_waiter(self, waiter: Waiter) -> None:
        self._buffer.free(1, waiter.cost_bytes)
        if waiter.trace is not None:
            self._emit(Dropped(waiter.trace))


def _ended(
    trace: Trace, outcome: Outcome, region: str, event: Event | None, reason: Reason | None = None
) -> Ended:
    if event is None:
        return Ended(trace, outcome, region, reason)
    return Ended(trace, outcome, region, reason, event.id or event.ulid, event.action)


def _forget(memory: Memory, waiter: Waiter, entry: Entry) -> bool:
    """The id of a waiter that has one of its own (a skipped identify) is no longer on its way. Whether it had one."""
    ulid = waiter.event.ulid
    if ulid == entry.event.ulid or memory.on_way.get(ulid) is not entry:
        return False
    if any(other.event.ulid == ulid for other in entry.waiters or ()):
        return False
    del memory.on_way[ulid]
    return True
