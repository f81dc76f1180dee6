"""What fails again and again though its endpoint works, and who is told of it.

In an outage nothing is told here: then it is the endpoint that is in trouble, and nobody's request.
"""

from collections.abc import Iterable, Sequence

from connector.core.channel import Channel
from connector.core.effects import RegionState
from connector.core.flight import Flight
from connector.core.inputs import Retried

_STUCK_SECONDS = 60.0
"""A request that has failed for longer is worth a line in the log."""
_NOTE_SECONDS = 300.0


def fails(flight: Flight, channel: Channel) -> bool:
    """Has it failed since its endpoint became healthy?"""
    circuit = channel.circuit
    return circuit.state is RegionState.HEALTHY and flight.fails(circuit.healthy_since)


def retried(failing: Iterable[tuple[Flight, Channel]]) -> list[Retried]:
    """How they fail, the one that has failed for longest first."""
    found = [flight.retried(channel.circuit.healthy_since) for flight, channel in failing]
    return sorted(found, key=lambda one: (one.failing_since, one.partition, one.offset))


def describe(failing: Sequence[Retried], now: float) -> str:
    """For the log."""
    first, *others = failing
    more = f", and {len(others)} requests more" if others else ""
    return (
        f"{first.partition.shown} offset {first.offset} "
        f"({first.operations} operations) has failed for {now - first.failing_since:.0f} s "
        f"in {first.attempts} attempts{more}: {first.why}; what follows of the same people waits for it"
    )


class StuckNotes:
    """When the log is told of it: now and then."""

    def __init__(self) -> None:
        self._noted_at = float("-inf")

    def due(self, flight: Flight, channel: Channel, now: float) -> bool:
        """It has just failed, or come on. Is it time for a line?"""
        if now < self._noted_at + _NOTE_SECONDS or not fails(flight, channel):
            return False
        if now - flight.retried(channel.circuit.healthy_since).failing_since < _STUCK_SECONDS:
            return False
        self._noted_at = now
        return True
