"""Track calls whose name has a meaning of its own: Customer.io documents them as semantic events.

A deletion request that became a plain event would delete nobody. Where the call is an event and a change of a device,
the device goes first: the event may start a campaign, and that should push to the device that is there by now, or
not to the one that is gone.
"""

from collections.abc import Callable, Mapping

import msgspec

from connector.events import encode
from connector.events.encode import Draft
from connector.events.identifiers import Named, encode_json, id_text, object_named, text_of
from connector.events.options import SegmentOptions
from connector.events.raw import json_object, members, object_or_nothing, scalar
from connector.events.refusal import RefusedError
from connector.events.segment_calls import (
    Track,
    context_of,
    event_draft,
    person_of,
    required_person,
    seconds_of,
)
from connector.events.track_v2 import DELIVERY_EVENTS

_PLATFORMS = {"android": "android"} | dict.fromkeys(("ios", "ipados", "tvos", "watchos", "visionos"), "ios")


def object_type(
    given: Mapping[str, msgspec.Raw], within: str, options: SegmentOptions
) -> tuple[str, str | int]:
    """The object type, from `object_type_id` or `objectTypeId` or the settings: the field that names it, and it."""
    return _first_id(given, ("object_type_id", "objectTypeId"), within) or (
        "segment.object_type_id",
        options.object_type_id,
    )


def _first_id(
    given: Mapping[str, msgspec.Raw], names: tuple[str, ...], within: str
) -> tuple[str, str | int] | None:
    for name in names:
        raw = given.get(name)
        if raw is None or bytes(raw) == b"null":
            continue
        value = scalar(raw)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RefusedError(f"`{within}.{name}` is neither a string nor a whole number")
        return f"{within}.{name}", value
    return None


def _properties(call: Track) -> dict[str, msgspec.Raw]:
    return members(json_object(call.properties, "properties"))


def _person_action(action: str) -> Callable[[SegmentOptions, Track], tuple[Draft, ...]]:
    def handle(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
        return (encode.person_action(action, required_person(call, options)),)

    return handle


def _device(call: Track) -> tuple[str, str | None] | None:
    """The token and platform of the call's device; a platform that Customer.io does not know is None."""
    for within, given in (("context", context_of(call)), ("properties", _properties(call))):
        device = members(object_or_nothing(given.get("device")))
        token = _first_id(device, ("token",), f"{within}.device")
        if token is not None:
            type_ = scalar(device.get("type"))
            platform = _PLATFORMS.get(type_.lower()) if isinstance(type_, str) else None
            return text_of(token[1], token[0]), platform
    return None


def _required_token(device: tuple[str, str | None] | None) -> str:
    if device is None:
        raise RefusedError("`context.device.token` is missing")
    return device[0]


def _device_created(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    person, device = required_person(call, options), _device(call)
    token = _required_token(device)
    if device is None or device[1] is None:
        raise RefusedError("`context.device.type` is neither iOS (or its kin) nor Android")
    return (encode.add_device(person, token, device[1], seconds_of(call), _device_attributes(call)),)


def _device_attributes(call: Track) -> bytes:
    """The properties as strings, which is what a device's attributes are; what is nested, as its JSON."""
    attributes: dict[str, msgspec.Raw | str] = {}
    for name, raw in _properties(call).items():
        value = bytes(raw)
        if name != "device" and value != b"null":
            attributes[name] = raw if value.startswith(b'"') else value.decode()
    return encode_json(attributes) if attributes else b""


def _device_deleted(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    return (encode.delete_device(required_person(call, options), _required_token(_device(call))),)


def _application_event(add: bool) -> Callable[[SegmentOptions, Track], tuple[Draft, ...]]:
    """An event, and a change of the device where the call names a person and a device of a known platform."""

    def handle(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
        person, device = person_of(call, options), _device(call)
        name = encode.event_name(call.event and call.event.strip(), "event")
        event = event_draft("event", call, name, person, json_object(call.properties, "properties"))
        if person is None or device is None:
            return (event,)
        token, platform = device
        if not add:
            return (encode.delete_device(person, token), event)
        if platform is None:
            return (event,)
        return (encode.add_device(person, token, platform, seconds_of(call), b""), event)

    return handle


def _object(options: SegmentOptions, call: Track) -> Named:
    properties = _properties(call)
    type_field, type_id = object_type(properties, "properties", options)
    found = _first_id(properties, ("object_id", "objectId"), "properties")
    if found is None and call.group_id is not None:
        found = ("groupId", call.group_id)
    if found is None:
        found = _first_id(context_of(call), ("groupId",), "context")
    if found is None:
        raise RefusedError("`properties.objectId` is missing, and so are `groupId` and `context.groupId`")
    id_field, object_id = found
    return object_named(type_id, object_id, type_field, id_field)


def _object_deleted(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    return (encode.object_action("delete", _object(options, call)),)


def _relationship_deleted(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    # From the object's side, as a group call adds it: both keep their order in the object's lane.
    relationships = encode.relationship_list([encode.relationship(required_person(call, options)[0], b"")])
    return (encode.object_action("delete_relationships", _object(options, call), b"", relationships),)


def _delivery_reported(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    properties = _properties(call)
    delivery_id = _first_id(properties, ("deliveryId",), "properties")
    if delivery_id is None:
        raise RefusedError("`properties.deliveryId` is missing")
    metric = scalar(properties.get("metric"))
    if metric not in DELIVERY_EVENTS:
        raise RefusedError("`properties.metric` is not one of " + ", ".join(DELIVERY_EVENTS))
    token = _first_id(properties, ("recipient",), "properties")
    if token is None:
        raise RefusedError("`properties.recipient`, the device's token, is missing")
    attributes = b'{"device_token":%b}' % encode_json(text_of(token[1], token[0]))
    return (encode.delivery_event(id_text(delivery_id[1], delivery_id[0]), metric, attributes),)


SEMANTIC_EVENTS: dict[str, Callable[[SegmentOptions, Track], tuple[Draft, ...]]] = {
    "User Deleted": _person_action("delete"),
    "User Suppressed": _person_action("suppress"),
    "User Unsuppressed": _person_action("unsuppress"),
    "Device Created or Updated": _device_created,
    "Device Deleted": _device_deleted,
    "Application Installed": _application_event(add=True),
    "Application Opened": _application_event(add=True),
    "Application Uninstalled": _application_event(add=False),
    "Object Deleted": _object_deleted,
    "Relationship Deleted": _relationship_deleted,
    "Report Delivery Event": _delivery_reported,
}
