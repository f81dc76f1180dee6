import pytest

from connector.core.answers import (
    Accepted,
    Answer,
    ItemError,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.telemetry.outcome import request_outcome
from connector.telemetry.setup import TelemetryShell
from tests.telemetry.conftest import WALL
from tests.telemetry.examples import record, send
from tests.telemetry.page import samples, value


@pytest.mark.parametrize(
    ("answer", "status", "error_type", "accepted"),
    [
        (Accepted(), "2xx", None, True),
        (PartlyRejected((ItemError(0, "invalid"),)), "2xx", None, True),
        (PartlyRejected((), attributable=False), "2xx", "unreadable", False),
        (Refused(400, "malformed"), "4xx", "400", False),
        (Unauthorised(401), "4xx", "401", False),
        (Misconfigured(301, "redirected"), "3xx", "301", False),
        (Unavailable("429", 429), "429", "429", False),
        (Unavailable("5xx", 503), "5xx", "503", False),
        (Unavailable("timeout"), "timeout", "timeout", False),
        (Unavailable("connect"), "connect", "connect", False),
        (Unavailable("reset"), "reset", "reset", False),
    ],
)
def test_each_answer_has_its_status(
    answer: Answer, status: str, error_type: str | None, accepted: bool
) -> None:
    outcome = request_outcome(answer)
    assert (outcome.status, outcome.error_type, outcome.accepted) == (status, error_type, accepted)


def test_each_attempt_is_measured(silent_shell: TelemetryShell) -> None:
    telemetry = silent_shell.for_group("g")
    telemetry.request_finished(None, send(), Unavailable("timeout"), 30.0)
    telemetry.request_finished(None, send(attempt=2), Accepted(), 0.2)
    telemetry.request_finished(None, send(region="eu", operation="v1_events"), Accepted(), 0.3)
    found = samples(silent_shell)
    us = {"region": "us", "operation": "batch"}
    assert value(found, "cio_connector_requests_total", **us, status="timeout") == 1
    assert value(found, "cio_connector_requests_total", **us, status="2xx") == 1
    assert value(found, "cio_connector_requests_total", region="eu", operation="v1_events", status="2xx") == 1
    assert value(found, "cio_connector_request_duration_seconds_count", **us) == 2
    assert value(found, "cio_connector_request_duration_seconds_sum", **us) == pytest.approx(30.2)
    assert value(found, "cio_connector_batch_events_sum", **us) == 4
    assert value(found, "cio_connector_batch_bytes_sum", **us) == 600
    http = {"http_request_method": "POST", "server_address": "track.customer.io", "server_port": "443"}
    assert (
        value(
            found,
            "http_client_request_duration_seconds_count",
            **http,
            http_response_status_code="200",
            error_type="",
        )
        == 1
    )


def test_latency_is_from_the_oldest_record_to_acceptance_once_a_request(silent_shell: TelemetryShell) -> None:
    telemetry = silent_shell.for_group("g")
    two_seconds_ago = int((WALL - 2) * 1000)
    telemetry.request_finished(None, send(oldest_timestamp_ms=two_seconds_ago), Accepted(), 0.1)
    telemetry.request_finished(None, send(oldest_timestamp_ms=two_seconds_ago), PartlyRejected(()), 0.1)
    for answer in (Unavailable("timeout"), Refused(400, ""), PartlyRejected((), attributable=False)):
        telemetry.request_finished(None, send(oldest_timestamp_ms=two_seconds_ago), answer, 0.1)
    telemetry.request_finished(None, send(oldest_timestamp_ms=-1), Accepted(), 0.1)
    found = samples(silent_shell)
    assert value(found, "cio_connector_delivery_latency_seconds_count", region="us") == 2
    assert value(found, "cio_connector_delivery_latency_seconds_sum", region="us") == pytest.approx(4.0)


def test_record_from_the_future_has_no_negative_latency(silent_shell: TelemetryShell) -> None:
    ahead = send(oldest_timestamp_ms=int((WALL + 100) * 1000))
    silent_shell.for_group("g").request_finished(None, ahead, Accepted(), 0.1)
    assert value(samples(silent_shell), "cio_connector_delivery_latency_seconds_sum", region="us") == 0


def test_consumed_records_are_counted_by_group(silent_shell: TelemetryShell) -> None:
    silent_shell.for_group("g-us").traces_for([record(n) for n in range(7)])
    silent_shell.for_group("g-us").traces_for([record(n) for n in range(5)])
    silent_shell.for_group("g-eu").traces_for([record(1)])
    found = samples(silent_shell)
    labels = {"messaging_system": "kafka", "messaging_operation_name": "poll"}
    name = "messaging_client_consumed_messages_total"
    assert value(found, name, **labels, messaging_consumer_group_name="g-us") == 12
    assert value(found, name, **labels, messaging_consumer_group_name="g-eu") == 1
