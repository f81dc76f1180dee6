"""What an answer means for the operations that were sent, and what becomes of them next."""

from math import log

from connector.core.answers import (
    Accepted,
    Answer,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.core.channel import Channel
from connector.core.endings import Endings
from connector.core.flight import Chunk, Flight
from connector.events.event import Reason

_EVIDENCE_TO_SUSPECT = 1.0
"""Less than a single success of others gives: from here on, failures say nothing about the region."""
_EVIDENCE_TO_SPLIT = 3.0
_EVIDENCE_OF_POISON = 25.0
"""By chance alone, a record that is not to blame fails so often while others do not once in e^25."""
_TRIES_TO_SPLIT = 5
_FEW_OPERATIONS = 16
"""So few are also split on suspicion alone, which costs little: perhaps nobody succeeds because each request holds
somebody to blame."""

_UNREADABLE = Unavailable("unreadable", 207, detail="answered 207 without naming what is wrong")


class Verdicts:
    """Judges the flights of one region. A destination that cannot *now* is told from operations that never can."""

    __slots__ = ("_endings", "_poison_attempts", "_region")

    def __init__(self, region: str, endings: Endings, poison_attempts: int) -> None:
        self._region = region
        self._endings = endings
        self._poison_attempts = poison_attempts

    def judge(
        self, flight: Flight, channel: Channel, answer: Answer, sent_at: float, alone: bool, now: float
    ) -> list[Flight]:
        """Settle what the answer settles. What the flight has become: itself, perhaps empty, or two.

        `alone`: the endpoint has nothing else by which to tell an outage from operations that can never succeed.
        """
        chunk = flight.current
        flight.due_at = now
        match answer:
            case Accepted():
                _came_on(flight, channel, now)
                flight.chunks.pop()
                self._endings.accepted(chunk.entries, self._region, now)
            case PartlyRejected(attributable=True) if answer.errors:
                _came_on(flight, channel, now)
                flight.chunks.pop()
                self._settle_parts(chunk, answer, now)
            case PartlyRejected():
                return self._unattributable(flight, channel, sent_at, alone, now)
            case Refused():
                _came_on(flight, channel, now, accepted=False)
                return self._refused(
                    flight, channel, Reason.REJECTED, f"{answer.status}: {answer.message}", now
                )
            case Unauthorised() | Misconfigured():
                return self._turned_away(flight, channel, answer, sent_at, alone, now)
            case Unavailable():
                return self._unavailable(flight, channel, answer, sent_at, alone, now)
        return [flight]

    def _settle_parts(self, chunk: Chunk, answer: PartlyRejected, now: float) -> None:
        """207: the named items are rejected, all others accepted."""
        messages = {error.index: error.message for error in answer.errors}
        assert all(0 <= index < len(chunk.entries) for index in messages), "the shell has checked the places"
        for index, message in messages.items():
            self._reject(chunk, index, Reason.REJECTED, message, now)
        self._endings.accepted(
            [entry for index, entry in enumerate(chunk.entries) if index not in messages], self._region, now
        )

    def _reject(self, chunk: Chunk, index: int, reason: Reason, message: str, now: float) -> None:
        entry = chunk.entries[index]
        second = entry.event.second
        if second is not None:
            action = second.action if chunk.bodies[index] == second.body else entry.event.action
            message = f"{action}: {message}"
        self._endings.rejected(entry, reason, message, chunk.attempts, self._region, now)

    def _unattributable(
        self, flight: Flight, channel: Channel, sent_at: float, alone: bool, now: float
    ) -> list[Flight]:
        """A 207 that cannot be read, or blames what was not sent: again, then in parts, never accepted."""
        chunk = flight.current
        chunk.unreadable += 1
        if chunk.unreadable == 1:
            return [flight]
        if len(chunk.entries) > 1:
            return _split(flight, channel)
        return self._unavailable(flight, channel, _UNREADABLE, sent_at, alone, now)

    def _refused(
        self, flight: Flight, channel: Channel, reason: Reason, message: str, now: float
    ) -> list[Flight]:
        """Refused whole: split until the culprit is alone."""
        if len(flight.current.entries) > 1:
            return _split(flight, channel)
        self._reject(flight.chunks.pop(), 0, reason, message, now)
        return [flight]

    def _turned_away(
        self,
        flight: Flight,
        channel: Channel,
        answer: Unauthorised | Misconfigured,
        sent_at: float,
        alone: bool,
        now: float,
    ) -> list[Flight]:
        """Nothing is accepted any more; unless others are, with the same credentials at the same URL. Then it is these
        operations that something on the way will not let through, such as a firewall."""
        chunk, circuit = flight.current, channel.circuit
        alone_refused = circuit.refuses_one_alone(flight.sequence)
        if alone_refused or circuit.accepted_total > chunk.accepted_seen:
            detail = answer.detail if isinstance(answer, Misconfigured) else ""
            told = Unavailable(str(answer.status), answer.status, detail=detail)
            return self._unavailable(flight, channel, told, sent_at, alone, now)
        flight.failed(answer.said, now)
        circuit.turned_away(answer, chunk.attempts, now)
        chunk.look_around(circuit)
        return _split(flight, channel) if _stuck(chunk, alone) else [flight]

    def _unavailable(
        self, flight: Flight, channel: Channel, answer: Unavailable, sent_at: float, alone: bool, now: float
    ) -> list[Flight]:
        """The destination cannot now: again later, unless it is these operations alone that it cannot take."""
        chunk, circuit = flight.current, channel.circuit
        if answer.kind == "cancelled" or (answer.reused_connection_broke and chunk.attempts == 1):
            return [flight]
        flight.failed(answer.said, now)
        if answer.status != 429 and answer.kind != "connect":  # neither has to do with what was to be sent
            failures = circuit.failures_total - chunk.failures_seen
            chunk.evidence += _evidence(circuit.successes_total - chunk.successes_seen, failures)
            chunk.proof += _evidence(circuit.successes_first - chunk.successes_first_seen, failures)
        suspect = chunk.evidence > _EVIDENCE_TO_SUSPECT
        flight.due_at = circuit.failed(answer, flight.sequence, chunk.attempts, suspect, sent_at, now)
        if answer.status == 429:
            return [flight]
        chunk.look_around(circuit)
        if len(chunk.entries) > 1:
            if chunk.evidence > _EVIDENCE_TO_SPLIT or _stuck(chunk, alone):
                return _split(flight, channel)
        elif chunk.tries >= self._poison_attempts and chunk.proof > _EVIDENCE_OF_POISON:
            message = f"failed {chunk.tries} times by itself ({answer.kind}) while others succeeded"
            return self._refused(flight, channel, Reason.POISON, message, now)
        return [flight]


def _came_on(flight: Flight, channel: Channel, now: float, accepted: bool = True) -> None:
    channel.circuit.succeeded(flight.current.attempts, accepted, now)
    flight.came_on()


def _stuck(chunk: Chunk, alone: bool) -> bool:
    """Is it time to split on suspicion alone?"""
    few = 1 < len(chunk.entries) <= _FEW_OPERATIONS
    return chunk.tries % _TRIES_TO_SPLIT == 0 and (few or (alone and len(chunk.entries) > 1))


def _split(flight: Flight, channel: Channel) -> list[Flight]:
    other = flight.split(channel.lanes.lane_of)
    if other is None:
        return [flight]
    other.due_at = flight.due_at
    return [flight, other]


def _evidence(successes: int, failures: int) -> float:
    """How much a failure speaks against the operations: the less likely, the more often others succeeded meanwhile.
    -ln(p) with p = (f + 1) / (s + f + 2) for s successes and f failed first attempts of others; nothing where nobody
    succeeded. An outage adds nothing, a destination that fails half of all requests 0.7 a time.
    """
    return log((successes + failures + 2) / (failures + 1)) if successes else 0.0
