import pytest
from opentelemetry.trace import SpanContext, TraceFlags, TraceState, get_current_span

from connector.events.record import Headers
from connector.telemetry.context import (
    NO_PARENT,
    headers_from_environment,
    headers_with,
    parent_context,
    trace_parent,
)
from tests.telemetry.examples import SPAN_ID, TRACE_ID, traceparent


def test_sampled_and_unsampled_parents_are_told_apart() -> None:
    sampled = trace_parent([("traceparent", traceparent("01"))])
    assert sampled is not None
    assert (sampled.trace_id, sampled.span_id, sampled.sampled) == (int(TRACE_ID, 16), int(SPAN_ID, 16), True)
    unsampled = trace_parent([("traceparent", traceparent("00"))])
    assert unsampled is not None
    assert not unsampled.sampled
    random_flag = trace_parent([("traceparent", traceparent("03"))])
    assert random_flag is not None
    assert random_flag.sampled


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"nonsense",
        b"ff-" + traceparent()[3:],
        b"00-" + b"0" * 32 + b"-" + SPAN_ID.encode() + b"-01",
        b"00-" + TRACE_ID.encode() + b"-" + b"0" * 16 + b"-01",
        traceparent().upper(),
        traceparent() + b"-more",
        traceparent() + b"\n",
        b"\xff" * 55,
    ],
)
def test_invalid_traceparent_is_none(value: bytes | None) -> None:
    assert trace_parent([("traceparent", value)]) is None


def test_later_version_may_carry_more() -> None:
    assert trace_parent([("traceparent", b"01" + traceparent()[2:] + b"-more")]) is not None


def test_last_header_of_a_name_counts() -> None:
    headers: Headers = [("traceparent", b"nonsense"), ("traceparent", traceparent())]
    assert trace_parent(headers) is not None
    assert trace_parent(headers[::-1]) is None


def test_no_headers_no_parent() -> None:
    assert trace_parent(None) is None
    assert trace_parent([]) is None
    assert parent_context(None, None) is NO_PARENT


def test_parent_context_carries_trace_state() -> None:
    headers: Headers = [("traceparent", traceparent()), ("tracestate", b"vendor=value")]
    span_context = get_current_span(parent_context(trace_parent(headers), headers)).get_span_context()
    assert span_context.is_remote
    assert span_context.trace_flags.sampled
    assert span_context.trace_state.get("vendor") == "value"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"vendor=" + b"x" * 600, b"=,=;;", None])
def test_hostile_trace_state_is_left_out(value: bytes | None) -> None:
    headers = [("traceparent", traceparent()), ("tracestate", value)]
    span_context = get_current_span(parent_context(trace_parent(headers), headers)).get_span_context()
    assert span_context.is_valid
    assert not span_context.trace_state


def test_headers_with_replaces_what_was_there() -> None:
    span_context = SpanContext(
        int(TRACE_ID, 16),
        int(SPAN_ID, 16),
        is_remote=False,
        trace_flags=TraceFlags(1),
        trace_state=TraceState([("vendor", "value")]),
    )
    headers = headers_with([("traceparent", b"old"), ("kept", b"1"), ("tracestate", b"old=1")], span_context)
    assert headers == [("kept", b"1"), ("traceparent", traceparent()), ("tracestate", b"vendor=value")]
    parent = trace_parent(headers)
    assert parent is not None
    assert parent.span_id == span_context.span_id


def test_callers_context_comes_from_the_environment() -> None:
    environment = {"TRACEPARENT": traceparent().decode(), "TRACESTATE": "vendor=value", "OTHER": "1"}
    assert headers_from_environment(environment) == [
        ("traceparent", traceparent()),
        ("tracestate", b"vendor=value"),
    ]
    assert headers_from_environment({}) == []
