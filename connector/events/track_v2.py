"""Customer.io's own vocabulary: Track v2 operations, with `event_id` and `region` beside them.

An event of a person may name an `anonymous_id` alone; v2 knows no such events, so it goes to v1. Members that the
API does not know are left out. Source: Customer.io's Track API reference, v2 `entity`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from connector.events import encode
from connector.events.encode import Draft
from connector.events.identifiers import (
    ANONYMOUS_KINDS,
    PERSON_KINDS,
    PERSON_OR_ANONYMOUS_KINDS,
    RELATED_PERSON_KINDS,
    Identifiers,
    Named,
    id_text,
    object_,
    only_identifier,
    person,
    person_named,
    text_of,
)
from connector.events.raw import ABSENT, decode_within, has_member, json_object
from connector.events.refusal import RefusedError
from connector.events.timestamps import Timestamp, unix_seconds

PLATFORMS = ("ios", "android")
DELIVERY_EVENTS = ("opened", "converted", "delivered")


class Person(msgspec.Struct, tag_field="type", tag="person", frozen=True, gc=False):
    action: str
    identifiers: Identifiers | None = None
    event_id: str | int | None = None
    id: str | int | None = None
    region: str | None = None
    name: str | None = None
    timestamp: Timestamp | None = None
    attributes: msgspec.Raw = ABSENT
    cio_relationships: msgspec.Raw = ABSENT
    device: msgspec.Raw = ABSENT
    primary: Identifiers | None = None
    secondary: Identifiers | None = None


class Object(msgspec.Struct, tag_field="type", tag="object", frozen=True, gc=False):
    action: str
    identifiers: Identifiers | None = None
    event_id: str | int | None = None
    region: str | None = None
    attributes: msgspec.Raw = ABSENT
    cio_relationships: msgspec.Raw = ABSENT


class Delivery(msgspec.Struct, tag_field="type", tag="delivery", frozen=True, gc=False):
    action: str
    identifiers: Identifiers | None = None
    event_id: str | int | None = None
    region: str | None = None
    name: str | None = None
    attributes: msgspec.Raw = ABSENT


class _Relationship(msgspec.Struct, frozen=True):
    identifiers: Identifiers
    relationship_attributes: msgspec.Raw = ABSENT


class _Device(msgspec.Struct, frozen=True):
    token: str | int
    platform: str | None = None
    last_used: Timestamp | None = None
    attributes: msgspec.Raw = ABSENT


class _DeliveryAttributes(msgspec.Struct, frozen=True):
    device_token: str


_relationships = msgspec.json.Decoder(list[_Relationship] | None).decode
_device = msgspec.json.Decoder(_Device).decode
_string_members = msgspec.json.Decoder(dict[str, str]).decode
_delivery_attributes = msgspec.json.Decoder(_DeliveryAttributes).decode


def person_drafts(message: Person) -> tuple[Draft, ...]:
    """The operation that a `person` event is."""
    action = message.action
    if action in encode.EVENT_ACTIONS:
        return (_event(message, action),)
    operation = _PERSON_ACTIONS.get(action)
    if operation is None:
        raise RefusedError("`action` is not one of " + ", ".join((*encode.EVENT_ACTIONS, *_PERSON_ACTIONS)))
    return (operation(message),)


def object_drafts(message: Object) -> tuple[Draft, ...]:
    """The operation that an `object` event is."""
    action = message.action
    if action not in _OBJECT_ACTIONS:
        raise RefusedError("`action` is not one of " + ", ".join(_OBJECT_ACTIONS))
    named = object_(message.identifiers, "identifiers")
    if action == "delete":
        return (encode.object_action(action, named),)
    kinds = ANONYMOUS_KINDS if action == "identify_anonymous" else RELATED_PERSON_KINDS
    relationships = _related(message.cio_relationships, lambda ids, field: person(ids, kinds, field))
    if action != "identify":
        _require_relationships(relationships)
    if action in ("add_relationships", "delete_relationships"):
        return (encode.object_action(action, named, b"", relationships),)
    return (
        encode.object_action(action, named, json_object(message.attributes, "attributes"), relationships),
    )


def delivery_drafts(message: Delivery) -> tuple[Draft, ...]:
    """The operation that a `delivery` event is."""
    if message.action != "event":
        raise RefusedError("`action` is not `event`")
    _, value = only_identifier(message.identifiers, ("id",), "identifiers")
    if message.name not in DELIVERY_EVENTS:
        raise RefusedError("`name` is not one of " + ", ".join(DELIVERY_EVENTS))
    attributes = json_object(message.attributes, "attributes")
    token = decode_within("attributes", _delivery_attributes, attributes or b"{}").device_token
    text_of(token, "attributes.device_token")
    return (encode.delivery_event(id_text(value, "identifiers.id"), message.name, attributes),)


HANDLERS: dict[type, Callable[[Any], tuple[Draft, ...]]] = {
    Person: person_drafts,
    Object: object_drafts,
    Delivery: delivery_drafts,
}


def _event(message: Person, action: str) -> Draft:
    kind, value = only_identifier(message.identifiers, PERSON_OR_ANONYMOUS_KINDS, "identifiers")
    timestamp = message.timestamp
    build = encode.anonymous_event if kind == "anonymous_id" else encode.person_event
    return build(
        action,
        person_named(kind, value, "identifiers"),
        encode.event_name(message.name, "name"),
        None if timestamp is None else unix_seconds(timestamp, "timestamp"),
        json_object(message.attributes, "attributes"),
    )


def _identify(message: Person) -> Draft:
    attributes = json_object(message.attributes, "attributes")
    return encode.person_identify(
        _person(message),
        attributes,
        _related(message.cio_relationships, object_),
        _seconds(message.timestamp),
        update_only=has_member(attributes, "_update"),
    )


def _plain(message: Person) -> Draft:
    return encode.person_action(message.action, _person(message))


def _change_relationships(message: Person) -> Draft:
    relationships = _related(message.cio_relationships, object_)
    _require_relationships(relationships)
    return encode.person_relationships(message.action, _person(message), relationships)


def _add_device(message: Person) -> Draft:
    named, device = _person(message), _device_of(message)
    if device.platform not in PLATFORMS:
        raise RefusedError("`device.platform` is not one of " + ", ".join(PLATFORMS))
    attributes = json_object(device.attributes, "device.attributes")
    if attributes:
        decode_within("device.attributes", _string_members, attributes)
    seconds = None if device.last_used is None else unix_seconds(device.last_used, "device.last_used")
    return encode.add_device(
        named, text_of(device.token, "device.token"), device.platform, seconds, attributes
    )


def _delete_device(message: Person) -> Draft:
    return encode.delete_device(_person(message), text_of(_device_of(message).token, "device.token"))


def _merge(message: Person) -> Draft:
    return encode.merge(
        person(message.primary, RELATED_PERSON_KINDS, "primary"),
        person(message.secondary, RELATED_PERSON_KINDS, "secondary"),
        "primary",
        "secondary",
    )


_PERSON_ACTIONS: dict[str, Callable[[Person], Draft]] = {
    "identify": _identify,
    "delete": _plain,
    "suppress": _plain,
    "unsuppress": _plain,
    "add_relationships": _change_relationships,
    "delete_relationships": _change_relationships,
    "add_device": _add_device,
    "delete_device": _delete_device,
    "merge": _merge,
}
_OBJECT_ACTIONS = ("identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships")


def _person(message: Person) -> Named:
    return person(message.identifiers, PERSON_KINDS, "identifiers")


def _seconds(timestamp: Timestamp | None) -> int | None:
    return None if timestamp is None else unix_seconds(timestamp, "timestamp")


def _device_of(message: Person) -> _Device:
    return decode_within("device", _device, json_object(message.device, "device") or b"{}")


def _related(raw: msgspec.Raw, named: Callable[[Identifiers, str], Named]) -> bytes:
    """`cio_relationships` with their ids as strings."""
    items = decode_within("cio_relationships", _relationships, bytes(raw) or b"null") or ()
    return encode.relationship_list(
        [
            encode.relationship(
                named(item.identifiers, f"cio_relationships[{index}].identifiers")[0],
                json_object(
                    item.relationship_attributes, f"cio_relationships[{index}].relationship_attributes"
                ),
            )
            for index, item in enumerate(items)
        ]
    )


def _require_relationships(relationships: bytes) -> None:
    if not relationships:
        raise RefusedError("`cio_relationships` is missing or empty")
