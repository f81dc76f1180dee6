"""The operations of `POST /api/v2/entity` and `POST /api/v2/batch`, by the rules of the reference."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from connector.simulator import fields
from connector.simulator.operation import InvalidError, Operation

Document = dict[str, Any]


class Shape(NamedTuple):
    """What an operation holds besides `type` and `action`."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Document, str], Operation]

    @property
    def allowed(self) -> frozenset[str]:
        return frozenset(("type", "action", *self.required, *self.optional))


def read_operation(document: Any) -> Operation:
    """One operation. Raises `InvalidError` at the first rule that it breaks."""
    if type(document) is not dict:
        raise InvalidError("", "must be an object")
    fields.required_fields(document, ("type", "action"))
    kind, action = document["type"], document["action"]
    if type(kind) is not str or kind not in _TYPES:
        raise InvalidError("type", f"must be one of {', '.join(_TYPES)}")
    if type(action) is not str or action not in _TYPES[kind]:
        raise InvalidError("action", f"must be one of {', '.join(_TYPES[kind])}")
    shape = _TYPES[kind][action]
    fields.only_fields(document, _ALLOWED[f"{kind}.{action}"])
    fields.required_fields(document, shape.required)
    return shape.read(document, sys.intern(f"{kind}.{action}"))


def known_action(kind: Any, action: Any) -> str:
    """`person.event`, ... where there is such an operation, else empty."""
    known = type(kind) is str and type(action) is str and action in _TYPES.get(kind, ())
    return f"{kind}.{action}" if known else ""


def forgive(document: Any) -> Any:
    """What Customer.io forgives: unknown fields, numbers as identifiers, invalid timestamps and event ids."""
    if type(document) is not dict:
        return document
    allowed = _ALLOWED.get(known_action(document.get("type"), document.get("action")))
    if allowed is not None:
        document = {name: value for name, value in document.items() if name in allowed}
    for name in ("identifiers", "primary", "secondary"):
        if type(document.get(name)) is dict:
            document[name] = {
                key: str(value) if type(value) is int else value for key, value in document[name].items()
            }
    return forgive_event(document)


def forgive_event(document: Document) -> Document:
    """Leaves out an invalid timestamp or event id: taken as the time of receipt, and as no id."""
    for name, check in (("timestamp", fields.timestamp), ("id", fields.ulid)):
        if name in document:
            try:
                check(document[name])
            except InvalidError:
                document = {key: value for key, value in document.items() if key != name}
    return document


def _person(document: Document) -> str:
    return fields.one_identifier(document["identifiers"], "identifiers", fields.PERSON_IDENTIFIERS)


def _timestamp(document: Document) -> int | None:
    return fields.timestamp(document["timestamp"]) if "timestamp" in document else None


def _person_identify(document: Document, action: str) -> Operation:
    attributes = fields.person_attributes(document.get("attributes", {}))
    if "cio_relationships" in document:
        fields.relationships(document["cio_relationships"], "cio_relationships", "object")
    return Operation(
        action,
        _person(document),
        timestamp=_timestamp(document),
        attributes=attributes,
        update_only=attributes.get("_update", False),
    )


def _person_event(document: Document, action: str) -> Operation:
    return Operation(
        action,
        _person(document),
        fields.ulid(document["id"]) if "id" in document else "",
        _timestamp(document),
        fields.event_name(document["name"]),
        fields.object_field(document.get("attributes", {}), "attributes"),
    )


def _person_alone(document: Document, action: str) -> Operation:
    return Operation(action, _person(document))


def _person_relationships(document: Document, action: str) -> Operation:
    fields.relationships(document["cio_relationships"], "cio_relationships", "object")
    return Operation(action, _person(document))


def _add_device(document: Document, action: str) -> Operation:
    return Operation(action, _person(document), device_token=fields.device(document["device"], "token"))


