"""The rules of the API reference for single fields. A check returns what it read or raises `InvalidError`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connector.simulator import limits
from connector.simulator.operation import InvalidError

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PHONE = re.compile(r"\+[0-9]{1,15}")
_OBJECT_TYPE_ID = re.compile(r"[1-9][0-9]*")
_TIMESTAMP_LIMIT = 100_000_000_000
"""Seconds until the year 5138: beyond it stand milliseconds."""

PERSON_IDENTIFIERS = ("id", "email", "phone", "cio_id")
RELATED_PERSON_IDENTIFIERS = ("id", "email", "cio_id")


def utf8_length(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def only_fields(document: Mapping[str, Any], allowed: frozenset[str], where: str = "") -> None:
    """Nothing but `allowed`."""
    for name in document:
        if name not in allowed:
            raise InvalidError(where + name, "unknown field", "unknown_field")


def required_fields(document: Mapping[str, Any], required: Iterable[str], where: str = "") -> None:
    """All of `required`."""
    for name in required:
        if name not in document:
            raise InvalidError(where + name, "is required", "required")


def object_field(value: Any, field: str) -> dict[str, Any]:
    """A JSON object."""
    if type(value) is not dict:
        raise InvalidError(field, "must be an object")
    return value


def text(value: Any, field: str, bytes_limit: int | None = None) -> str:
    """A string that is not empty."""
    if type(value) is not str:
        raise InvalidError(field, "must be a string")
    if not value:
        raise InvalidError(field, "cannot be empty")
    if bytes_limit is not None and utf8_length(value) > bytes_limit:
        raise InvalidError(field, f"cannot be longer than {bytes_limit} bytes", "too_long")
    return value


def one_identifier(value: Any, field: str, names: tuple[str, ...]) -> str:
    """Exactly one of `names`, as `name:value`."""
    identifiers = object_field(value, field)
    if len(identifiers) != 1:
        raise InvalidError(field, f"must hold exactly one of {', '.join(names)}")
    ((name, content),) = identifiers.items()
    if name not in names:
        raise InvalidError(f"{field}.{name}", f"must be one of {', '.join(names)}")
    text(content, f"{field}.{name}", limits.ID_BYTES)
    if name == "phone" and not _PHONE.fullmatch(content):
        raise InvalidError(f"{field}.phone", "must be in E.164 format")
    return f"{name}:{content}"


def object_identifier(value: Any, field: str) -> str:
    """`object_type_id` and `object_id`, or `cio_object_id`."""
    identifiers = object_field(value, field)
    if "cio_object_id" in identifiers:
        return one_identifier(identifiers, field, ("cio_object_id",))
    only_fields(identifiers, frozenset(("object_type_id", "object_id")), f"{field}.")
    required_fields(identifiers, ("object_type_id", "object_id"), f"{field}.")
    object_type_id = text(identifiers["object_type_id"], f"{field}.object_type_id")
    if not _OBJECT_TYPE_ID.fullmatch(object_type_id):
        raise InvalidError(f"{field}.object_type_id", "must be an integer written as a string, from 1 on")
    return f"object:{object_type_id}:{text(identifiers['object_id'], f'{field}.object_id', limits.ID_BYTES)}"


def timestamp(value: Any, field: str = "timestamp") -> int:
    """Unix seconds."""
    if type(value) is not int:
        raise InvalidError(field, "must be an integer")
    if not 0 <= value < _TIMESTAMP_LIMIT:
        raise InvalidError(field, "must be a Unix time in seconds")
    return value


def ulid(value: Any, field: str = "id") -> str:
    """A ULID: 26 characters of Crockford's base 32, upper case, 128 bits."""
    if type(value) is not str or not _ULID.fullmatch(value):
        raise InvalidError(field, "must be a valid ULID")
    return value


def event_name(value: Any, field: str = "name") -> str:
    """An event's name."""
    return text(value, field, limits.EVENT_NAME_BYTES)


def attributes(value: Any, field: str = "attributes") -> dict[str, Any]:
    """Attributes of a person, object or relationship: limits of names, values and count."""
    content = object_field(value, field)
    if len(content) > limits.ATTRIBUTES:
        raise InvalidError(field, f"cannot hold more than {limits.ATTRIBUTES} attributes", "too_many")
    for name, attribute in content.items():
        if utf8_length(name) > limits.ATTRIBUTE_NAME_BYTES:
            shown = name[:20] + "..."
            raise InvalidError(
                f"{field}.{shown}", f"property name cannot be longer than {limits.ATTRIBUTE_NAME_BYTES} bytes"
            )
        kind = type(attribute)
        if kind is str:
            size = utf8_length(attribute)
        elif kind is dict or kind is list:
            size = len(msgspec.json.encode(attribute))
        else:
            continue
        if size > limits.ATTRIBUTE_VALUE_BYTES:
            raise InvalidError(
                f"{field}.{name}",
                f"property value cannot be longer than {limits.ATTRIBUTE_VALUE_BYTES} bytes",
            )
    return content


def person_attributes(value: Any, field: str = "attributes") -> dict[str, Any]:
    """Attributes of a person: also `_update`, a boolean."""
    content = attributes(value, field)
    if type(content.get("_update", False)) is not bool:
        raise InvalidError(f"{field}._update", "must be a boolean")
    return content


_RELATIONSHIP = frozenset(("identifiers", "relationship_attributes"))


def relationships(value: Any, field: str, identifier: str) -> None:
    """A list of relationships to what `identifier` says: "object", "person", or "anonymous" for those who have
    not identified themselves yet."""
    if type(value) is not list:
        raise InvalidError(field, "must be an array")
    for index, item in enumerate(value):
        where = f"{field}[{index}]"
        relationship = object_field(item, where)
        only_fields(relationship, _RELATIONSHIP, f"{where}.")
        required_fields(relationship, ("identifiers",), f"{where}.")
        identifiers = relationship["identifiers"]
        if identifier == "object":
            object_identifier(identifiers, f"{where}.identifiers")
        elif identifier == "person":
            one_identifier(identifiers, f"{where}.identifiers", RELATED_PERSON_IDENTIFIERS)
        else:
            one_identifier(identifiers, f"{where}.identifiers", ("anonymous_id",))
        if "relationship_attributes" in relationship:
            attributes(relationship["relationship_attributes"], f"{where}.relationship_attributes")


def device(value: Any, token_field: str) -> str:
    """The token of a device to add. `token_field` is `token` in v2 and `id` in v1."""
    content = object_field(value, "device")
    only_fields(content, frozenset((token_field, "platform", "last_used", "attributes")), "device.")
    required_fields(content, (token_field, "platform"), "device.")
    token = text(content[token_field], f"device.{token_field}")
    if content["platform"] not in ("ios", "android"):
        raise InvalidError("device.platform", "must be ios or android")
    if "last_used" in content:
        timestamp(content["last_used"], "device.last_used")
    if "attributes" in content:
        for name, attribute in attributes(content["attributes"], "device.attributes").items():
            if type(attribute) is not str:
                raise InvalidError(f"device.attributes.{name}", "must be a string")
    return token
