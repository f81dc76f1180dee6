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
        identifiers = message.identifiers
        if message.action != "event" or identifiers is None or len(identifiers) != 1:
            return None
        event_id, person_id, name = message.event_id, identifiers.get("id"), message.name
        attributes, seconds = bytes(message.attributes), message.timestamp
    elif type(message) is Track:
        event_id, person_id, name = message.message_id, message.user_id, message.event
        attributes, seconds = bytes(message.properties), _seconds(message)
        if (
            message.event_id is not None
            or type(person_id) is not str
            or "@" in person_id
            or person_id.startswith(CIO_ID_PREFIX)
            or name is None
            or (name := name.strip()) in SEMANTIC_EVENTS
        ):
            return None
    else:
        return None
    if (
        type(event_id) is not str
        or type(person_id) is not str
        or type(name) is not str
        or type(seconds) is not int
        or not event_id
        or not person_id
        or not name
        or event_id.isspace()
        or person_id.isspace()
        or name.isspace()
        or not 0 < seconds < SECONDS_MAX
        or attributes[:1] != b"{"
    ):
        return None
    name_json, lane = encode_json(name), _LANE + person_id.encode()
    if len(name_json) > _NAME_JSON_BYTES_MAX or len(lane) > _LANE_BYTES_MAX:
        return None
    return event_id, _CONTENT % (encode_json(person_id), name_json, attributes, seconds), lane


def _seconds(call: Track) -> int | None:
    try:
        return unix_seconds(call.timestamp, "timestamp") if type(call.timestamp) is str else None
    except RefusedError:
        return None
