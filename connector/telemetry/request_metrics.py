"""What is measured at each attempt to deliver. An instrument call costs microseconds, so all of it is per request."""

from collections.abc import Callable, Mapping

from opentelemetry.metrics import Meter
from opentelemetry.util.types import AttributeValue

from connector.core.answers import Answer
from connector.core.effects import Send
from connector.telemetry.endpoint import UNKNOWN, Endpoint
from connector.telemetry.outcome import request_outcome

DURATION_BOUNDS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    30.0,
    60.0,
)
LATENCY_BOUNDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0),
)
EVENTS_BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
BYTES_BOUNDS = (500.0, 1000.0, 2000.0, 5000.0, 10e3, 20e3, 50e3, 100e3, 200e3, 300e3, 400e3, 450e3, 500e3)


class RequestMetrics:
    """The instruments that a finished request goes into."""

    def __init__(self, meter: Meter, endpoints: Mapping[str, Endpoint], wall: Callable[[], float]) -> None:
        self._wall = wall
        self._endpoints = endpoints
        self._requests = meter.create_counter(
            "cio_connector.requests", "{request}", "Requests by status class or failure."
        )
        self._duration = meter.create_histogram(
            "cio_connector.request.duration",
            "s",
            "Latency of each attempt.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS,
        )
        self._http_duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS,
        )
        self._latency = meter.create_histogram(
            "cio_connector.delivery_latency",
            "s",
            "From the timestamp of a request's oldest record to the request's acceptance; one measure a request.",
            explicit_bucket_boundaries_advisory=LATENCY_BOUNDS,
        )
        self._events = meter.create_histogram(
            "cio_connector.batch.events",
            "{operation}",
            "Operations in a request.",
            explicit_bucket_boundaries_advisory=EVENTS_BOUNDS,
        )
        self._bytes = meter.create_histogram(
            "cio_connector.batch.bytes",
            "By",
            "Bytes of a request's body.",
            explicit_bucket_boundaries_advisory=BYTES_BOUNDS,
        )

    def record(self, send: Send, answer: Answer, seconds: float) -> None:
        """Takes in one attempt."""
        outcome = request_outcome(answer)
        request = {"region": send.region, "operation": send.operation}
        self._requests.add(1, {**request, "status": outcome.status})
        self._duration.record(seconds, request)
        self._http_duration.record(
            seconds, self._http_attributes(send.region, outcome.status_code, outcome.error_type)
        )
        self._events.record(send.events, request)
        self._bytes.record(len(send.body), request)
        if outcome.accepted and send.oldest_timestamp_ms >= 0:
            latency = max(0.0, self._wall() - send.oldest_timestamp_ms / 1000)
            self._latency.record(latency, {"region": send.region})

    def _http_attributes(
        self, region: str, status_code: int | None, error_type: str | None
    ) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {
            "http.request.method": "POST",
            **self._endpoints.get(region, UNKNOWN).attributes,
        }
        if status_code is not None:
            attributes["http.response.status_code"] = status_code
        if error_type is not None:
            attributes["error.type"] = error_type
        return attributes
