"""One region's delivery: what is sent when, and what each answer leads to."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from connector.core.answers import Answer, Unavailable
from connector.core.backoff import Backoff
from connector.core.channel import Channel, anonymous_channel, batch_channel
from connector.core.circuit import Circuit
from connector.core.effects import Cancel, Effect, Noted, RegionChanged, RegionState, Send, Trace
from connector.core.endings import Endings
from connector.core.entry import Entry
from connector.core.flight import Flight
from connector.core.inputs import RegionSnapshot, Retried
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.token_bucket import TokenBucket
from connector.core.verdicts import Verdicts

_RETRIED_TOLD_MAX = 10
_STUCK_SECONDS = 60.0
"""A request that has failed for longer is worth a line in the log."""
_STUCK_NOTE_SECONDS = 300.0


class _Wire:
    """A request that has no answer yet."""

    __slots__ = ("channel", "flight", "sent_at")

    def __init__(self, flight: Flight, channel: Channel, sent_at: float) -> None:
        self.flight = flight
        self.channel = channel
        self.sent_at = sent_at


_Waiting = tuple[Flight, Channel]
"""A flight between two attempts."""


class Region:
    """Lanes, flights and circuit of one region."""

    def __init__(
        self,
        name: str,
        options: CoreOptions,
        endings: Endings,
        emit: Callable[[Effect], None],
        request_ids: Callable[[], int],
        random: Callable[[], float],
        now: float,
    ) -> None:
        delivery = options.delivery
        self.name = name
        self._endings = endings
        self._emit = emit
        self._request_ids = request_ids
        self._linger_seconds = options.batch.linger_ms / 1000
        self._timeout_seconds = delivery.timeout_seconds
        backoff = Backoff(delivery.backoff_seconds_min, delivery.backoff_seconds_max, random)
        self.circuit = Circuit(delivery, backoff)
        self._verdicts = Verdicts(name, self.circuit, endings, delivery.poison_attempts)
        self._batch = batch_channel(options.batch)
        self._anonymous = anonymous_channel(delivery, now)
        self._tokens = TokenBucket(delivery.requests_per_second, now)
        self._wire: dict[int, _Wire] = {}
        self._waiting: list[_Waiting] = []
        self._retries_turn = False
        self._probes_new = False
        """Whether the next probe had better be something that was never sent."""
        self._state_told = RegionState.HEALTHY
        self._details_told: set[str] = set()
        """Of this state."""
        self._stuck_noted_at = float("-inf")
        self.wake_at: float | None = None
        """When `pump` wants to be called again."""

    # ---- arrivals ----

    def extend(self, entries: Sequence[Entry], anonymous: Sequence[Entry]) -> None:
        """Entries arrive, in order: those for batches, and those that go one by one."""
        self._batch.lanes.extend(entries)
        self._anonymous.lanes.extend(anonymous)

    # ---- departures ----

    def pump(self, now: float, flush: bool) -> None:
        """Send what may go now. `flush`: nothing lingers, as when draining."""
        self.wake_at = None
        if now < self.circuit.hold_until:
            if self._waiting or self._batch.lanes.queued or self._anonymous.lanes.queued:
                self._wake(self.circuit.hold_until)
        elif self.circuit.probed:
            self._probe(now)
        else:
            self._serve(now, flush)
        self._tell()

    def _serve(self, now: float, flush: bool) -> None:
        """Retries and what is new take turns, in the order in which they came due: where places or tokens are scarce,
        what fails again and again must not take them all."""
        due = self._due(now)
        while True:
            first, second = (
                (self._resend, self._depart) if self._retries_turn else (self._depart, self._resend)
            )
            if not (first(due, now, flush) or second(due, now, flush)):
                return
            self._retries_turn = not self._retries_turn

    def _due(self, now: float) -> list[_Waiting]:
        """Flights whose time has come, the one that has been due for longest last."""
        due = []
        for waiting in self._waiting:
            if waiting[0].due_at <= now:
                due.append(waiting)
            else:
                self._wake(waiting[0].due_at)
        return sorted(due, key=lambda waiting: (waiting[0].due_at, waiting[0].sequence), reverse=True)

    def _resend(self, due: list[_Waiting], now: float, flush: bool) -> bool:
        """Send the due flight that has waited longest, if one may go. Whether there was one."""
        for place in range(len(due) - 1, -1, -1):
            flight, channel = due[place]
            if self._may_send(channel, now):
                self._waiting.remove(due.pop(place))
                self._send(flight, channel, now)
                return True
        return False

    def _depart(self, due: list[_Waiting], now: float, flush: bool) -> bool:
        """Make a new request of what idle lanes hold; what arrived first goes first, whichever way it takes."""
        ready = [(channel.lanes.oldest_ready_at(), channel) for channel in (self._batch, self._anonymous)]
        waits = [
            (oldest_at, channel)
            for oldest_at, channel in ready
            if oldest_at is not None and self._is_due(channel, oldest_at, now, flush)
        ]
        for _, channel in sorted(waits, key=itemgetter(0)):
            if self._may_send(channel, now):
                self._send(channel.board(self.circuit.operations_max), channel, now)
                return True
        return False

    def _is_due(self, channel: Channel, oldest_at: float, now: float, flush: bool) -> bool:
        """Full requests go at once, others after the linger."""
        due_at = oldest_at + self._linger_seconds
        if (
            flush
            or due_at <= now
            or channel.lanes.fills(
                min(channel.operations_max, self.circuit.operations_max), channel.bytes_max
            )
        ):
            return True
        self._wake(due_at)
        return False

    def _may_send(self, channel: Channel, now: float) -> bool:
        """Is there a place in flight and a token? If a token is awaited, say when it comes."""
        allowed = self.circuit.concurrency
        if len(self._wire) >= int(allowed) or channel.in_flight >= channel.concurrency(allowed):
            return False
        ready_at = self._tokens.ready_at(now)
        if channel.tokens is not None:
            ready_at = max(ready_at, channel.tokens.ready_at(now))
        if ready_at > now:
            self._wake(ready_at)
            return False
        return True

    def _probe(self, now: float) -> None:
        """One request at a time, and not twice running the same one where there is another."""
        if self._wire:
            return
        if now < self.circuit.probe_at:
            if self._waiting or self._batch.lanes.queued or self._anonymous.lanes.queued:
                self._wake(self.circuit.probe_at)
            return
        chosen = self._next_probe()
        if chosen is None:
            return
        flight, channel = chosen
        if self._may_send(channel, now):
            self._send(flight, channel, now)
        else:
            self._waiting.append((flight, channel))

    def _next_probe(self) -> _Waiting | None:
        """What failed before and what is new take turns, so that what can never succeed keeps nobody out."""
        self._probes_new = not self._probes_new
        if self._probes_new:
            return self._board_any() or self._waiting_longest()
        return self._waiting_longest() or self._board_any()

    def _board_any(self) -> _Waiting | None:
        for channel in (self._batch, self._anonymous):
            if channel.lanes.oldest_ready_at() is not None:
                return channel.board(self.circuit.operations_max), channel
        return None

    def _waiting_longest(self) -> _Waiting | None:
        """The flight that was tried least lately: so never twice running the same one where there are two."""
        if not self._waiting:
            return None
        chosen = min(self._waiting, key=lambda waiting: (waiting[0].tried_at, waiting[0].sequence))
        self._waiting.remove(chosen)
        return chosen

    def _send(self, flight: Flight, channel: Channel, now: float) -> None:
        chunk = flight.current
        if chunk.tries == 0:
            chunk.look_around(self.circuit)
        chunk.tries += 1
        chunk.attempts += 1
        flight.request_id = self._request_ids()
        flight.tried_at = now
        channel.in_flight += 1
        self._tokens.take()
        if channel.tokens is not None:
            channel.tokens.take()
        self._wire[flight.request_id] = _Wire(flight, channel, now)
        self._emit(
            Send(
                request_id=flight.request_id,
                region=self.name,
                operation=channel.operation,
                path=channel.path,
                body=channel.encode(chunk.operations),
                events=len(chunk.operations),
                attempt=chunk.attempts,
                deadline_seconds=self._timeout_seconds,
                refresh_credentials=self.circuit.state is RegionState.UNAUTHORISED,
                oldest_timestamp_ms=chunk.entries[0].record.timestamp()[1],
                traces=_traces(chunk.entries),
            )
        )

    # ---- answers ----

    def answer(self, request_id: int, answer: Answer, now: float) -> None:
        """A request has its answer. Unknown requests (cancelled ones) are passed over."""
        wire = self._wire.pop(request_id, None)
        if wire is None:
            return
        flight, channel = wire.flight, wire.channel
        channel.in_flight -= 1
        flight.request_id = 0
        alone = not (self._wire or self._waiting or self._batch.lanes.ready or self._anonymous.lanes.ready)
        for left in self._verdicts.judge(flight, channel.lanes, answer, wire.sent_at, alone, now):
            self._cull(left, now)
            if left.chunks:
                self._waiting.append((left, channel))
                self._note_stuck(left, now)
            else:
                channel.lanes.release(left.lanes)

    # ---- revokes ----

    def _cull(self, flight: Flight, now: float) -> None:
        """Before its next request: drop what was revoked meanwhile."""
        if flight.chunks and any(
            not entry.ledger.takes for chunk in flight.chunks for entry in chunk.entries
        ):
            flight.keep(_Sieve(self._endings, self.name, now), unsent_only=False)

    def withdraw(self, now: float) -> None:
        """Drop what is unsent of partitions that take no more part, from lanes and from flights."""
        keeps = _Sieve(self._endings, self.name, now)
        for channel in (self._batch, self._anonymous):
            lanes = channel.lanes
            gone = [entry for entry in lanes if not entry.ledger.takes]
            lanes.drop([entry for entry in gone if not keeps(entry)])
        for wire in self._wire.values():
            keeps.spare(wire.flight.current.entries)
            wire.flight.keep(keeps, unsent_only=True)
        still: list[_Waiting] = []
        for flight, channel in self._waiting:
            flight.keep(keeps, unsent_only=True)
            if flight.chunks:
                still.append((flight, channel))
            else:
                channel.lanes.release(flight.lanes)
        self._waiting = still

    def has_in_flight(self, ledgers: frozenset[Ledger]) -> bool:
        """Does a request without an answer hold a record of one of these partitions?"""
        return any(self._holds(wire, ledgers) for wire in self._wire.values())

    def cancel(self, ledgers: frozenset[Ledger], now: float) -> None:
        """Give up requests that hold records of these partitions; what else they hold goes again."""
        for request_id, wire in list(self._wire.items()):
            if self._holds(wire, ledgers):
                self._emit(Cancel(request_id, self.name))
                self.answer(request_id, Unavailable("cancelled"), now)

    def _holds(self, wire: _Wire, ledgers: frozenset[Ledger]) -> bool:
        return any(entry.ledger in ledgers for entry in wire.flight.current.entries)

    # ---- what is told ----

    def _wake(self, at: float) -> None:
        if self.wake_at is None or at < self.wake_at:
            self.wake_at = at

    def _tell(self) -> None:
        """A state is told when it begins; while it lasts, only what else is found to be wrong, once."""
        state, detail = self.circuit.state, self.circuit.detail
        if state is not self._state_told:
            self._state_told = state
            self._details_told.clear()
        elif not self.circuit.probed or detail in self._details_told:
            return
        self._details_told.add(detail)
        self._emit(RegionChanged(self.name, state, detail))

    def _note_stuck(self, flight: Flight, now: float) -> None:
        """One that fails while the region works, or has nobody else by whom to tell, is told now and then."""
        since = flight.failing_since
        if since is None or now - since < _STUCK_SECONDS or self.circuit.probed:
            return
        if now < self._stuck_noted_at + _STUCK_NOTE_SECONDS:
            return
        self._stuck_noted_at = now
        first, *others = self._retried()
        place = f"{first.partition.topic}[{first.partition.partition}] offset {first.offset}"
        more = f", and {len(others)} requests more" if others else ""
        self._emit(
            Noted(
                "warning",
                f"{self.name}: {place} ({first.operations} operations) has failed for "
                f"{now - first.failing_since:.0f} s in {first.attempts} attempts{more}: {first.why}; "
                "what follows of the same people waits for it",
            )
        )

    def _flights(self) -> Iterator[Flight]:
        yield from (flight for flight, _ in self._waiting)
        yield from (wire.flight for wire in self._wire.values())

    def _retried(self) -> list[Retried]:
        """Requests that fail, the one that has failed for longest first."""
        found = [retried for flight in self._flights() if (retried := flight.retried()) is not None]
        return sorted(found, key=lambda retried: (retried.failing_since, retried.partition, retried.offset))

    def snapshot(self) -> RegionSnapshot:
        """How the region is doing."""
        return RegionSnapshot(
            region=self.name,
            state=self.circuit.state.value,
            detail=self.circuit.detail,
            queued=self._batch.lanes.queued + self._anonymous.lanes.queued,
            in_flight_requests=len(self._wire),
            concurrency=int(self.circuit.concurrency),
            retried=tuple(self._retried()[:_RETRIED_TOLD_MAX]),
        )

    @property
    def reason_waiting(self) -> str:
        """Why all of its records wait, in the words of `PartitionSnapshot.waiting`; empty: none of them need to."""
        state = self.circuit.state
        if state is RegionState.OPEN:
            return "breaker_open"
        return "" if state is RegionState.HEALTHY else state.value

    def failing_ledgers(self) -> set[Ledger]:
        """Partitions some of whose records fail again and again."""
        failing = (flight for flight in self._flights() if flight.failing_since is not None)
        return {entry.ledger for flight in failing for chunk in flight.chunks for entry in chunk.entries}


class _Sieve:
    """Keeps entries whose partition is ours; drops each other one once, unless a duplicate has its place."""

    def __init__(self, endings: Endings, region: str, now: float) -> None:
        self._endings = endings
        self._region = region
        self._now = now
        self._decided: dict[int, bool] = {}

    def spare(self, entries: list[Entry]) -> None:
        """These are on the wire: their answer decides."""
        self._decided.update((entry.sequence, True) for entry in entries)

    def __call__(self, entry: Entry) -> bool:
        if entry.ledger.takes:
            return True
        decided = self._decided.get(entry.sequence)
        if decided is None:
            decided = self._decided[entry.sequence] = self._endings.dropped(entry, self._region, self._now)
        return decided


def _traces(entries: Sequence[Entry]) -> tuple[Trace, ...]:
    """Each followed record's trace, once."""
    followed = {entry.sequence: entry.trace for entry in entries if entry.trace is not None}
    return tuple(followed.values())
