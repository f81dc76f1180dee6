"""The JSON of each operation, put together from encoded fragments.

An operation's bytes fall in two parts. The *content* is what the publisher said; its checksum tells a duplicate from
a conflict. The *tail* is what comes from around it: the ULID, and the record's timestamp where the event has none of
its own. It is added last, so that a publisher's resend of the same event has the same content.
"""

from collections.abc import Sequence

import msgspec

from connector.events.event import Operation, Reason, RequestKind
from connector.events.identifiers import Named, encode_json
from connector.events.limits import EVENT_NAME_BYTES_MAX, V1_DATA_BYTES_MAX
from connector.events.refusal import RefusedError

_V2 = RequestKind.V2
_V1_EVENTS = RequestKind.V1_EVENTS

_TIMESTAMP = b',"timestamp":'
_LAST_USED = b',"last_used":'

EVENT_ACTIONS = ("event", "page", "screen")
_EVENT_HEADS = {
    action: (f"person.{action}", b'{"type":"person","action":"%b","identifiers":' % action.encode())
    for action in EVENT_ACTIONS
}
_V1_TYPES = {"event": b"", "page": b',"type":"page"', "screen": b',"type":"screen"'}


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An operation without its tail."""

    action: str
    content: bytes
    """The JSON up to where the tail goes."""
    lane: bytes
    end: bytes = b"}"
    """What closes the JSON after the tail."""
    takes_ulid: bool = False
    """The tail holds the ULID as `id`."""
    takes_time: bytes = b""
    """The member in which the record's timestamp stands in; empty where the event has its own, or none is sent."""
    kind: RequestKind = _V2
    lane_secondary: bytes = b""
    state: bytes = b""
    """Of an identify that the identify cache may skip: identifiers, attributes and relationships."""


def finish(draft: Draft, ulid: str, record_seconds: int | None) -> Operation:
    """The operation with its tail."""
    tail = draft.end
    if record_seconds is not None and draft.takes_time:
        tail = b"%b%d%b" % (draft.takes_time, record_seconds, tail)
    if draft.takes_ulid:
        tail = b',"id":"%b"%b' % (ulid.encode(), tail)
    return Operation(draft.action, draft.content + tail)


def event_name(name: str | None, field: str) -> bytes:
    """The JSON of the name of an event, page or screen."""
    if not name or name.isspace():
        raise RefusedError(f"`{field}` is missing or empty")
    if len(name.encode()) > EVENT_NAME_BYTES_MAX:
        raise RefusedError(f"`{field}` is longer than {EVENT_NAME_BYTES_MAX} bytes")
    return encode_json(name)


def person_event(action: str, person: Named, name: bytes, seconds: int | None, attributes: bytes) -> Draft:
    """An event, page or screen of a person: `action` is one of `EVENT_ACTIONS`, `name` is JSON."""
    identifiers, lane = person
    full_action, head = _EVENT_HEADS[action]
    content = b'%b%b,"name":%b' % (head, identifiers, name)
    if attributes:
        content = b'%b,"attributes":%b' % (content, attributes)
    time, takes_time = _own_time(_TIMESTAMP, seconds)
    return Draft(full_action, content + time, lane, b"}", True, takes_time)


def anonymous_event(action: str, anonymous: Named, name: bytes, seconds: int | None, data: bytes) -> Draft:
    """The same of somebody who is not known yet: the whole body of a v1 request."""
    if len(data) > V1_DATA_BYTES_MAX:
        raise RefusedError(
            f"the event's data has {len(data)} bytes, more than {V1_DATA_BYTES_MAX}", Reason.TOO_LARGE
        )
    identifiers, lane = anonymous
    content = b'%b,"name":%b%b' % (identifiers.removesuffix(b"}"), name, _V1_TYPES[action])
    if data:
        content = b'%b,"data":%b' % (content, data)
    time, takes_time = _own_time(_TIMESTAMP, seconds)
    return Draft(f"person.{action}", content + time, lane, b"}", True, takes_time, _V1_EVENTS)


