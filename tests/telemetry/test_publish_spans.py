from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from connector.core.effects import Ended, Outcome
from connector.events.record import StoredRecord
from connector.telemetry.setup import TelemetryShell, setup_telemetry
from tests.telemetry.examples import SPAN_ID, TRACE_ID, traceparent


def test_publish_span_travels_in_the_headers_to_the_process_span(
    shell: TelemetryShell, exporter: InMemorySpanExporter
) -> None:
    publish = shell.publish_spans().begin("events", "order-7", [("kept", b"1")])
    assert publish.headers[0] == ("kept", b"1")
    telemetry = shell.for_group("g")
    traces = telemetry.traces_for([StoredRecord("events", 0, 0, b"{}", headers=publish.headers)])
    assert traces is not None
    publish.finished()
    telemetry.ended(Ended(traces[0], Outcome.ACCEPTED, "us"))
    sent, processed = exporter.get_finished_spans()
    assert (sent.name, sent.kind) == ("send events", SpanKind.PRODUCER)
    assert dict(sent.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "events",
        "messaging.message.id": "order-7",
    }
    assert processed.parent is not None
    assert sent.context is not None
    assert processed.parent.span_id == sent.context.span_id
    assert processed.parent.trace_id == sent.context.trace_id


def test_parent_is_the_records_own_trace_before_the_callers(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{'1' * 32}-{'2' * 16}-01")
    shell = setup_telemetry(region_urls={}, span_processor=SimpleSpanProcessor(exporter))
    spans = shell.publish_spans()
    spans.begin("events").finished()
    spans.begin("events", headers=[("traceparent", traceparent())]).finished()
    by_caller, by_record = exporter.get_finished_spans()
    assert by_caller.parent is not None
    assert by_record.parent is not None
    assert f"{by_caller.parent.span_id:016x}" == "2" * 16
    assert (f"{by_record.parent.trace_id:032x}", f"{by_record.parent.span_id:016x}") == (TRACE_ID, SPAN_ID)
    shell.shutdown()


def test_failed_publish_is_an_error(shell: TelemetryShell, exporter: InMemorySpanExporter) -> None:
    shell.publish_spans().begin("events").finished("MSG_TIMED_OUT")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "MSG_TIMED_OUT"


def test_nothing_exported_leaves_the_headers_as_they_are(silent_shell: TelemetryShell) -> None:
    spans = silent_shell.publish_spans()
    assert spans.begin("events").headers == []
    publish = spans.begin("events", headers=[("traceparent", traceparent())])
    assert publish.headers == [("traceparent", traceparent())]
    publish.finished()


@pytest.fixture
def frugal_shell(exporter: InMemorySpanExporter) -> Iterator[TelemetryShell]:
    made = setup_telemetry(
        region_urls={}, process_spans_per_second_max=0.001, span_processor=SimpleSpanProcessor(exporter)
    )
    yield made
    made.shutdown()


def test_beyond_the_budget_records_are_published_without_a_trace(frugal_shell: TelemetryShell) -> None:
    spans = frugal_shell.publish_spans()
    assert spans.begin("events").headers != []
    assert spans.begin("events").headers == []
