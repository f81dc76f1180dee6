"""What the account of a run rests on: what was published, and what was found outside of the connector afterwards."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connector.events.event import Reason

Fingerprint = tuple[str, str, str | int]
"""Tells one operation from all others: its action, whom it concerns, and its ULID or else the CRC-32 of its bytes."""


class Step(NamedTuple):
    """One operation that a record becomes."""

    fingerprint: Fingerprint
    identifiers: tuple[str, ...]
    """Whose order it keeps: one, or the two of a merge."""


class Publication(NamedTuple):
    """One record that Kafka has acknowledged."""

    event: int
    """Its event's number; duplicates have the same."""
    partition: int
    offset: int
    region: str
    reason: Reason | None
    """Why it must become a dead letter; None for what Customer.io must have."""
    steps: tuple[Step, ...]
    digest: int
    """CRC-32 of key and value."""

    @property
    def place(self) -> tuple[int, int]:
        return self.partition, self.offset


class Acceptance(NamedTuple):
    """One operation that a region has accepted. They are given in the order of acceptance."""

    region: str
    fingerprint: Fingerprint


class DeadLetter(NamedTuple):
    """Where the record stood, and why it could not be delivered."""

    partition: int
    offset: int
    reason: str
    digest: int
    """CRC-32 of its key and value, which should be the record's."""


class Evidence(NamedTuple):
    """Everything that the verdict rests on."""

    publications: Sequence[Publication]
    """In the order of publishing."""
    acceptances: Sequence[Acceptance]
    dead_letters: Sequence[DeadLetter]
    ends: Mapping[int, int]
    """Partition -> the end of its log."""
    committed: Mapping[str, Mapping[int, int]]
    """Consumer group -> partition -> committed offset."""
    ignored: int = 0
    """Events that Customer.io ignored since it had accepted their ULID before; not among the acceptances."""
    ignored_wrongly: int = 0
    """Among these: those that said something else than the first."""
