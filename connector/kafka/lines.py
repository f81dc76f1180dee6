"""Records in a text file, one a line: the value alone, or an object of `value`, `key` and `headers`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from connector.errors import InputFileError
from connector.events.record import Headers, StoredRecord

STDIN = "-"
LINE_BYTES_MAX = 64 * 1024 * 1024
_HOW = 'Each line is a JSON object: an event, or {"value": ..., "key": ..., "headers": {...}}'


class Line(NamedTuple):
    """A record and the line it stands in. Its offset is the line's number, too."""

    number: int
    record: StoredRecord


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    value: msgspec.Raw
    key: str | None = None
    headers: dict[str, str | None] = msgspec.field(default_factory=dict)


_any_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_wrapped = msgspec.json.Decoder(_Wrapped)


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """The file, or standard input for `-`. Raises InputFileError."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputFileError(
            f"cannot read {path}: {error.strerror}", "Name a file, or - for standard input"
        ) from None
    with file:
        yield file


def read_lines(file: IO[bytes], topic: str) -> Iterator[Line]:
    """The records of a file; empty lines are passed over. Raises InputFileError, with the number, at a bad line."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise InputFileError(f"line {number} is longer than {LINE_BYTES_MAX} bytes", _HOW)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        text = line.strip()
        if text:
            yield Line(number, _record(text, number, topic))


def _record(text: bytes, number: int, topic: str) -> StoredRecord:
    try:
        text.decode()
        fields = _any_object.decode(text)
        if "value" not in fields or "type" in fields:  # an event, which has a type
            return StoredRecord(topic, 0, number, text)
        wrapped = _wrapped.decode(text)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InputFileError(f"line {number}: {_words(error)}", _HOW) from None
    except RecursionError:
        raise InputFileError(f"line {number}: it is nested too deeply", _HOW) from None
    return StoredRecord(
        topic,
        0,
        number,
        _bytes_of(wrapped.value, number),
        _utf8(wrapped.key, number, "key"),
        _headers(wrapped.headers, number),
    )


def _bytes_of(value: msgspec.Raw, number: int) -> bytes | None:
    """JSON as it stands; null is a record without a value; a string stands for its own bytes, so that what is no
    JSON can be had too."""
    raw = bytes(value)
    if raw == b"null":
        return None
    if raw.startswith(b'"'):
        return _utf8(msgspec.json.decode(raw, type=str), number, "value")
    return raw


def _headers(headers: dict[str, str | None], number: int) -> Headers | None:
    read: Headers = []
    for name, value in headers.items():
        _utf8(name, number, "header's name")
        read.append((name, _utf8(value, number, "header")))
    return read or None


def _utf8(text: str | None, number: int, what: str) -> bytes | None:
    try:
        return None if text is None else text.encode()
    except UnicodeEncodeError:
        raise InputFileError(f"line {number}: the {what} is no valid Unicode", _HOW) from None


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no valid UTF-8"
    return str(error).removesuffix(" (byte 0)")