def person_identify(
    person: Named, attributes: bytes, relationships: bytes, seconds: int | None, update_only: bool
) -> Draft:
    """Attributes of a person. `update_only`: with `_update`, which the identify cache never skips."""
    state = _with_attributes(_operation("person", "identify", person), attributes, relationships)
    time, takes_time = _own_time(_TIMESTAMP, seconds)
    return Draft(
        "person.identify",
        state + time,
        person[1],
        takes_time=takes_time,
        state=b"" if update_only else state,
    )


def person_action(action: str, person: Named) -> Draft:
    """`delete`, `suppress` or `unsuppress`."""
    return Draft(f"person.{action}", _operation("person", action, person), person[1])


def person_relationships(action: str, person: Named, relationships: bytes) -> Draft:
    """`add_relationships` or `delete_relationships`."""
    content = _with_attributes(_operation("person", action, person), b"", relationships)
    return Draft(f"person.{action}", content, person[1])


def add_device(person: Named, token: str, platform: str, seconds: int | None, attributes: bytes) -> Draft:
    """A device of a person, last used at this time; without one at the record's."""
    content = b'%b,"device":{"token":%b,"platform":%b' % (
        _operation("person", "add_device", person),
        encode_json(token),
        encode_json(platform),
    )
    if attributes:
        content = b'%b,"attributes":%b' % (content, attributes)
    time, takes_time = _own_time(_LAST_USED, seconds)
    return Draft("person.add_device", content + time, person[1], b"}}", takes_time=takes_time)


def delete_device(person: Named, token: str) -> Draft:
    content = b'%b,"device":{"token":%b}' % (
        _operation("person", "delete_device", person),
        encode_json(token),
    )
    return Draft("person.delete_device", content, person[1])


def merge(primary: Named, secondary: Named, primary_field: str, secondary_field: str) -> Draft:
    """`secondary` becomes part of `primary`. One person cannot be both."""
    if primary == secondary:
        raise RefusedError(f"`{primary_field}` and `{secondary_field}` are the same person")
    content = b'{"type":"person","action":"merge","primary":%b,"secondary":%b' % (primary[0], secondary[0])
    other = b"" if secondary[1] == primary[1] else secondary[1]
    return Draft("person.merge", content, primary[1], lane_secondary=other)


def object_action(action: str, object_: Named, attributes: bytes = b"", relationships: bytes = b"") -> Draft:
    """An operation on an object. None of them has a timestamp."""
    content = _with_attributes(_operation("object", action, object_), attributes, relationships)
    return Draft(f"object.{action}", content, object_[1])


def delivery_event(delivery_id: str, name: str, attributes: bytes) -> Draft:
    """What became of a message that Customer.io sent."""
    content = b'{"type":"delivery","action":"event","identifiers":{"id":%b},"name":%b,"attributes":%b' % (
        encode_json(delivery_id),
        encode_json(name),
        attributes,
    )
    return Draft("delivery.event", content, b"delivery:" + delivery_id.encode())


def relationship(identifiers: bytes, attributes: bytes) -> bytes:
    """One item of `cio_relationships`."""
    if attributes:
        return b'{"identifiers":%b,"relationship_attributes":%b}' % (identifiers, attributes)
    return b'{"identifiers":%b}' % identifiers


def relationship_list(items: Sequence[bytes]) -> bytes:
    """The JSON of `cio_relationships`; empty where there are none."""
    return b"[%b]" % b",".join(items) if items else b""


def _operation(type_: str, action: str, named: Named) -> bytes:
    return b'{"type":"%b","action":"%b","identifiers":%b' % (type_.encode(), action.encode(), named[0])


def _with_attributes(content: bytes, attributes: bytes, relationships: bytes) -> bytes:
    if attributes:
        content = b'%b,"attributes":%b' % (content, attributes)
    if relationships:
        content = b'%b,"cio_relationships":%b' % (content, relationships)
    return content


def _own_time(member: bytes, seconds: int | None) -> tuple[bytes, bytes]:
    """An event's own time, for the content; and the member in which the record's stands in where it has none."""
    return (b"", member) if seconds is None else (b"%b%d" % (member, seconds), b"")
