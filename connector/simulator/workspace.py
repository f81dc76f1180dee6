"""One workspace: what it accepted, in order, and what it knows of people.

Each identifier is a person of its own here: Customer.io joins an id and an e-mail address of one person, this
does not.
"""

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from connector.simulator.operation import Operation


class Effect(StrEnum):
    """What an accepted operation did."""

    APPLIED = "applied"
    SUPPRESSED = "suppressed"
    """Nothing: the person is suppressed."""
    UNKNOWN_PERSON = "unknown_person"
    """Nothing: a merge into, or an `_update` of, a person who does not exist."""


class Acceptance(NamedTuple):
    """One operation that was accepted, as it was remembered."""

    sequence: int
    """Its place among the workspace's accepted operations, from 0."""
    received_at: float
    """Monotonic seconds of this process when its request was applied."""
    identifier: str
    action: str
    id: str
    """The event's ULID; empty where there is none."""
    timestamp: int | None
    name: str
    digest: int
    """CRC-32 of its bytes as they were received: the same operation sent again has the same."""
    effect: Effect
    identifier_secondary: str
    attributes: dict[str, Any] | None
    """None unless attributes are remembered."""


class Counts(msgspec.Struct):
    """How often what happened."""

    requests: int = 0
    """All that reached the API, also those that a fault answered."""
    requests_refused: int = 0
    """Answered with 4xx by the rules of the API."""
    requests_faulted: int = 0
    """Spoiled by an injected fault."""
    operations_accepted: int = 0
    operations_duplicate: int = 0
    """Events ignored because their ULID was seen before."""
    operations_conflicting: int = 0
    """Among these duplicates: those whose bytes differ from the event that came first: these are lost."""
    operations_rejected: int = 0
    """Named in a 207, by a rule or by an injected fault."""
    operations_ignored: int = 0
    """Among the accepted: those that did nothing (suppressed or unknown people)."""


class Profile(msgspec.Struct):
    """What a person looks like now."""

    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    attribute_timestamps: dict[str, int] = msgspec.field(default_factory=dict)
    devices: set[str] = msgspec.field(default_factory=set)


_CREATES = frozenset(
    f"person.{action}"
    for action in ("identify", "event", "page", "screen", "add_device", "add_relationships")
)


class Workspace:
    """What one workspace accepted. Not synchronised: one event loop applies and clears, anyone may read."""

    def __init__(
        self, region: str, *, remember_operations: bool = True, remember_attributes: bool = False
    ) -> None:
        self.region = region
        self.operations: list[Acceptance] = []
        """Accepted operations in the order of acceptance, without duplicates. Empty unless remembered."""
        self.counts = Counts()
        self.people: set[str] = set()
        self.suppressed: set[str] = set()
        self.event_ids: dict[str, int] = {}
        """ULIDs seen -> digest of the event that came first."""
        self.profiles: dict[str, Profile] = {}
        """Empty unless attributes are remembered."""
        self._remember_operations = remember_operations
        self._remember_attributes = remember_attributes

    def apply(self, operation: Operation, digest: int, now: float) -> None:
        """Take one valid operation; `now` in monotonic seconds."""
        counts = self.counts
        if operation.id:
            first = self.event_ids.setdefault(operation.id, -1)
            if first != -1:
                counts.operations_duplicate += 1
                counts.operations_conflicting += first != digest
                return
            self.event_ids[operation.id] = digest
        effect = self._effect(operation)
        if effect is not Effect.APPLIED:
            counts.operations_ignored += 1
        if self._remember_operations:
            self.operations.append(
                Acceptance(
                    counts.operations_accepted,
                    now,
                    operation.identifier,
                    operation.action,
                    operation.id,
                    operation.timestamp,
                    operation.name,
                    digest,
                    effect,
                    operation.identifier_secondary,
                    operation.attributes if self._remember_attributes else None,
                )
            )
        counts.operations_accepted += 1

    def by_identifier(self) -> dict[str, list[Acceptance]]:
        """Every person's, object's and delivery's operations in order; a merge stands with both people."""
        histories: dict[str, list[Acceptance]] = {}
        for acceptance in self.operations:
            histories.setdefault(acceptance.identifier, []).append(acceptance)
            if acceptance.identifier_secondary:
                histories.setdefault(acceptance.identifier_secondary, []).append(acceptance)
        return histories

    def clear(self) -> None:
        """Forget everything."""
        self.operations = []
        self.counts = Counts()
        self.people.clear()
        self.suppressed.clear()
        self.event_ids.clear()
        self.profiles.clear()

    def _effect(self, operation: Operation) -> Effect:
        action, person = operation.action, operation.identifier
        if not action.startswith("person."):
            return Effect.APPLIED
        if action == "person.unsuppress":
            self.suppressed.discard(person)
            return Effect.APPLIED
        if person in self.suppressed:
            return Effect.SUPPRESSED
        if action == "person.merge":
            return self._merge(person, operation.identifier_secondary)
        if operation.update_only and person not in self.people:
            return Effect.UNKNOWN_PERSON
        if action in _CREATES:
            self.people.add(person)
        elif action in ("person.delete", "person.suppress"):
            self.people.discard(person)
            self.profiles.pop(person, None)
            if action == "person.suppress":
                self.suppressed.add(person)
        if self._remember_attributes:
            self._update_profile(operation)
        return Effect.APPLIED

    def _merge(self, primary: str, secondary: str) -> Effect:
        if secondary in self.suppressed:
            return Effect.SUPPRESSED
        if primary not in self.people:
            return Effect.UNKNOWN_PERSON
        self.people.discard(secondary)
        merged = self.profiles.pop(secondary, None)
        if merged is not None:
            profile = self.profiles.setdefault(primary, Profile())
            profile.attributes = {**merged.attributes, **profile.attributes}
            profile.devices |= merged.devices
        return Effect.APPLIED

    def _update_profile(self, operation: Operation) -> None:
        if operation.identifier not in self.people:
            return
        profile = self.profiles.setdefault(operation.identifier, Profile())
        if operation.action == "person.identify":
            _update_attributes(profile, operation)
        elif operation.action == "person.add_device":
            profile.devices.add(operation.device_token)
        elif operation.action == "person.delete_device":
            profile.devices.discard(operation.device_token)


def _update_attributes(profile: Profile, operation: Operation) -> None:
    """Newer wins, attribute by attribute, where both updates say when they were made."""
    for name, value in (operation.attributes or {}).items():
        if name == "_update":
            continue
        if operation.timestamp is not None:
            if operation.timestamp < profile.attribute_timestamps.get(name, 0):
                continue
            profile.attribute_timestamps[name] = operation.timestamp
        profile.attributes[name] = value
