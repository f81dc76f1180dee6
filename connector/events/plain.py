"""The commonest events by a short cut: a person's event or a track call in which nothing is out of the ordinary.

Most of the traffic is like this, and the way through the vocabularies costs it half as much again. Whatever is not
plain, or wrong in any way, is left to them; a test holds both ways together, byte for byte.
"""

from typing import Any

from connector.events.identifiers import encode_json
from connector.events.limits import EVENT_NAME_BYTES_MAX, ID_BYTES_MAX
from connector.events.refusal import RefusedError
from connector.events.segment_calls import CIO_ID_PREFIX, Track
from connector.events.segment_semantics import SEMANTIC_EVENTS
from connector.events.timestamps import SECONDS_MAX, unix_seconds
from connector.events.track_v2 import Person

PlainEvent = tuple[str, bytes, bytes]
"""Event id, content (see `encode`) and lane of a `person.event` that has its own timestamp."""

_LANE = b"id:"
_LANE_BYTES_MAX = len(_LANE) + ID_BYTES_MAX
_NAME_JSON_BYTES_MAX = EVENT_NAME_BYTES_MAX + 2
"""With its quotes. A name with escapes is longer as JSON than it counts, and then not plain."""

_CONTENT = (
    b'{"type":"person","action":"event","identifiers":{"id":%b},"name":%b,"attributes":%b,"timestamp":%d'
)


def plain_event(message: Any) -> PlainEvent | None:
    """What is plain about a message; None where something is not."""
    if type(message) is Person:
        return _person_event(message)
    if type(message) is Track:
        return _track(message)
    return None


def _person_event(message: Person) -> PlainEvent | None:
    identifiers, event_id, seconds = message.identifiers, message.event_id, message.timestamp
    if (
        message.action == "event"
        and type(seconds) is int
        and 0 < seconds < SECONDS_MAX
        and identifiers is not None
        and len(identifiers) == 1
    ):
        return _plain(event_id, identifiers.get("id"), message.name, bytes(message.attributes), seconds)
    return None


def _track(call: Track) -> PlainEvent | None:
    user_id, name = call.user_id, call.event
    if (
        type(user_id) is str
        and "@" not in user_id
        and not user_id.startswith(CIO_ID_PREFIX)
        and name is not None
        and (name := name.strip()) not in SEMANTIC_EVENTS
        and type(call.timestamp) is str
        and call.event_id is None
    ):
        try:
            seconds = unix_seconds(call.timestamp, "timestamp")
        except RefusedError:
            return None
        return _plain(call.message_id, user_id, name, bytes(call.properties), seconds)
    return None


def _plain(
    event_id: str | int | None, person_id: str | int | None, name: str | None, attributes: bytes, seconds: int
) -> PlainEvent | None:
    if type(event_id) is not str or type(person_id) is not str or type(name) is not str:
        return None
    if (
        not event_id
        or event_id.isspace()
        or not person_id
        or person_id.isspace()
        or not name
        or name.isspace()
    ):
        return None
    name_json, lane = encode_json(name), _LANE + person_id.encode()
    if len(name_json) > _NAME_JSON_BYTES_MAX or len(lane) > _LANE_BYTES_MAX or attributes[:1] != b"{":
        return None
    return event_id, _CONTENT % (encode_json(person_id), name_json, attributes, seconds), lane