def _delete_device(document: Document, action: str) -> Operation:
    device = fields.object_field(document["device"], "device")
    fields.only_fields(device, frozenset(("token",)), "device.")
    fields.required_fields(device, ("token",), "device.")
    return Operation(action, _person(document), device_token=fields.text(device["token"], "device.token"))


def read_merge(document: Document, action: str = "person.merge") -> Operation:
    """`primary` and `secondary`, of v2's merge and of v1's alike."""
    names = fields.RELATED_PERSON_IDENTIFIERS
    primary = fields.one_identifier(document["primary"], "primary", names)
    secondary = fields.one_identifier(document["secondary"], "secondary", names)
    if primary == secondary:
        raise InvalidError("secondary", "must be another person than primary")
    return Operation(action, primary, identifier_secondary=secondary)


def _object_identify(document: Document, action: str) -> Operation:
    related = "anonymous" if action == "object.identify_anonymous" else "person"
    if "cio_relationships" in document:
        fields.relationships(document["cio_relationships"], "cio_relationships", related)
    return Operation(
        action,
        fields.object_identifier(document["identifiers"], "identifiers"),
        attributes=fields.attributes(document.get("attributes", {})),
    )


def _object_alone(document: Document, action: str) -> Operation:
    return Operation(action, fields.object_identifier(document["identifiers"], "identifiers"))


def _object_relationships(document: Document, action: str) -> Operation:
    fields.relationships(document["cio_relationships"], "cio_relationships", "person")
    return Operation(action, fields.object_identifier(document["identifiers"], "identifiers"))


def _delivery_event(document: Document, action: str) -> Operation:
    identifier = fields.one_identifier(document["identifiers"], "identifiers", ("id",))
    name = document["name"]
    if name not in ("opened", "converted", "delivered"):
        raise InvalidError("name", "must be opened, converted or delivered")
    attributes = fields.object_field(document["attributes"], "attributes")
    fields.required_fields(attributes, ("device_token",), "attributes.")
    fields.text(attributes["device_token"], "attributes.device_token")
    return Operation(action, f"delivery:{identifier[3:]}", name=name, attributes=attributes)


_WHO = ("identifiers",)
_EVENT = Shape((*_WHO, "name"), ("id", "timestamp", "attributes"), _person_event)
_ALONE = Shape(_WHO, (), _person_alone)
_RELATIONSHIPS = Shape((*_WHO, "cio_relationships"), (), _person_relationships)
_OBJECT_IDENTIFY = Shape(_WHO, ("attributes", "cio_relationships"), _object_identify)
_OBJECT_RELATIONSHIPS = Shape((*_WHO, "cio_relationships"), (), _object_relationships)

_TYPES: dict[str, dict[str, Shape]] = {
    "person": {
        "identify": Shape(_WHO, ("attributes", "timestamp", "cio_relationships"), _person_identify),
        "delete": _ALONE,
        "event": _EVENT,
        "page": _EVENT,
        "screen": _EVENT,
        "add_relationships": _RELATIONSHIPS,
        "delete_relationships": _RELATIONSHIPS,
        "add_device": Shape((*_WHO, "device"), (), _add_device),
        "delete_device": Shape((*_WHO, "device"), (), _delete_device),
        "merge": Shape(("primary", "secondary"), (), read_merge),
        "suppress": _ALONE,
        "unsuppress": _ALONE,
    },
    "object": {
        "identify": _OBJECT_IDENTIFY,
        "identify_anonymous": _OBJECT_IDENTIFY,
        "delete": Shape(_WHO, (), _object_alone),
        "add_relationships": _OBJECT_RELATIONSHIPS,
        "delete_relationships": _OBJECT_RELATIONSHIPS,
    },
    "delivery": {"event": Shape((*_WHO, "name", "attributes"), (), _delivery_event)},
}
_ALLOWED = {
    f"{kind}.{action}": shape.allowed for kind, actions in _TYPES.items() for action, shape in actions.items()
}
