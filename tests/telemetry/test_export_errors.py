import logging

import pytest

from connector.telemetry.export_errors import ExportErrors

REFUSED = (
    "HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with url: /v1/traces (Caused by "
    "NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to establish a new connection: "
    '[Errno 111] Connection refused"))'
)
HTTP = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
METRICS = "opentelemetry.exporter.otlp.proto.http.metric_exporter"
GRPC = "opentelemetry.exporter.otlp.proto.grpc.exporter"


def told(name: str, level: int, message: str, *values: object) -> tuple[str, str] | None:
    record = logging.LogRecord(name, level, __file__, 1, message, values, None)
    return (record.levelname, record.getMessage()) if ExportErrors().filter(record) else None


@pytest.mark.parametrize(
    ("name", "message", "values", "line"),
    [
        (
            HTTP,
            "Transient error %s encountered while exporting %s batch, retrying in %.2fs.",
            (REFUSED, "spans", 0.8),
            "the collector at 127.0.0.1:9 does not take spans: Connection refused",
        ),
        (
            HTTP,
            "Failed to export %s batch code: %s, reason: %s",
            ("spans", 404, "Not Found"),
            "the collector does not take spans: 404, reason: Not Found",
        ),
        (
            METRICS,
            "Transient error %s encountered while exporting %s batch, retrying in %.2fs.",
            ("Service Unavailable", "metrics", 0.8),
            "the collector does not take metrics: Service Unavailable",
        ),
        (
            METRICS,
            "Failed to export %s batch due to timeout, max retries or shutdown.",
            ("metrics",),
            "the collector does not take metrics: timeout",
        ),
        (
            GRPC,
            "Failed to export %s to %s, error code: %s, error details: %s",
            ("traces", "localhost:4317", "StatusCode.UNAVAILABLE", "a secret"),
            "the collector does not take spans: UNAVAILABLE",
        ),
    ],
)
@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_an_exporter_s_error_is_one_warning_in_our_words(
    name: str, level: int, message: str, values: tuple[object, ...], line: str
) -> None:
    assert told(name, level, message, *values) == ("WARNING", line)


def test_what_is_said_only_because_the_process_ends_is_left_out() -> None:
    assert told(HTTP, logging.WARNING, "Shutdown in progress, aborting retry.") is None


@pytest.mark.parametrize("name", ["connector", "opentelemetry.exporter.otlp.common.http"])
def test_other_lines_stay_as_they_are(name: str) -> None:
    assert told(name, logging.ERROR, "Unsupported compression type: %s", "x") == (
        "ERROR",
        "Unsupported compression type: x",
    )
    assert told("connector", logging.ERROR, "an export") == ("ERROR", "an export")
