"""Raw JSON values that pass through: what little must be known about them is asked for here."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from connector.events.refusal import RefusedError

ABSENT = msgspec.Raw(b"")
"""The default of a raw field: msgspec's own way to say that a raw value was not there."""

_Decoded = TypeVar("_Decoded")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def json_object(raw: msgspec.Raw, field: str) -> bytes:
    """The bytes of a JSON object; empty where there is none or it is null."""
    value = bytes(raw)
    if not value or value[0] == 0x7B:  # {
        return value
    if value == b"null":
        return b""
    raise RefusedError(f"`{field}` is not an object")


def object_or_nothing(raw: msgspec.Raw | None) -> bytes:
    """The same where anything else is as good as absent."""
    value = bytes(raw) if raw is not None else b""
    return value if value[:1] == b"{" else b""


def members(json: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, their values raw. Of a repeated name the last counts."""
    return _members(json) if json else {}


def may_have_member(json: bytes, name: str) -> bool:
    """Whether a JSON object may have a member of this name, told without parsing it: False is certain."""
    return b'"%b"' % name.encode() in json or b"\\u" in json  # a name may be written with escapes


def has_member(json: bytes, name: str) -> bool:
    """Whether a JSON object has a member of this name."""
    return may_have_member(json, name) and name in members(json)


def scalar(raw: msgspec.Raw | None) -> Any:
    """A string, number, boolean or null as Python has it; None for anything else or nothing."""
    value = bytes(raw) if raw is not None else b""
    if not value or value[0] in b"{[":
        return None
    try:
        return msgspec.json.decode(value)
    except msgspec.ValidationError:  # a number beyond all bounds
        return None


def decode_within(field: str, decode: Callable[[bytes], _Decoded], json: bytes) -> _Decoded:
    """Decodes a part of an event, so that an error says in which."""
    try:
        return decode(json)
    except msgspec.ValidationError as error:
        raise RefusedError(f"in `{field}`: {error}") from None
