"""The identify cache: skips an identify that says what the last accepted one of the same person said.

A, B, A within the cache's time are three states and all three are sent: what counts is the last state on its way to,
or accepted by, Customer.io, never any earlier one.
"""

from typing import NamedTuple

from cachetools import TTLCache

from connector.core.entry import Entry
from connector.events.event import Event

_HARMLESS = frozenset(
    (
        "person.event",
        "person.page",
        "person.screen",
        "delivery.event",
        "person.add_device",
        "person.delete_device",
    )
)
"""Actions that leave a person's attributes as they are."""


class _OnWay(NamedTuple):
    entry: Entry
    digest: int | None
    """None: a change that no identify can repeat."""
    generation: int
    """Of the cache when it departed."""


class IdentifyCache:
    """Last accepted and last departed state by person's identifier. Off with `entries_max` 0."""

    __slots__ = ("_accepted", "_generation", "_now", "_on_way", "enabled")

    def __init__(self, entries_max: int, ttl_seconds: float) -> None:
        self.enabled = entries_max > 0
        self._now = 0.0
        self._accepted: TTLCache[bytes, int] = TTLCache(max(entries_max, 1), ttl_seconds, timer=self._clock)
        self._on_way: dict[bytes, _OnWay] = {}
        self._generation = 0
        """How often anybody's state may have changed. Who departed in an earlier generation is no example any more."""

    def _clock(self) -> float:
        return self._now

    def unchanged(self, event: Event, now: float) -> Entry | bool:
        """May this identify be skipped? True: at once. An entry: once that one, still on its way, has ended."""
        self._now = now
        if event.identify_digest is None:
            return False
        person = event.lane
        on_way = self._on_way.get(person)
        if on_way is not None:
            return on_way.entry if self._stands_for(on_way) == event.identify_digest else False
        return bool(self._accepted.get(person) == event.identify_digest)

    def departs(self, entry: Entry) -> None:
        """This entry is on its way and may change its person's state."""
        if entry.event.action.startswith("object."):
            # It may change relationships of people that it does not name.
            self.clear()
            self._generation += 1
            return
        event = entry.event
        if all(operation.action in _HARMLESS for operation in event.operations):
            return
        for person in (event.lane, event.lane_secondary):
            if person:
                self._accepted.pop(person, None)
                self._on_way[person] = _OnWay(entry, event.identify_digest, self._generation)
                entry.watched = True

    def ended(self, entry: Entry, accepted: bool, now: float) -> None:
        """This entry is no longer on its way."""
        self._now = now
        for person in (entry.event.lane, entry.event.lane_secondary):
            on_way = self._on_way.get(person)
            if on_way is None or on_way.entry is not entry:
                continue
            del self._on_way[person]
            digest = self._stands_for(on_way)
            if accepted and digest is not None:
                self._accepted[person] = digest

    def _stands_for(self, on_way: _OnWay) -> int | None:
        """The state that its person will have; None: nobody can say."""
        return on_way.digest if on_way.generation == self._generation else None

    def clear(self) -> None:
        """Forget what was accepted: another member may have changed these people meanwhile."""
        self._accepted.clear()
