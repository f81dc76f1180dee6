"""The Jaeger that other tests rely on takes spans by OTLP and gives them back."""

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import format_trace_id

from tests.parts.provision.jaeger import Jaeger

pytestmark = pytest.mark.parts


def test_a_span_sent_by_otlp_is_found_by_service_and_by_trace(jaeger: Jaeger) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "jaeger-part"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{jaeger.otlp_http}/v1/traces")))
    with provider.get_tracer("test").start_as_current_span("a span") as span:
        trace_id = format_trace_id(span.get_span_context().trace_id)
    provider.shutdown()

    jaeger.process.wait_until(lambda: jaeger.trace(trace_id) is not None, 30)
    trace = jaeger.trace(trace_id)
    assert trace is not None
    assert [found["operationName"] for found in trace["spans"]] == ["a span"]
    assert "jaeger-part" in jaeger.services()
    assert [found["traceID"] for found in jaeger.traces("jaeger-part")] == [trace_id]


def test_a_trace_that_was_never_sent_is_not_found(jaeger: Jaeger) -> None:
    assert jaeger.trace("0" * 31 + "1") is None
