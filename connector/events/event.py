"""What a record turns into: an event with the operations to send, or the reason why it can never be sent."""

from enum import StrEnum

import msgspec


class RequestKind(StrEnum):
    """Which of Customer.io's endpoints an operation goes to."""

    V2 = "v2"
    """An item of `POST /api/v2/batch`."""
    V1_EVENTS = "v1"
    """A request of its own, `POST /api/v1/events`: events of anonymous people, which v2 does not know."""


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One call to Customer.io, encoded."""

    action: str
    """`person.identify`, `person.event`, `object.delete`, `delivery.event`, ... : type and action of v2."""
    body: bytes
    """The exact JSON that is sent: an item of `batch`, or the whole body of a v1 request."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One record, decoded and ready to send: its one operation, or the first of two, stands in the event itself, since
    an object less for each is worth it."""

    id: str | None
    """The event id as the publisher gave it; None where the record's own place stands in for it."""
    ulid: str
    """26 characters derived from the id alone: the dedup key here and at Customer.io."""
    digest: int
    """CRC-32 of the content, without anything taken from the record around it: tells a conflict from a duplicate."""
    region: str | None
    """The region that the event or its header names, lower case; None leaves it to the routing rules."""
    action: str
    body: bytes
    """Of the first operation: see `Operation`."""
    lane: bytes
    """Identifier type and value whose order is kept, such as `id:42`, `email:a@b.c`, `object:1:acme`."""
    lane_secondary: bytes = b""
    """The second identifier that a merge concerns; empty otherwise."""
    kind: RequestKind = RequestKind.V2
    second: Operation | None = None
    """For a call that is an event and a device change: of the same kind, in the same lane."""
    identify_digest: int | None = None
    """For an identify that the identify cache may skip: digest of identifiers, raw attributes and relationships.
    None for everything else, and for an identify with `_update`."""
    replayed: bool = False
    """The record is a replayed dead letter and passes the dedup window."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What is sent, in order."""
        first = Operation(self.action, self.body)
        return (first,) if self.second is None else (first, self.second)

    @property
    def operations_bytes(self) -> int:
        """Of all bodies."""
        return len(self.body) + (0 if self.second is None else len(self.second.body))


class Reason(StrEnum):
    """Why a record is a dead letter."""

    UNDECODABLE = "undecodable"
    EMPTY = "empty"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    UNROUTABLE = "unroutable"
    REJECTED = "rejected"
    POISON = "poison"
    CONFLICT = "conflict"


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """A record that can never be sent."""

    reason: Reason
    message: str
    """What is wrong and where, never an attribute's value: it goes into a dead letter's header."""


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A record without a value: nothing to send, and never a delete."""


TOMBSTONE = Tombstone()

Decoded = Event | Rejection | Tombstone
