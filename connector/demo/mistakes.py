"""What goes wrong at publishers: records that can never be delivered, each with the reason that its dead letter must
give."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from connector.demo.messages import Message
from connector.demo.people import Subject
from connector.events.event import Reason


class Mistake(NamedTuple):
    value: bytes
    reason: Reason


def mistake(number: int, who: Subject, event_id: str) -> Mistake:
    """The mistake of this number: each kind in its turn."""
    reason, make = _KINDS[number % len(_KINDS)]
    made = make(who)
    if isinstance(made, bytes):
        return Mistake(made, reason)
    common = {"event_id": event_id, "type": "person", "identifiers": who.identifiers, "region": who.region}
    return Mistake(msgspec.json.encode(common | made), reason)


_KINDS: tuple[tuple[Reason, Callable[[Subject], Message | bytes]], ...] = (
    (Reason.UNDECODABLE, lambda _: b'{"type":"person","action":"event","identifiers":{"id":"4'),
    (
        Reason.REJECTED,
        lambda _: {"action": "identify", "attributes": {"biography": "Once upon a time. " * 60}},
    ),
    (Reason.INVALID, lambda _: {"action": "event", "attributes": {"name": "none of its own"}}),
    (
        Reason.TOO_LARGE,
        lambda _: {"action": "event", "name": "Order Completed", "attributes": {"cart": "x" * 33_000}},
    ),
    (Reason.UNROUTABLE, lambda _: {"action": "page", "name": "https://www.example.com/", "region": "mars"}),
    (Reason.UNDECODABLE, lambda _: b"\xff\xfe not UTF-8"),
    (Reason.INVALID, lambda _: {"action": "dance"}),
    (Reason.EMPTY, lambda _: b""),
    (Reason.INVALID, lambda _: {"action": "event", "name": "Signed In", "identifiers": {}}),
    (Reason.REJECTED, lambda _: {"action": "identify", "attributes": {f"answer_{n}": n for n in range(301)}}),
    (Reason.INVALID, lambda who: {"action": "event", "name": who.name * 60}),
    (Reason.UNDECODABLE, lambda _: b"Hello?"),
    (Reason.INVALID, lambda _: {"action": "identify", "timestamp": "yesterday"}),
)
