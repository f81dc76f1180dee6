"""The spans of a consumer group: `process` for a followed record, `POST` for an attempt, `commit`.

Names and attributes follow OpenTelemetry's conventions for messaging and HTTP; what they do not know is called
`cio_connector.*`. A process span's parent is the record's own trace, which the conventions allow for a single
message, so that one trace runs from the publisher to Customer.io. An attempt is a child of its first followed record
and is linked with the others, in both directions.
"""

import time
from collections.abc import Mapping, Sequence

from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from connector.core.answers import Answer, PartlyRejected
from connector.core.effects import Commit, CommitOffset, Ended, Send, TopicPartition
from connector.core.inputs import CommitFailure
from connector.events.record import Record
from connector.telemetry.context import NO_PARENT
from connector.telemetry.endpoint import UNKNOWN, Endpoint
from connector.telemetry.outcome import request_outcome
from connector.telemetry.sampling import RecordSampler

LINKS_MAX = 128
"""OpenTelemetry keeps no more of a span by default."""


class ProcessSpans:
    """The spans of single records, each from the poll that brought it to its ending."""

    def __init__(self, tracer: Tracer, group: str, sampler: RecordSampler) -> None:
        self._tracer = tracer
        self._group = group
        self._sampler = sampler

    def begin(self, records: Sequence[Record]) -> dict[int, Span] | None:
        """Begins a span for each record that is followed: index -> span. Call it only while the budget is left."""
        spans: dict[int, Span] = {}
        for index, parent in self._sampler.picks(records):
            record = records[index]
            span = self._tracer.start_span(
                f"process {record.topic()}", parent, SpanKind.CONSUMER, self._attributes(record)
            )
            if span.is_recording():
                self._sampler.count()
                spans[index] = span
        return spans or None

    def _attributes(self, record: Record) -> dict[str, AttributeValue]:
        return {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": str(record.topic()),
            "messaging.destination.partition.id": str(record.partition()),
            "messaging.kafka.offset": record.offset() or 0,
            "messaging.consumer.group.name": self._group,
        }


def end_process_span(span: Span, ended: Ended) -> None:
    """The record has its ending; one in the dead letters is an error."""
    span.set_attribute("cio_connector.outcome", ended.outcome.value)
    span.set_attribute("cio_connector.region", ended.region)
    if ended.event_id:
        span.set_attribute("messaging.message.id", ended.event_id)
    if ended.action:
        span.set_attribute("cio_connector.action", ended.action)
    if ended.reason is not None:
        span.set_attribute("error.type", ended.reason.value)
        span.set_status(Status(StatusCode.ERROR, f"dead-lettered: {ended.reason.value}"))
    span.end()


def end_dropped_span(span: Span) -> None:
    """The record goes to whoever owns its partition next, who begins a span of its own."""
    span.set_attribute("cio_connector.outcome", "dropped")
    span.end()


class RequestSpans:
    """The spans of attempts to deliver."""

    def __init__(self, tracer: Tracer, endpoints: Mapping[str, Endpoint]) -> None:
        self._tracer = tracer
        self._endpoints = endpoints

    def begin(self, send: Send) -> Span:
        first, others = _followed(send)
        parent = set_span_in_context(first, NO_PARENT) if first is not None else NO_PARENT
        links = [Link(span.get_span_context()) for span in others]
        span = self._tracer.start_span(
            f"POST {send.path}", parent, SpanKind.CLIENT, self._attributes(send), links
        )
        if span.is_recording():
            for other in others:
                if other.is_recording():
                    other.add_link(span.get_span_context())
        return span

    def _attributes(self, send: Send) -> dict[str, AttributeValue]:
        region = self._endpoints.get(send.region, UNKNOWN)
        attributes: dict[str, AttributeValue] = {
            **region.attributes,
            "http.request.method": "POST",
            "url.full": region.base_url + send.path,
            "messaging.batch.message_count": send.events,
            "http.request.body.size": len(send.body),
            "cio_connector.region": send.region,
        }
        if send.attempt > 1:
            attributes["http.request.resend_count"] = send.attempt - 1
        return attributes


def end_request_span(span: Span, answer: Answer) -> None:
    """The attempt has its answer."""
    outcome = request_outcome(answer)
    if outcome.status_code is not None:
        span.set_attribute("http.response.status_code", outcome.status_code)
    if isinstance(answer, PartlyRejected):
        span.set_attribute("cio_connector.rejected", len(answer.errors))
    if outcome.error_type is not None:
        span.set_attribute("error.type", outcome.error_type)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def record_commit_span(
    tracer: Tracer, group: str, commit: Commit, failures: Sequence[CommitFailure], seconds: float
) -> None:
    """One `commit <topic>` span for each topic of a commit that took `seconds` until now."""
    end_ns = time.time_ns()
    refused = {failure.partition: failure.code for failure in failures}
    by_topic: dict[str, list[CommitOffset]] = {}
    for offset in commit.offsets:
        by_topic.setdefault(offset.topic, []).append(offset)
    for topic, offsets in by_topic.items():
        partitions = (TopicPartition(offset.topic, offset.partition) for offset in offsets)
        codes = [refused[partition] for partition in partitions if partition in refused]
        span = tracer.start_span(
            f"commit {topic}",
            NO_PARENT,
            SpanKind.CLIENT,
            _commit_attributes(topic, group, offsets),
            start_time=end_ns - int(seconds * 1e9),
        )
        if codes:
            span.set_attribute("error.type", codes[0])
            span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)


def _commit_attributes(topic: str, group: str, offsets: Sequence[CommitOffset]) -> dict[str, AttributeValue]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "commit",
        "messaging.operation.type": "settle",
        "messaging.destination.name": topic,
        "messaging.consumer.group.name": group,
        "cio_connector.partitions": [str(offset.partition) for offset in offsets],
        "cio_connector.offsets": [offset.offset for offset in offsets],
    }


def _followed(send: Send) -> tuple[Span | None, list[Span]]:
    spans = [span for span in dict.fromkeys(send.traces[: 1 + LINKS_MAX]) if isinstance(span, Span)]
    return (spans[0], spans[1:]) if spans else (None, [])
