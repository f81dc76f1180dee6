from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from connector.core.answers import Accepted, Answer, ItemError, PartlyRejected, Refused, Unavailable
from connector.core.effects import Commit, CommitOffset, Dropped, Ended, Outcome, TopicPartition
from connector.core.inputs import CommitFailure
from connector.events.event import Reason
from connector.telemetry.core_metrics import Clocks
from connector.telemetry.group import GroupTelemetry
from connector.telemetry.setup import TelemetryShell, setup_telemetry
from tests.telemetry.examples import SPAN_ID, TRACE_ID, Untouchable, record, send


@pytest.fixture
def telemetry(shell: TelemetryShell) -> GroupTelemetry:
    return shell.for_group("group-us")


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def only(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


def test_nothing_exported_means_no_spans_and_no_look_at_records(silent_shell: TelemetryShell) -> None:
    telemetry = silent_shell.for_group("group-us")
    assert telemetry.traces_for([Untouchable("events", 0, 0, b"{}")] * 3) is None
    assert telemetry.request_started(send()) is None
    telemetry.request_finished(None, send(), Accepted(), 0.1)


def test_process_span_is_child_of_the_records_own_trace(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    traces = telemetry.traces_for([record(41, flags="00"), record(42, flags="01")])
    assert traces is not None
    assert list(traces) == [1]
    telemetry.ended(
        Ended(traces[1], Outcome.ACCEPTED, "us", event_id="order-7", action="person.event"),
    )
    span = only(exporter, "process events")
    assert span.kind is SpanKind.CONSUMER
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE_ID, SPAN_ID)
    assert attributes(span) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "events",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 42,
        "messaging.consumer.group.name": "group-us",
        "messaging.message.id": "order-7",
        "cio_connector.action": "person.event",
        "cio_connector.outcome": "accepted",
        "cio_connector.region": "us",
    }
    assert span.status.status_code is StatusCode.UNSET


