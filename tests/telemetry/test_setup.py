"""Export over real HTTP, as the standard variables ask for it."""

import io
import logging
import socket
import sys
from collections.abc import Iterator

import pytest

from connector.core.answers import Accepted
from connector.core.effects import Ended, Outcome
from connector.errors import ConfigurationError
from connector.telemetry.export import exporters_from_environment
from connector.telemetry.logs import configure_logging
from connector.telemetry.setup import TelemetryShell, setup_telemetry
from tests.telemetry.collector import Collector, running_collector
from tests.telemetry.conftest import REGION_URLS
from tests.telemetry.examples import record, send, snapshot


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture
def refused_url() -> str:
    """A URL at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def deliver_one(shell: TelemetryShell) -> None:
    """One record's way through all of telemetry."""
    telemetry = shell.for_group("g")
    traces = telemetry.traces_for([record(1, flags="01")])
    request = send(traces=tuple((traces or {}).values()))
    telemetry.request_finished(telemetry.request_started(request), request, Accepted(), 0.1)
    for trace in (traces or {}).values():
        telemetry.ended(Ended(trace, Outcome.ACCEPTED, "us"))


def test_no_endpoint_exports_nothing() -> None:
    assert exporters_from_environment() == (None, None)


def test_spans_and_metrics_are_exported_at_the_latest_on_shutdown(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    shell = setup_telemetry(region_urls=REGION_URLS)
    shell.observe(lambda: [("g", snapshot())], dict)
    deliver_one(shell)
    assert shell.shutdown()
    assert sorted(collector.span_names()) == ["POST /api/v2/batch", "process events"]
    assert collector.resource()["service.name"] == "cio-connector"
    assert {
        "cio_connector.records",
        "cio_connector.request.duration",
        "http.client.request.duration",
        "messaging.client.consumed.messages",
    } <= collector.metric_names()


def test_names_and_attributes_of_the_environment_come_first(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "events-eu")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.version=9")
    shell = setup_telemetry(region_urls=REGION_URLS)
    deliver_one(shell)
    assert shell.shutdown()
    resource = collector.resource()
    assert resource["service.name"] == "events-eu"
    assert resource["service.version"] == "9"
    assert resource["deployment.environment.name"] == "test"
    assert collector.metrics == [], "only traces were given an endpoint"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")],
)
def test_export_can_be_switched_off(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv(variable, value)
    shell = setup_telemetry(region_urls=REGION_URLS)
    assert shell.for_group("g").traces_for([record(1, flags="01")]) is None
    deliver_one(shell)
    assert shell.shutdown()
    assert collector.traces == []


def test_grpc_is_used_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    exporters = exporters_from_environment()
    assert type(exporters.spans).__module__ == "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
    assert type(exporters.metrics).__module__ == "opentelemetry.exporter.otlp.proto.grpc.metric_exporter"
    for exporter in exporters:
        assert exporter is not None
        exporter.shutdown()


def test_grpc_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"cio-connector\[grpc\]"):
        setup_telemetry(region_urls={})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "thrift"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_METRICS_EXPORTER", "console"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
    ],
)
def test_value_that_cannot_be_followed_is_named_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as raised:
        setup_telemetry(region_urls={})
    assert "OTEL_" in raised.value.what
    assert raised.value.fix


def test_unreachable_collector_neither_stops_delivery_nor_floods_the_log(
    refused_url: str, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", refused_url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    shell = setup_telemetry(region_urls=REGION_URLS, process_spans_per_second_max=100_000)
    for _ in range(5000):
        deliver_one(shell)
    shell.shutdown(2.0)
    lines = log.getvalue().splitlines()
    assert 1 <= len(lines) <= 4, "at most one line of OpenTelemetry's a level, and one of ours"


def test_collector_that_hangs_does_not_hold_up_the_end(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    collector.may_answer.clear()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    shell = setup_telemetry(region_urls=REGION_URLS)
    deliver_one(shell)
    assert not shell.shutdown(0.2)
    assert "were not exported in time" in log.getvalue()
    collector.may_answer.set()
