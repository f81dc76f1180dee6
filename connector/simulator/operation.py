"""What a request asks for, whichever endpoint it came through, and what is wrong with it."""

from typing import Any, NamedTuple


class Operation(NamedTuple):
    """One valid operation."""

    action: str
    """Type and action of v2: `person.event`, `object.identify`, `delivery.event`, ... ; also for v1 calls.
    Anonymous events, which only v1 knows, are `anonymous.event`, `anonymous.page`, `anonymous.screen`."""
    identifier: str
    """Whom it concerns: `id:42`, `email:a@b.c`, `phone:+1...`, `cio_id:a3...`, `object:1:acme`,
    `cio_object_id:ob...`, `delivery:RP...`, `anonymous:...`. A merge: the primary."""
    id: str = ""
    """ULID of an event that has one."""
    timestamp: int | None = None
    name: str = ""
    attributes: dict[str, Any] | None = None
    identifier_secondary: str = ""
    """The person who is merged into `identifier`."""
    update_only: bool = False
    """`_update`: does nothing for people who do not exist."""
    device_token: str = ""


class InvalidError(ValueError):
    """Breaks a rule of the API reference. Names the field, never a value."""

    def __init__(self, field: str, message: str, reason: str = "invalid") -> None:
        self.field = field
        self.message = message
        self.reason = reason
        super().__init__(f"{field}: {message}")
