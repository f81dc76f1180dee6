"""A record's ending: once, counted, told to the ledger, the dedup memory, the buffer and whoever waits for it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from connector.core.buffer import Buffer
from connector.core.dedup import Dedup
from connector.core.effects import Dropped, Effect, Ended, Outcome, Trace, WriteDeadLetter
from connector.core.entry import Entry, Waiter
from connector.core.identifies import IdentifyCache
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
        dedup: Dedup,
        identifies: IdentifyCache,
        buffer: Buffer,
        share: DeadLetterShareOptions | None,
        emit: Callable[[Effect], None],
    ) -> None:
        self._dedup = dedup
        self._identifies = identifies
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
        on_way = self._dedup.on_way
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
        self._dedup.window.add(ids, digests, now)
        self._buffer.free(len(ids), freed_bytes)
        self.counts[Outcome.ACCEPTED, region] += len(ids)

    def _ends_accepted(self, entry: Entry, region: str, now: float) -> bool:
        """One operation of a watched entry is accepted. False: the record does not end here."""
        entry.unsettled -= 1
        if entry.unsettled:
            return False
        if entry.rejection is not None:
            self._dead_letter_entry(entry, entry.rejection.reason, entry.rejection.message, 1, region)
            return False
        self._identifies.ended(entry, True, now)
        if entry.trace is not None:
            self._emit(_ended(entry.trace, Outcome.ACCEPTED, region, entry.event))
        self._end_waiters(entry, region, dead=False)
        return True

    def rejected(
        self, entry: Entry, reason: Reason, message: str, attempts: int, region: str, now: float
    ) -> None:
        """An operation of this entry can never be accepted; its record becomes a dead letter once all have answers."""
        self._identifies.ended(entry, False, now)
        entry.unsettled -= 1
        if entry.unsettled:
            entry.rejection = Rejection(reason, message)
            return
        if entry.rejection is not None:
            message = f"{entry.rejection.message}; {message}"
        self._dead_letter_entry(entry, reason, message, attempts, region)

    def _dead_letter_entry(
        self, entry: Entry, reason: Reason, message: str, attempts: int, region: str
    ) -> None:
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
        dead.append(index)
        newest = ledger.arrived
        while dead and dead[0] < newest - share.window_records:
            dead.popleft()
        seen = min(newest, share.window_records)
        if len(dead) >= share.min_records and len(dead) > share.max_share * seen and not ledger.stopped:
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
            del self._dedup.on_way[letter.entry.event.ulid]
            self._end_waiters(letter.entry, letter.region, dead=True)

    def _end_waiters(self, entry: Entry, region: str, dead: bool) -> None:
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

    def dropped(self, entry: Entry, now: float) -> bool:
        """The entry's partition is not ours any more. True: a duplicate of it has taken its place, and it stays.

        Otherwise its id is forgotten, or its redelivery would be taken for a duplicate and be lost.
        """
        ulid = entry.event.ulid
        self._buffer.free(1, entry.cost_bytes)
        if entry.trace is not None:
            self._emit(Dropped(entry.trace))
        del self._dedup.on_way[ulid]
        if entry.succeed():
            self._dedup.on_way[entry.event.ulid] = entry
            return True
        self._identifies.ended(entry, False, now)
        return False

    def drop_waiters(self) -> None:
        """Let go of every waiter whose partition is not ours any more."""
        for entry in self._dedup.on_way.values():
            if entry.waiters:
                for waiter in entry.waiters:
                    if not waiter.ledger.takes:
                        self._drop_waiter(waiter)
                entry.waiters = [waiter for waiter in entry.waiters if waiter.ledger.takes]

    def _drop_waiter(self, waiter: Waiter) -> None:
        self._buffer.free(1, waiter.cost_bytes)
        if waiter.trace is not None:
            self._emit(Dropped(waiter.trace))


def _ended(
    trace: Trace, outcome: Outcome, region: str, event: Event | None, reason: Reason | None = None
) -> Ended:
    if event is None:
        return Ended(trace, outcome, region, reason)
    return Ended(trace, outcome, region, reason, event.id or event.ulid, event.operations[0].action)
