"""The publisher's spans: `send <topic>`, whose context travels in the record's headers."""

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from connector.events.record import Headers
from connector.telemetry.context import headers_with, parent_context, trace_parent
from connector.telemetry.sampling import SpanBudget


class PublishSpan:
    """One record on its way to Kafka. `headers` are to be sent with it."""

    __slots__ = ("_span", "headers")

    def __init__(self, span: Span | None, headers: Headers) -> None:
        self._span = span
        self.headers = headers

    def finished(self, error_type: str | None = None) -> None:
        """Kafka has acknowledged the record, or `error_type` (such as `MSG_TIMED_OUT`) says why not. Any thread."""
        if self._span is None:
            return
        if error_type is not None:
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class PublishSpans:
    """Begins the spans of published records, as many a second as the budget allows; the others keep their headers."""

    def __init__(self, tracer: Tracer | None, budget: SpanBudget, caller: Headers) -> None:
        """`tracer` is None where nothing is exported. `caller` holds the context of whoever publishes."""
        self._tracer = tracer
        self._budget = budget
        self._caller = caller

    def begin(self, topic: str, event_id: str | None = None, headers: Headers | None = None) -> PublishSpan:
        """Begins a span, child of the trace in the record's own `headers`, else of the caller's."""
        kept = headers or []
        if self._tracer is None or not self._budget.is_left():
            return PublishSpan(None, kept)
        parent, source = trace_parent(headers), headers
        if parent is None:
            parent, source = trace_parent(self._caller), self._caller
        attributes: dict[str, str] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
        }
        if event_id is not None:
            attributes["messaging.message.id"] = event_id
        span = self._tracer.start_span(
            f"send {topic}", parent_context(parent, source), SpanKind.PRODUCER, attributes
        )
        if span.is_recording():
            self._budget.spans_left -= 1
        return PublishSpan(span, headers_with(headers, span.get_span_context()))
