"""Dead letters as JSON lines, for a person to mend in an editor, and back. Pure.

A line holds the place and reason of the dead letter and the record that it was. A value that is a JSON object stands as
it is, so that it can be edited, and any other as a string of its text; what is no UTF-8 stands in `key_base64`,
`value_base64`; null is none. To import, `topic` and a value are enough.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import IO, Annotated, Any, NamedTuple, TypeGuard

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from connector.dead_letters.letter import DeadLetter, Origin
from connector.dead_letters.outgoing import Outgoing, with_replay
from connector.errors import InputFileError
from connector.events.record import Headers

LINE_BYTES_MAX = 64 * 1024 * 1024
_HOW = "Each line is a JSON object as dlq export writes it"


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    value: str | None = None
    value_base64: str | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}\Z")]
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    timestamp: Annotated[int, Meta(ge=-1, le=2**63 - 1)] = -1
    place: str | None = None
    reason: str | None = None
    message: str | None = None
    attempts: int | None = None
    truncated: int | None = None
    key: str | None = None
    key_base64: str | None = None
    headers: list[_Header] = []
    value: Raw | UnsetType = UNSET
    value_base64: str | None = None


_line = msgspec.json.Decoder(_Line)
_any_object = msgspec.json.Decoder(dict[str, Raw])


class Imported(NamedTuple):
    """A record for its topic, and the line it stands in."""

    number: int
    record: Outgoing


class WithoutValue(NamedTuple):
    """The line of a dead letter whose value was cut off, and which nobody has given one."""

    number: int


def line_of(letter: DeadLetter) -> bytes:
    """The line, with its end."""
    origin = letter.origin
    fields: dict[str, Any] = {
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "timestamp": origin.timestamp_ms,
        "place": str(letter.place),
        "reason": letter.reason,
        "message": letter.message,
    }
    if letter.attempts is not None:
        fields["attempts"] = letter.attempts
    if letter.truncated_bytes is not None:
        fields["truncated"] = letter.truncated_bytes
    fields |= _text_or_base64("key", letter.key)
    fields["headers"] = [{"name": name} | _text_or_base64("value", value) for name, value in letter.headers]
    value = letter.value
    fields |= {"value": Raw(value)} if _is_object(value) else _text_or_base64("value", value)
    return msgspec.json.encode(fields) + b"\n"


def read_lines(file: IO[bytes], cluster_id: str) -> Iterator[Imported | WithoutValue]:
    """The records of a file, with the header that says they were dead letters; empty lines are passed over. Raises
    InputFileError, with the number, at a bad line."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise InputFileError(f"line {number} is longer than {LINE_BYTES_MAX} bytes", _HOW)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        text = line.strip()
        if text:
            try:
                yield _read(text, number, cluster_id)
            except ValueError as error:
                raise InputFileError(f"line {number}: {_words(error)}", _HOW) from None
            except RecursionError:
                raise InputFileError(f"line {number}: it is nested too deeply", _HOW) from None


def _read(text: bytes, number: int, cluster_id: str) -> Imported | WithoutValue:
    """Raises ValueError, or one that is derived from it."""
    text.decode()  # msgspec does not check the UTF-8 of what passes through raw
    line = _line.decode(text)
    if line.value is UNSET and line.value_base64 is None:
        raise ValueError("`value` is missing; null is a record without one")
    value = _value(line)
    if value is None and line.truncated is not None:
        return WithoutValue(number)
    origin = None
    if line.partition is not None and line.offset is not None:
        origin = Origin(line.topic, line.partition, line.offset, line.timestamp)
    return Imported(
        number,
        Outgoing(
            topic=line.topic,
            partition=line.partition,
            key=_bytes("key", line.key, line.key_base64),
            value=value,
            headers=with_replay(_headers(line.headers), origin, cluster_id),
            timestamp_ms=line.timestamp,
        ),
    )


def _value(line: _Line) -> bytes | None:
    raw = None if line.value is UNSET else bytes(line.value)
    if raw is not None and raw[:1] not in (b'"', b"n"):
        if line.value_base64 is not None:
            raise ValueError("`value` and `value_base64` are both given")
        return raw
    text = None if raw is None else msgspec.json.decode(raw, type=str | None)
    return _bytes("value", text, line.value_base64)


def _headers(given: list[_Header]) -> Headers:
    for header in given:
        if "\0" in header.name:
            raise ValueError("a header's name holds a null character")
    return [(header.name, _bytes("value", header.value, header.value_base64)) for header in given]


def _text_or_base64(name: str, data: bytes | None) -> dict[str, str | None]:
    if data is None:
        return {name: None}
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(data).decode()}


def _bytes(name: str, text: str | None, base64: str | None) -> bytes | None:
    if base64 is None:
        return None if text is None else text.encode()
    if text is not None:
        raise ValueError(f"`{name}` and `{name}_base64` are both given")
    try:
        return b64decode(base64, validate=True)
    except ValueError:
        raise ValueError(f"`{name}_base64` is no base64") from None


def _is_object(value: bytes | None) -> TypeGuard[bytes]:
    """Whether a JSON object can stand in a line exactly as it is."""
    if not value or value[0] != ord("{") or value[-1] != ord("}") or min(value) < ord(" "):
        return False
    try:
        value.decode()
        _any_object.decode(value)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True


def _words(error: ValueError) -> str:
    return "it is no valid UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
