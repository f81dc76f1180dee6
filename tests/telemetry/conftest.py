"""A process's telemetry whose spans are kept in memory, on clocks that the test moves."""

import os
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connector.telemetry.core_metrics import Clocks
from connector.telemetry.setup import TelemetryShell, setup_telemetry

REGION_URLS = {"us": "https://track.customer.io", "eu": "https://site:key@track-eu.customer.io:8443/base/"}
WALL = 1_800_000_000.0
MONOTONIC = 5_000.0


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's OpenTelemetry configuration reaches the tests."""
    for name in list(os.environ):
        if name.startswith("OTEL_") or name in ("TRACEPARENT", "TRACESTATE"):
            monkeypatch.delenv(name)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks(lambda: WALL, lambda: MONOTONIC)


@pytest.fixture
def shell(exporter: InMemorySpanExporter, clocks: Clocks) -> Iterator[TelemetryShell]:
    """Follows every record that may be followed, 1,000 a second."""
    made = setup_telemetry(
        region_urls=REGION_URLS,
        process_span_share=1.0,
        process_spans_per_second_max=1000,
        clocks=clocks,
        span_processor=SimpleSpanProcessor(exporter),
    )
    yield made
    made.shutdown()


@pytest.fixture
def silent_shell(clocks: Clocks) -> Iterator[TelemetryShell]:
    """As it is without an OTLP endpoint."""
    made = setup_telemetry(region_urls=REGION_URLS, clocks=clocks)
    yield made
    made.shutdown()