def test_dead_lettered_record_is_an_error_with_its_reason(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    traces = telemetry.traces_for([record(1)])
    assert traces is not None
    telemetry.ended(Ended(traces[0], Outcome.DEAD_LETTERED, "us", Reason.TOO_LARGE))
    span = only(exporter, "process events")
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "too_large"
    assert span.parent is None


def test_another_groups_record_has_no_span_here_and_costs_none(
    shell: TelemetryShell, exporter: InMemorySpanExporter
) -> None:
    telemetry = shell.for_group("group-us", ("us",))
    for _ in range(3):
        traces = telemetry.traces_for([record(number) for number in range(500)])
        assert traces is not None and len(traces) == 500
        for trace in traces.values():
            telemetry.ended(Ended(trace, Outcome.FILTERED, "eu"))
    assert exporter.get_finished_spans() == ()
    traces = telemetry.traces_for([record(0)])
    assert traces is not None
    telemetry.ended(Ended(traces[0], Outcome.FILTERED, "us"))
    assert attributes(only(exporter, "process events"))["cio_connector.outcome"] == "filtered"


def test_dropped_record_ends_its_span(telemetry: GroupTelemetry, exporter: InMemorySpanExporter) -> None:
    traces = telemetry.traces_for([record(1)])
    assert traces is not None
    telemetry.dropped(Dropped(traces[0]))
    assert attributes(only(exporter, "process events"))["cio_connector.outcome"] == "dropped"


def test_request_span_is_child_of_the_first_record_and_linked_both_ways_with_the_others(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    traces = telemetry.traces_for([record(1, flags="01"), record(2), record(3)])
    assert traces is not None
    request = send(traces=tuple(traces.values()))
    telemetry.request_finished(telemetry.request_started(request), request, Accepted(), 0.1)
    for trace in traces.values():
        telemetry.ended(Ended(trace, Outcome.ACCEPTED, "us"))
    delivery = only(exporter, "POST /api/v2/batch")
    first, second, third = sorted(
        (span for span in exporter.get_finished_spans() if span.name == "process events"),
        key=lambda span: attributes(span)["messaging.kafka.offset"],
    )
    assert delivery.kind is SpanKind.CLIENT
    assert delivery.parent is not None
    assert (delivery.parent.trace_id, delivery.parent.span_id) == ids(first)
    assert delivery.context is not None
    assert f"{delivery.context.trace_id:032x}" == TRACE_ID
    linked = [(link.context.trace_id, link.context.span_id) for link in delivery.links]
    assert linked == [ids(second), ids(third)]
    assert not first.links
    for other in (second, third):
        assert [(link.context.trace_id, link.context.span_id) for link in other.links] == [ids(delivery)]


def test_request_spans_attributes(telemetry: GroupTelemetry, exporter: InMemorySpanExporter) -> None:
    request = send(region="eu")
    telemetry.request_finished(telemetry.request_started(request), request, Accepted(), 0.1)
    assert attributes(only(exporter, "POST /api/v2/batch")) == {
        "http.request.method": "POST",
        "url.full": "https://track-eu.customer.io:8443/base/api/v2/batch",
        "server.address": "track-eu.customer.io",
        "server.port": 8443,
        "http.request.body.size": 300,
        "http.response.status_code": 200,
        "messaging.batch.message_count": 2,
        "cio_connector.region": "eu",
    }


def test_each_attempt_has_a_span_with_its_resend_count(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    traces = telemetry.traces_for([record(1)])
    assert traces is not None
    answers: list[Answer] = [Unavailable("timeout"), Unavailable("5xx", 503), Accepted()]
    for attempt, answer in enumerate(answers, start=1):
        request = send(traces=(traces[0],), attempt=attempt)
        telemetry.request_finished(telemetry.request_started(request), request, answer, 0.1)
    spans = [attributes(span) for span in exporter.get_finished_spans()]
    assert [span.get("http.request.resend_count") for span in spans] == [None, 1, 2]
    assert [span.get("error.type") for span in spans] == ["timeout", "503", None]
    assert [span.get("http.response.status_code") for span in spans] == [None, 503, 200]


def test_partly_rejected_request_is_no_error_but_says_how_many(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    answer = PartlyRejected((ItemError(0, "invalid attributes.plan"),))
    request = send()
    telemetry.request_finished(telemetry.request_started(request), request, answer, 0.1)
    span = only(exporter, "POST /api/v2/batch")
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span)["cio_connector.rejected"] == 1


def test_refused_request_is_an_error_without_customer_ios_message(
    telemetry: GroupTelemetry, exporter: InMemorySpanExporter
) -> None:
    request = send()
    telemetry.request_finished(telemetry.request_started(request), request, Refused(400, "planted"), 0.1)
    span = only(exporter, "POST /api/v2/batch")
    assert span.status.status_code is StatusCode.ERROR
    assert "planted" not in span.to_json()


def test_commit_has_a_span_a_topic(telemetry: GroupTelemetry, exporter: InMemorySpanExporter) -> None:
    commit = Commit(
        1,
        (
            CommitOffset("events", 0, 10, "map", 1),
            CommitOffset("events", 1, 20, "map", 1),
            CommitOffset("other", 0, 30, "map", 1),
        ),
    )
    failures = [CommitFailure(TopicPartition("other", 0), "REBALANCE_IN_PROGRESS")]
    telemetry.committed(commit, failures, 0.25)
    events, other = only(exporter, "commit events"), only(exporter, "commit other")
    assert attributes(events) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "commit",
        "messaging.operation.type": "settle",
        "messaging.destination.name": "events",
        "messaging.consumer.group.name": "group-us",
        "cio_connector.partitions": ("0", "1"),
        "cio_connector.offsets": (10, 20),
    }
    assert events.status.status_code is StatusCode.UNSET
    assert other.status.status_code is StatusCode.ERROR
    assert attributes(other)["error.type"] == "REBALANCE_IN_PROGRESS"
    assert events.start_time is not None
    assert events.end_time is not None
    assert events.end_time - events.start_time == 250_000_000


def test_sampler_of_the_environment_is_followed(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    shell = setup_telemetry(
        region_urls={}, process_span_share=1.0, span_processor=SimpleSpanProcessor(exporter)
    )
    telemetry = shell.for_group("g")
    traces = telemetry.traces_for([record(1), record(2, flags="01")])
    assert traces is not None
    assert list(traces) == [1]
    request = send()
    telemetry.request_finished(telemetry.request_started(request), request, Accepted(), 0.1)
    assert exporter.get_finished_spans() == ()
    shell.shutdown()


def test_process_spans_are_capped_over_all_groups(exporter: InMemorySpanExporter) -> None:
    shell = setup_telemetry(
        region_urls={},
        process_span_share=1.0,
        process_spans_per_second_max=0.001,
        clocks=Clocks(lambda: 0.0, lambda: 0.0),
        span_processor=SimpleSpanProcessor(exporter),
    )
    assert shell.for_group("us").traces_for([record(n) for n in range(10)]) is not None
    assert shell.for_group("eu").traces_for([Untouchable("events", 0, 0, b"{}")]) is None
    shell.shutdown()
