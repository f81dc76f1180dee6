"""Puts records on a topic: at a rate, with bounded memory, none lost."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connector.errors import ConfigurationError, ConnectorError, InputFileError
from connector.events.record import Headers, Record
from connector.kafka.configuration import ProducerOptions, made, producer_properties
from connector.kafka.errors import ErrorTrail, connector_error
from connector.kafka.headers import encodable
from connector.kafka.person_key import published
from connector.kafka.reach import ATTEMPT_SECONDS

QUEUE_RECORDS_MAX = 20_000
METADATA_SECONDS = 5.0
POLL_EVERY = 200
"""Records between two looks at what has been acknowledged."""
FLUSH_SECONDS = 0.2
"""Between two looks for an interruption."""


class SpanOfRecord(Protocol):
    """A published record's span. `headers` are sent with it."""

    headers: Headers

    def finished(self, error_type: str | None = None) -> None: ...


BeginSpan = Callable[[str, str | None, Headers | None], SpanOfRecord]
"""(topic, event id, headers) -> span."""


class PublisherOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a publisher works."""

    producer: ProducerOptions
    records_per_second: float | None = None
    """None: as fast as the brokers take them."""
    timeout_seconds: float = 30.0
    """A record that is not acknowledged by then has failed."""


class _NoSpan:
    __slots__ = ("headers",)

    def __init__(self, headers: Headers) -> None:
        self.headers = headers

    def finished(self, error_type: str | None = None) -> None:
        return


def no_span(topic: str, event_id: str | None, headers: Headers | None) -> SpanOfRecord:
    """For publishing without traces."""
    return _NoSpan(headers or [])


class Publisher:
    """Used by one thread. The first failure is raised by the next call, as a ConnectorError."""

    def __init__(
        self,
        options: PublisherOptions,
        begin_span: BeginSpan = no_span,
        check_interrupted: Callable[[], None] = lambda: None,
    ) -> None:
        """`check_interrupted` is called often, between calls of the client, and raises what is to end a wait. Raises
        ConfigurationError for properties that librdkafka refuses."""
        self._options = options
        self._check_interrupted = check_interrupted
        self._begin_span = begin_span
        self._trail = ErrorTrail()
        self._producer = made(
            Producer,
            {
                "queue.buffering.max.messages": QUEUE_RECORDS_MAX,
                "message.timeout.ms": int(options.timeout_seconds * 1000),
            }
            | producer_properties(options.producer, self._trail),
        )
        self._failure: ConnectorError | None = None
        self._next_at = time.monotonic()
        self.sent = 0
        self.acknowledged = 0

    def require_topic(self, topic: str) -> None:
        """Raises a ConnectorError unless the topic can be written to, as far as can be told beforehand. Brokers that
        create topics by themselves create it now."""
        began = time.monotonic()
        deadline = began + self._options.timeout_seconds
        while True:
            try:
                error = self._producer.list_topics(topic, ATTEMPT_SECONDS).topics[topic].error
            except KafkaException as exception:
                self._producer.poll(0)  # the client says why
                if time.monotonic() >= min(deadline, began + METADATA_SECONDS):
                    raise self._mendable(exception.args[0], topic) from None
            else:
                if error is None:
                    return
                if error.code() != KafkaError.LEADER_NOT_AVAILABLE or time.monotonic() >= deadline:
                    raise self._mendable(error, topic)
            self._check_interrupted()
            time.sleep(0.1)

    def send(self, record: Record, place: str = "") -> None:
        """Sends a record, its key the person's identifier unless it has one. Waits for its turn and for room.
        `place`: where it came from, for the message of an error."""
        self._raise_failure()
        self._check_interrupted()
        self._wait_for_turn()
        known = published(record.value())
        headers = [(name, value) for name, value in record.headers() or () if encodable(name)]
        topic, key = record.topic() or "", record.key()
        span = self._begin_span(topic, known.event_id, headers)

        def delivered(error: KafkaError | None, message: Message) -> None:
            span.finished(None if error is None else error.name())
            if error is None:
                self.acknowledged += 1
            elif self._failure is None:
                self._failure = self._mendable(error, topic, place)

        while True:
            try:
                self._producer.produce(
                    topic,
                    record.value(),
                    known.key if key is None else key,
                    headers=list(span.headers),
                    on_delivery=delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
                self._raise_failure()
                self._check_interrupted()
            except KafkaException as exception:
                span.finished(exception.args[0].name())
                raise self._mendable(exception.args[0], topic, place) from None
            else:
                break
        self.sent += 1
        if self.sent % POLL_EVERY == 0:
            self._producer.poll(0)

    def flush(self) -> None:
        """Waits until everything that was sent is acknowledged. Raises a ConnectorError where it is not."""
        deadline = time.monotonic() + self._options.timeout_seconds + 5
        while self._producer.flush(FLUSH_SECONDS) and time.monotonic() < deadline:
            self._check_interrupted()
        self._raise_failure()
        if self.acknowledged < self.sent:
            timed_out = KafkaError(KafkaError._MSG_TIMED_OUT)
            raise self._mendable(timed_out, None)

    def _wait_for_turn(self) -> None:
        rate = self._options.records_per_second
        if rate is None:
            return
        now = time.monotonic()
        while now < self._next_at:
            self._producer.poll(min(0.1, self._next_at - now))
            self._check_interrupted()
            now = time.monotonic()
        # What was missed by more than a moment is not made up for with a burst.
        self._next_at = max(self._next_at, now - 0.1) + 1 / rate

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _mendable(self, error: KafkaError, topic: str | None, place: str = "") -> ConnectorError:
        if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE):
            where = f"{place}: " if place else ""
            return InputFileError(
                f"{where}the record is larger than the topic allows", "Raise max.message.bytes of the topic"
            )
        if error.code() == KafkaError._INVALID_ARG:
            return ConfigurationError(f"the record cannot be sent to topic {topic!r}: {error.str()}")
        return connector_error(self._trail.cause(error), self._options.producer.bootstrap_servers, topic)
