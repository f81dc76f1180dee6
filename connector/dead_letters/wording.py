"""What is printed of dead letters. Nothing in them can move the cursor or colour the terminal. Pure."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from connector.dead_letters.letter import DeadLetter, Foreign
from connector.dead_letters.selection import Selection
from connector.events.record import Headers

MESSAGE_CHARACTERS = 100
_ROW = "{:<12} {:<20} {:<12} {:<32} {}"
HEADING = _ROW.format("PLACE", "WRITTEN", "REASON", "FROM", "MESSAGE")


def row(letter: DeadLetter | Foreign) -> str:
    """One line of a list."""
    written = time_text(letter.written_ms)
    if isinstance(letter, Foreign):
        return _ROW.format(str(letter.place), written, "(foreign)", "", "").rstrip()
    message = letter.message
    if len(message) > MESSAGE_CHARACTERS:
        message = f"{message[: MESSAGE_CHARACTERS - 3]}..."
    return plain(_ROW.format(str(letter.place), written, letter.reason, str(letter.origin), message))


def fields(letter: DeadLetter | Foreign) -> dict[str, Any]:
    """One item of a list, for a program."""
    common = {"place": str(letter.place), "written": time_text(letter.written_ms) or None}
    if isinstance(letter, Foreign):
        return common | {"foreign": True}
    origin = letter.origin
    return common | {
        "foreign": False,
        "reason": letter.reason,
        "message": letter.message,
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "timestamp": origin.timestamp_ms if origin.timestamp_ms >= 0 else None,
        "attempts": letter.attempts,
        "truncated": letter.truncated_bytes,
        "replayed": letter.replayed,
    }


def summary(selection: Selection) -> Iterator[str]:
    """What was found, in lines."""
    yield f"{counted(selection.letters, 'dead letter')}{_parts(selection.reasons)}"
    if len(selection.source_topics) > 1:
        yield f"from{_parts(selection.source_topics)[1:]}"
    if selection.copies:
        yield f"{counted(len(selection.copies), 'copy', 'copies')} of them, not counted: they are written at least once"
    if selection.truncated:
        yield f"{selection.truncated} without their value, which was too large to be kept: they cannot be replayed"
    if selection.foreign:
        yield f"{counted(selection.foreign, 'foreign record')}: no dead letters of this connector, never replayed"


def counts(selection: Selection) -> dict[str, Any]:
    """The same for a program."""
    return {
        "dead_letters": selection.letters,
        "replayable": selection.replayable,
        "reasons": dict(sorted(selection.reasons.items())),
        "topics": dict(sorted(selection.source_topics.items())),
        "copies": len(selection.copies),
        "truncated": selection.truncated,
        "foreign": selection.foreign,
    }


def details(letter: DeadLetter | Foreign, topic: str, *, with_value: bool) -> Iterator[str]:
    """All of one, in lines. Key and value are people's data: without `with_value` only their sizes."""
    yield _field("dead letter", f"{letter.place} in {topic}")
    yield _field("written", time_text(letter.written_ms))
    if isinstance(letter, Foreign):
        yield _field(
            "foreign", "its headers are not those of a dead letter of this connector; never replayed"
        )
    else:
        origin = letter.origin
        yield _field("reason", letter.reason)
        yield _field("message", letter.message)
        yield _field("from", f"{origin}  {time_text(origin.timestamp_ms)}".rstrip())
        yield _field("attempts", "" if letter.attempts is None else str(letter.attempts))
        if letter.replayed:
            yield _field("replayed", "it had been put back on its topic, and came here once more")
        if letter.truncated_bytes is not None:
            yield _field(
                "truncated",
                f"its value of {letter.truncated_bytes:,} bytes was too large to be kept; never replayed",
            )
    yield from _headers(letter.headers)
    for name, data in (("key", letter.key), ("value", letter.value)):
        yield _field(name, _shown(data) if with_value else _size(data))


def plain(text: str) -> str:
    """The text with everything escaped that a terminal would not simply print."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def time_text(milliseconds: int) -> str:
    """ISO 8601 in UTC; empty for none."""
    if milliseconds < 0:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 dead letter`, `2 dead letters`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _parts(counter: dict[str, int]) -> str:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return f": {', '.join(f'{plain(name)} {number:,}' for name, number in ordered)}" if ordered else ""


def _headers(headers: Headers) -> Iterator[str]:
    yield _field("headers", "" if headers else "none")
    for name, value in headers:
        yield f"  {plain(name)}: {_shown(value)}"


def _field(name: str, text: str) -> str:
    return f"{name:<12} {plain(text)}".rstrip()


def _size(data: bytes | None) -> str:
    return "null" if data is None else f"{counted(len(data), 'byte')} (--value shows it)"


def _shown(data: bytes | None) -> str:
    if data is None:
        return "null"
    try:
        return plain(data.decode())
    except UnicodeDecodeError:
        return f"base64 {b64encode(data).decode()}"
