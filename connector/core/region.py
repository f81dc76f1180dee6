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
from connector.core.failing import StuckNotes, describe, fails, retried
from connector.core.flight import Flight
from connector.core.inputs import RegionSnapshot
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.sieve import Sieve
from connector.core.token_bucket import TokenBucket
from connector.core.verdicts import Verdicts

_SEVERITY = {state: severity for severity, state in enumerate(RegionState)}
_RETRIED_TOLD_MAX = 10
_TRIES_OF_SMALL_PROBES = 30


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
    """Lanes, flights and circuits of one region."""

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
        self._verdicts = Verdicts(name, endings, delivery.poison_attempts)
        self._batch = batch_channel(options.batch, Circuit(delivery, backoff))
        self._anonymous = anonymous_channel(delivery, Circuit(delivery, backoff), now)
        self._channels = (self._batch, self._anonymous)
        self._concurrency_max = delivery.concurrency
        self._tokens = TokenBucket(delivery.requests_per_second, now)
        self._wire: dict[int, _Wire] = {}
        self._waiting: list[_Waiting] = []
        self._stuck_notes = StuckNotes()
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
        hold_until = max([channel.circuit.hold_until for channel in self._channels])
        if now < hold_until:
            if self._waiting or self._batch.lanes.queued or self._anonymous.lanes.queued:
                self._wake(hold_until)
        else:
            # Probes first: where tokens are scarce, the other endpoint would take them all.
            for channel in self._channels:
                if channel.circuit.probed:
                    self._probe(channel, now)
            self._serve(now, flush)
        self._tell()

    def _holds_any(self, channel: Channel) -> bool:
        """Has it anything that was not sent, or waits to be sent again?"""
        return channel.lanes.queued > 0 or self._retries(channel)

    def _retries(self, channel: Channel) -> bool:
        """Has it anything that waits to be sent again?"""
        return any(other is channel for _, other in self._waiting)

    def _serve(self, now: float, flush: bool) -> None:
        """What has waited for longest goes first, whichever way it takes."""
        due = {channel: self._due(channel, now) for channel in self._channels if not channel.circuit.probed}
        while True:
            waits = []
            for channel, flights in due.items():
                arrived_at = self._arrived_at(channel, now, flush)
                times = ([flights[-1].due_at] if flights else []) + (
                    [] if arrived_at is None else [arrived_at]
                )
                if times and self._may_send(channel, now):
                    waits.append((min(times), channel, arrived_at is not None))
            if not waits:
                return
            _, channel, has_new = min(waits, key=itemgetter(0))
            self._send(self._next(channel, due[channel], has_new), channel, now)

    def _due(self, channel: Channel, now: float) -> list[Flight]:
        """Flights whose time has come, the one that has been due for longest last."""
        due = []
        for flight, other in self._waiting:
            if other is not channel:
                continue
            if flight.due_at <= now:
                due.append(flight)
            else:
                self._wake(flight.due_at)
        return sorted(due, key=lambda flight: (flight.due_at, flight.sequence), reverse=True)

    def _arrived_at(self, channel: Channel, now: float, flush: bool) -> float | None:
        """When the oldest arrived of what a new request would hold; None: nothing, or it lingers. A full one never
        does."""
        oldest_at = channel.lanes.oldest_ready_at()
        if oldest_at is None:
            return None
        due_at = oldest_at + self._linger_seconds
        if flush or due_at <= now or channel.lanes.fills(channel.full_at, channel.bytes_max):
            return oldest_at
        self._wake(due_at)
        return None

    def _next(self, channel: Channel, due: list[Flight], has_new: bool) -> Flight:
        """Retries and what is new take turns: where places or tokens are scarce, what fails again and again must not
        take them all."""
        again = bool(due) and (channel.retries_turn or not has_new)
        channel.retries_turn = not again
        if not again:
            return channel.board()
        flight = due.pop()
        self._waiting.remove((flight, channel))
        return flight

    def _may_send(self, channel: Channel, now: float) -> bool:
        """Is there a place in flight and a token? If a token is awaited, say when it comes."""
        if len(self._wire) >= self._concurrency_max or channel.in_flight >= channel.concurrency:
            return False
        ready_at = self._tokens.ready_at(now)
        if channel.tokens is not None:
            ready_at = max(ready_at, channel.tokens.ready_at(now))
        if ready_at > now:
            self._wake(ready_at)
            return False
        return True

    def _probe(self, channel: Channel, now: float) -> None:
        """One request at a time, and not twice running the same one where there is another."""
        if channel.in_flight or not self._holds_any(channel):
            return
        if now < channel.circuit.probe_at:
            self._wake(channel.circuit.probe_at)
            return
        if not self._may_send(channel, now):
            return
        flight = self._next_probe(channel)
        if flight is not None:
            self._make_small(flight, channel)
            self._send(flight, channel, now)

    def _make_small(self, flight: Flight, channel: Channel) -> None:
        """A probe of many operations may fail for one of them, and so may all that wait: split one of them. The next
        one not before what came of it has been tried often, or a long outage would leave nothing but small requests."""
        if any(
            other is channel
            and len(small.current.entries) <= channel.full_at
            and small.current.tries < _TRIES_OF_SMALL_PROBES
            for small, other in self._waiting
        ):
            return
        while len(flight.current.entries) > channel.full_at:
            other = flight.split(channel.lanes.lane_of)
            if other is not None:
                other.due_at, other.tried_at = flight.due_at, flight.tried_at
                self._waiting.append((other, channel))

    def _next_probe(self, channel: Channel) -> Flight | None:
        """What failed before and what is new take turns, so that what can never succeed keeps nobody out."""
        channel.probes_new = not channel.probes_new
        if channel.probes_new:
            return self._board_any(channel) or self._waiting_longest(channel)
        return self._waiting_longest(channel) or self._board_any(channel)

    def _board_any(self, channel: Channel) -> Flight | None:
        return None if channel.lanes.oldest_ready_at() is None else channel.board()

    def _waiting_longest(self, channel: Channel) -> Flight | None:
        """The flight that was tried least lately: so never twice running the same one where there are two."""
        waiting = [flight for flight, other in self._waiting if other is channel]
        if not waiting:
            return None
        chosen = min(waiting, key=lambda flight: (flight.tried_at, flight.sequence))
        self._waiting.remove((chosen, channel))
        return chosen

    def _send(self, flight: Flight, channel: Channel, now: float) -> None:
        chunk = flight.current
        if chunk.tries == 0:
            chunk.look_around(channel.circuit)
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
                body=channel.encode(chunk.bodies),
                events=len(chunk.bodies),
                attempt=chunk.attempts,
                deadline_seconds=self._timeout_seconds,
                refresh_credentials=channel.circuit.state is RegionState.UNAUTHORISED,
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
        alone = not (channel.in_flight or channel.lanes.ready or self._retries(channel))
        for left in self._verdicts.judge(flight, channel, answer, wire.sent_at, alone, now):
            self._cull(left, now)
            if left.chunks:
                self._waiting.append((left, channel))
                self._note_stuck(left, channel, now)
            else:
                channel.lanes.release(left.lanes)

    # ---- revokes ----

    def _cull(self, flight: Flight, now: float) -> None:
        """Before its next request: drop what was revoked meanwhile."""
        if flight.chunks and any(
            not entry.ledger.takes for chunk in flight.chunks for entry in chunk.entries
        ):
            flight.keep(Sieve(self._endings, self.name, now), unsent_only=False)

    def withdraw(self, now: float) -> None:
        """Drop what is unsent of partitions that take no more part, from lanes and from flights."""
        keeps = Sieve(self._endings, self.name, now)
        for channel in self._channels:
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
        for channel in self._channels:
            if channel.take_news():
                circuit = channel.circuit
                self._emit(RegionChanged(self.name, channel.operation, circuit.state, circuit.detail))

    def _state(self) -> tuple[RegionState, str]:
        """The worse of both endpoints', and why; without anonymous events theirs is of no interest."""
        batch, anonymous = self._batch.circuit, self._anonymous.circuit
        if _SEVERITY[anonymous.state] <= _SEVERITY[batch.state] or not (
            self._anonymous.in_flight or self._holds_any(self._anonymous)
        ):
            return batch.state, batch.detail
        return anonymous.state, f"{self._anonymous.operation}: {anonymous.detail}"

    def _note_stuck(self, flight: Flight, channel: Channel, now: float) -> None:
        if self._stuck_notes.due(flight, channel, now):
            self._emit(Noted("warning", f"{self.name}: {describe(retried(self._failing()), now)}"))

    def _failing(self) -> Iterator[_Waiting]:
        """Flights that fail though their endpoint works."""
        on_wire = [(wire.flight, wire.channel) for wire in self._wire.values()]
        return (flying for flying in (*self._waiting, *on_wire) if fails(*flying))

    def snapshot(self) -> RegionSnapshot:
        """How the region is doing."""
        state, detail = self._state()
        return RegionSnapshot(
            region=self.name,
            state=state.value,
            detail=detail,
            queued=self._batch.lanes.queued + self._anonymous.lanes.queued,
            in_flight_requests=len(self._wire),
            concurrency=int(self._batch.circuit.concurrency),
            retried=tuple(retried(self._failing())[:_RETRIED_TOLD_MAX]),
        )

    @property
    def reason_waiting(self) -> str:
        """Why its records wait, in the words of `PartitionSnapshot.waiting`; empty: none of them need to."""
        state, _ = self._state()
        if state is RegionState.OPEN:
            return "breaker_open"
        return "" if state is RegionState.HEALTHY else state.value

    def failing_ledgers(self) -> set[Ledger]:
        """Partitions some of whose records fail again and again."""
        return {
            entry.ledger
            for flight, _ in self._failing()
            for chunk in flight.chunks
            for entry in chunk.entries
        }


def _traces(entries: Sequence[Entry]) -> tuple[Trace, ...]:
    """Each followed record's trace, once."""
    followed = {entry.sequence: entry.trace for entry in entries if entry.trace is not None}
    return tuple(followed.values())
