"""Whom an operation concerns: the `identifiers` that are sent, and the lane in which their order is kept.

Ids that arrive as JSON integers are sent as strings, which is what Customer.io takes: `42` and `"42"` are one person.
An id that is empty or only white space is refused: many people would become one.
"""

import re
from collections.abc import Collection

import msgspec

from connector.events.limits import ID_BYTES_MAX
from connector.events.refusal import RefusedError

Identifiers = dict[str, str | int | None]
"""As JSON has them. A null is as good as absent."""

Named = tuple[bytes, bytes]
"""The JSON object to send as `identifiers`, and the lane."""

PERSON_KINDS = ("id", "email", "phone", "cio_id")
PERSON_OR_ANONYMOUS_KINDS = (*PERSON_KINDS, "anonymous_id")
"""Events alone may be anonymous."""
RELATED_PERSON_KINDS = ("id", "email", "cio_id")
"""What a relationship or a merge may name people by."""
ANONYMOUS_KINDS = ("anonymous_id",)

_JSON_PREFIX = {kind: b'{"%b":' % kind.encode() for kind in PERSON_OR_ANONYMOUS_KINDS}
_LANE_PREFIX = {kind: b"%b:" % kind.encode() for kind in PERSON_KINDS} | {"anonymous_id": b"anonymous:"}

_is_phone_number = re.compile(r"\+[0-9]{1,15}").fullmatch
_is_object_type = re.compile(r"[1-9][0-9]*").fullmatch

encode_json = msgspec.json.Encoder().encode


def text_of(value: str | int, field: str) -> str:
    """A string or whole number as the text that is sent."""
    text = value if type(value) is str else str(value)
    if not text or text.isspace():
        raise RefusedError(f"`{field}` is empty")
    return text


def id_text(value: str | int, field: str) -> str:
    """The id of a person, object or delivery as the text that is sent."""
    text = text_of(value, field)
    if len(text.encode()) > ID_BYTES_MAX:
        raise RefusedError(f"`{field}` is longer than {ID_BYTES_MAX} bytes")
    return text


def person_named(kind: str, value: str | int, field: str) -> Named:
    """The person whose identifier of this kind has this value.

    E-mail addresses name the same person in upper and lower case, so their lane is in lower case.
    """
    text = id_text(value, field)
    if kind == "phone" and not _is_phone_number(text):
        raise RefusedError(f"`{field}` is not in E.164 format: a plus sign and up to 15 digits")
    lane = _LANE_PREFIX[kind] + text.encode()
    return b"%b%b}" % (_JSON_PREFIX[kind], encode_json(text)), lane.lower() if kind == "email" else lane


def only_identifier(
    identifiers: Identifiers | None, kinds: Collection[str], field: str
) -> tuple[str, str | int]:
    """The one identifier that is given: its kind and value."""
    if identifiers:
        for kind, value in identifiers.items():
            if (
                value is not None
                and kind in kinds
                and (len(identifiers) == 1 or _is_alone(kind, identifiers))
            ):
                return kind, value
    names = ", ".join(f"`{kind}`" for kind in kinds)
    raise RefusedError(f"`{field}` does not hold exactly one of {names}")


def _is_alone(kind: str, identifiers: Identifiers) -> bool:
    return all(value is None for other, value in identifiers.items() if other != kind)


def person(identifiers: Identifiers | None, kinds: Collection[str], field: str) -> Named:
    """The person that `identifiers` name."""
    kind, value = only_identifier(identifiers, kinds, field)
    return person_named(kind, value, field)


def object_named(type_id: str | int, object_id: str | int, type_field: str, id_field: str) -> Named:
    """The object of this type with this id."""
    type_text = text_of(type_id, type_field)
    if not _is_object_type(type_text):
        raise RefusedError(f"`{type_field}` is not a whole number from 1 on")
    id_ = id_text(object_id, id_field)
    json = b'{"object_type_id":"%b","object_id":%b}' % (type_text.encode(), encode_json(id_))
    return json, b"object:%b:%b" % (type_text.encode(), id_.encode())


def object_(identifiers: Identifiers | None, field: str) -> Named:
    """The object that `identifiers` name, by type and id or by Customer.io's own id."""
    given = {kind: value for kind, value in (identifiers or {}).items() if value is not None}
    if given.keys() == {"object_type_id", "object_id"}:
        return object_named(
            given["object_type_id"], given["object_id"], f"{field}.object_type_id", f"{field}.object_id"
        )
    if given.keys() == {"cio_object_id"}:
        text = id_text(given["cio_object_id"], f"{field}.cio_object_id")
        return b'{"cio_object_id":%b}' % encode_json(text), b"cio_object_id:" + text.encode()
    raise RefusedError(f"`{field}` holds neither `object_type_id` and `object_id` nor `cio_object_id` alone")
