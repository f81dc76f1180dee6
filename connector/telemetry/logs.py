"""Structured logs on standard error: one JSON object a line, or text for people at a terminal.

A log call may pass `extra={"fields": {...}}` with what belongs to the message, and `extra={"span": span}` where the
span that it is about is not the current one; `extra={"text_fields": {...}}` stands in for the fields where people read
them as text. Neither messages nor fields ever hold secrets or people's attributes.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from opentelemetry.trace import get_current_span

from connector.errors import ConnectorError
from connector.telemetry.bursts import BurstFilter
from connector.telemetry.export_errors import ExportErrors

LIBRARIES = ("aiohttp", "asyncio", "httpcore", "httpx", "opentelemetry", "urllib3")
"""Their own messages are shown from `warning` on."""

_TELLABLE = (ConnectorError, OSError, TimeoutError)
"""Errors whose text holds addresses and paths, never a record's content."""


def configure_logging(level: str = "info", format: str = "auto", stream: TextIO | None = None) -> None:
    """Sends all logs of the process to `stream` (standard error). `format` is `json`, `text` or `auto`: text on a
    terminal. `level` is `debug`, `info`, `warning` or `error`."""
    stream = stream if stream is not None else sys.stderr
    as_text = stream.isatty() if format == "auto" else format == "text"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    handler.addFilter(ExportErrors())
    handler.addFilter(BurstFilter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


class JsonFormatter(logging.Formatter):
    """One JSON object: time, level, logger, message, the fields, trace_id and span_id where there is a span."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _fields(record).items():
            line.setdefault(name, value)
        line.update(_span_ids(record))
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = "".join(_exception_lines(record.exc_info[1]))
        return json.dumps(line, default=str, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z warning region changed region=eu state=open`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_fields(record, "text_fields"), **_span_ids(record)}
        words = [_time(record), f"{record.levelname.lower():<7}", record.getMessage()]
        words += (f"{name}={value}" for name, value in fields.items())
        line = " ".join(words).replace("\r", "\\r").replace("\n", "\\n")
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + "".join(_exception_lines(record.exc_info[1])).rstrip()
        return line


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord, preferred: str = "fields") -> dict[str, Any]:
    fields = getattr(record, preferred, None) or getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def _span_ids(record: logging.LogRecord) -> dict[str, str]:
    span = getattr(record, "span", None) or get_current_span()
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _exception_lines(error: BaseException | None) -> Iterator[str]:
    """The stack with the errors' types. An error's text is left out where it may quote what was being read."""
    while error is not None:
        yield from traceback.format_tb(error.__traceback__)
        yield _title(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is not None:
            yield "which came from:\n"


def _title(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"{name}: {error}\n" if isinstance(error, _TELLABLE) else f"{name}\n"
