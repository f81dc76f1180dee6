"""The v1 calls that Customer.io's own SDKs make, read by the rules of the API reference.

An identifier in a path is told apart by its shape: an e-mail address, the prefix `cio_`, else an id.
"""

from typing import Any

import msgspec

from connector.simulator import fields, limits
from connector.simulator.operation import InvalidError, Operation
from connector.simulator.v2 import Document, read_merge

_EVENT = frozenset(("name", "id", "type", "timestamp", "data"))
_ANONYMOUS_EVENT = _EVENT | {"anonymous_id"}
_RESERVED = frozenset(("_timestamp", "cio_relationships"))
_PUSH_EVENT = frozenset(("delivery_id", "event", "device_id", "timestamp"))


def person_in_path(identifier: str) -> str:
    """The person that a path names."""
    fields.text(identifier, "identifier", limits.ID_BYTES)
    if "@" in identifier:
        return f"email:{identifier}"
    if identifier.startswith("cio_"):
        return f"cio_id:{identifier[4:]}"
    return f"id:{identifier}"


def read_identify(identifier: str, document: Document) -> Operation:
    """`PUT /api/v1/customers/{identifier}`: the body is the attributes."""
    person = person_in_path(identifier)
    attributes = {name: value for name, value in document.items() if name not in _RESERVED}
    fields.person_attributes(attributes, "attributes")
    timestamp = fields.timestamp(document["_timestamp"], "_timestamp") if "_timestamp" in document else None
    if "cio_relationships" in document:
        _relationships(document["cio_relationships"])
    return Operation(
        "person.identify",
        person,
        timestamp=timestamp,
        attributes=attributes,
        update_only=attributes.get("_update", False),
    )


def _relationships(value: Any) -> None:
    change = fields.object_field(value, "cio_relationships")
    fields.only_fields(change, frozenset(("action", "relationships")), "cio_relationships.")
    fields.required_fields(change, ("action", "relationships"), "cio_relationships.")
    if change["action"] not in ("add_relationships", "delete_relationships"):
        raise InvalidError("cio_relationships.action", "must be add_relationships or delete_relationships")
    fields.relationships(change["relationships"], "cio_relationships.relationships", "object")


def read_event(identifier: str, document: Document) -> Operation:
    """`POST /api/v1/customers/{identifier}/events`."""
    fields.only_fields(document, _EVENT)
    return _event(document, "person", person_in_path(identifier))


def read_anonymous_event(document: Document) -> Operation:
    """`POST /api/v1/events`. Without `anonymous_id` it is an event that can never be joined to a person."""
    fields.only_fields(document, _ANONYMOUS_EVENT)
    anonymous_id = ""
    if "anonymous_id" in document:
        anonymous_id = fields.text(document["anonymous_id"], "anonymous_id", limits.ID_BYTES)
    return _event(document, "anonymous", f"anonymous:{anonymous_id}")


def _event(document: Document, kind: str, identifier: str) -> Operation:
    fields.required_fields(document, ("name",))
    event_type = document.get("type", "event")
    if event_type not in ("event", "page", "screen"):
        raise InvalidError("type", "must be event, page or screen")
    data = fields.object_field(document.get("data", {}), "data")
    if len(msgspec.json.encode(data)) > limits.EVENT_DATA_BYTES:
        raise InvalidError("data", f"cannot be longer than {limits.EVENT_DATA_BYTES} bytes", "too_long")
    return Operation(
        f"{kind}.{event_type}",
        identifier,
        fields.ulid(document["id"]) if "id" in document else "",
        fields.timestamp(document["timestamp"]) if "timestamp" in document else None,
        fields.event_name(document["name"]),
        data,
    )


def read_device(identifier: str, document: Document) -> Operation:
    """`PUT /api/v1/customers/{identifier}/devices`."""
    fields.only_fields(document, frozenset(("device",)))
    fields.required_fields(document, ("device",))
    token = fields.device(document["device"], "id")
    return Operation("person.add_device", person_in_path(identifier), device_token=token)


def read_merge_customers(document: Document) -> Operation:
    """`POST /api/v1/merge_customers`."""
    fields.only_fields(document, frozenset(("primary", "secondary")))
    fields.required_fields(document, ("primary", "secondary"))
    return read_merge(document)


def read_push_event(document: Document) -> Operation:
    """`POST /api/v1/push/events`: a device reports what became of a push message."""
    fields.only_fields(document, _PUSH_EVENT)
    fields.required_fields(document, ("delivery_id", "event", "device_id"))
    if document["event"] not in ("opened", "converted", "delivered"):
        raise InvalidError("event", "must be opened, converted or delivered")
    fields.text(document["device_id"], "device_id")
    return Operation(
        "delivery.event",
        f"delivery:{fields.text(document['delivery_id'], 'delivery_id', limits.ID_BYTES)}",
        timestamp=fields.timestamp(document["timestamp"]) if "timestamp" in document else None,
        name=document["event"],
    )
