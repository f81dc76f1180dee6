"""Trace context in Kafka headers and in the environment: https://www.w3.org/TR/trace-context/ ."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from connector.events.record import Headers

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
TRACESTATE_BYTES_MAX = 512
"""What must be passed on at least; longer ones are left out, as whoever writes the header chooses its length."""

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED = 0x01

NO_PARENT = Context()
"""The context of a span that begins a trace, whatever span is current."""


class TraceParent(NamedTuple):
    """A valid `traceparent`."""

    trace_id: int
    span_id: int
    sampled: bool


def trace_parent(headers: Headers | None) -> TraceParent | None:
    """The record's own trace; None where there is none or its header is invalid. The last header of a name counts."""
    value = _last(headers, TRACEPARENT)
    if value is None:
        return None
    match = _TRACEPARENT.fullmatch(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more is not None):
        return None
    parent = TraceParent(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & _SAMPLED))
    return parent if parent.trace_id and parent.span_id else None


def parent_context(parent: TraceParent | None, headers: Headers | None) -> Context:
    """The context in which a span is a child of `parent`; its `tracestate` is taken from `headers`."""
    if parent is None:
        return NO_PARENT
    span_context = SpanContext(
        parent.trace_id,
        parent.span_id,
        is_remote=True,
        trace_flags=TraceFlags(_SAMPLED if parent.sampled else 0),
        trace_state=_trace_state(headers),
    )
    return set_span_in_context(NonRecordingSpan(span_context), NO_PARENT)


def headers_with(headers: Headers | None, span_context: SpanContext) -> Headers:
    """`headers` with the trace context of this span in place of any other."""
    kept = [header for header in headers or () if header[0] not in (TRACEPARENT, TRACESTATE)]
    traceparent = (
        f"00-{span_context.trace_id:032x}-{span_context.span_id:016x}-{span_context.trace_flags:02x}"
    )
    kept.append((TRACEPARENT, traceparent.encode()))
    if span_context.trace_state:
        kept.append((TRACESTATE, span_context.trace_state.to_header().encode()))
    return kept


def headers_from_environment(environment: Mapping[str, str]) -> Headers:
    """The caller's context, handed to a command in `TRACEPARENT` and `TRACESTATE`."""
    return [
        (name, environment[name.upper()].encode(errors="replace"))
        for name in (TRACEPARENT, TRACESTATE)
        if name.upper() in environment
    ]


def _last(headers: Headers | None, name: str) -> bytes | None:
    if not headers:
        return None
    value = None
    for header in headers:
        if header[0] == name:
            value = header[1]
    return value


def _trace_state(headers: Headers | None) -> TraceState:
    value = _last(headers, TRACESTATE)
    if value is None or len(value) > TRACESTATE_BYTES_MAX:
        return TraceState()
    return TraceState.from_header([value.decode("ascii", errors="replace")])
