"""One trace in a real Jaeger shows an event's whole way: published, processed, delivered."""

from typing import Any

import pytest
from opentelemetry.trace import format_trace_id

from connector.core.answers import Accepted
from connector.core.effects import Ended, Outcome, Send
from connector.events.record import StoredRecord
from connector.telemetry.context import trace_parent
from connector.telemetry.setup import setup_telemetry
from tests.parts.provision.jaeger import Jaeger

pytestmark = pytest.mark.parts


def _spans(trace: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Spans by name, each with its parent's id, its service and its tags as plain values."""
    spans = {}
    for span in trace["spans"]:
        parents = [each["spanID"] for each in span["references"] if each["refType"] == "CHILD_OF"]
        spans[span["operationName"]] = {
            "id": span["spanID"],
            "parent": parents[0] if parents else None,
            "service": trace["processes"][span["processID"]]["serviceName"],
            "tags": {tag["key"]: tag["value"] for tag in span["tags"]},
        }
    return spans


def test_one_trace_shows_publisher_process_and_delivery(
    jaeger: Jaeger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_http)
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "traces-publisher")
    publisher = setup_telemetry(region_urls={})
    monkeypatch.setenv("OTEL_SERVICE_NAME", "traces-connector")
    connector = setup_telemetry(region_urls={"eu": "https://track-eu.customer.io"}, process_span_share=0.0)

    publish = publisher.publish_spans().begin("customer-events", "order-7")
    record = StoredRecord("customer-events", 2, 41, b"{}", headers=publish.headers)
    publish.finished()
    telemetry = connector.for_group("cio-connector-eu")
    traces = telemetry.traces_for([record])
    assert traces is not None
    send = Send(
        request_id=1,
        region="eu",
        operation="batch",
        path="/api/v2/batch",
        body=b"{}",
        events=1,
        attempt=2,
        deadline_seconds=30.0,
        traces=(traces[0],),
    )
    telemetry.request_finished(telemetry.request_started(send), send, Accepted(), 0.03)
    telemetry.ended(Ended(traces[0], Outcome.ACCEPTED, "eu", event_id="order-7", action="person.event"))
    assert publisher.shutdown(30)
    assert connector.shutdown(30)

    published = trace_parent(publish.headers)
    assert published is not None
    trace_id = format_trace_id(published.trace_id)
    jaeger.process.wait_until(lambda: len((jaeger.trace(trace_id) or {"spans": []})["spans"]) == 3, 30)
    trace = jaeger.trace(trace_id)
    assert trace is not None
    spans = _spans(trace)
    sent, process, delivery = (
        spans[name] for name in ("send customer-events", "process customer-events", "POST /api/v2/batch")
    )
    assert (sent["service"], process["service"], delivery["service"]) == (
        "traces-publisher",
        "traces-connector",
        "traces-connector",
    )
    assert (sent["parent"], process["parent"], delivery["parent"]) == (None, sent["id"], process["id"])
    assert (sent["tags"]["span.kind"], process["tags"]["span.kind"]) == ("producer", "consumer")
    assert delivery["tags"]["span.kind"] == "client"
    assert process["tags"]["messaging.message.id"] == "order-7"
    assert process["tags"]["cio_connector.outcome"] == "accepted"
    assert delivery["tags"]["url.full"] == "https://track-eu.customer.io/api/v2/batch"
    assert delivery["tags"]["http.request.resend_count"] == 1
    assert delivery["tags"]["http.response.status_code"] == 200
