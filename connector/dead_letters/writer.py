"""Puts records on their topics in short transactions, together with how far the dead-letter topic has been worked off.

So both are there or neither, and a replay that was killed at any moment goes on exactly where it was. A second process
with the same id takes over from the first, which can write nothing any more.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from connector.dead_letters.outgoing import Outgoing
from connector.errors import ConfigurationError, ConnectorError, PermissionRefusedError, UnavailableError
from connector.kafka.configuration import (
    ConsumerOptions,
    ProducerOptions,
    consumer_properties,
    made,
    producer_properties,
)
from connector.kafka.errors import REFUSED_GROUP, ErrorTrail, connector_error

TRANSACTION_SECONDS = 1.0
TRANSACTION_RECORDS = 2000
TRANSACTION_BYTES = 16 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
BATCH_BYTES = 16 * 1024
"""A larger record travels alone: if it is too large for its topic, it is known which one, and harms no other."""
ABANDONED_SECONDS = 20
"""The brokers end a transaction that nobody goes on with after so long. Until then consumers wait at its records."""

K = KafkaError
_FENCED = frozenset({K._FENCED, K.PRODUCER_FENCED, K.INVALID_PRODUCER_EPOCH})
_UNSUPPORTED = frozenset({K._UNSUPPORTED_FEATURE, K.UNSUPPORTED_VERSION})
_TOO_LARGE = frozenset({K.MSG_SIZE_TOO_LARGE, K.INVALID_MSG_SIZE, K.RECORD_LIST_TOO_LARGE})
_CONSEQUENCES = frozenset({K._PURGE_QUEUE, K._PURGE_INFLIGHT, K._STATE})


class Writer:
    """Used by one thread."""

    def __init__(
        self,
        options: ProducerOptions,
        transaction_id: str,
        partitions: Mapping[str, int],
        records_per_second: float | None = None,
        keep_timestamps: bool = True,
    ) -> None:
        """`partitions`: how many each topic has that is written to. Raises ConnectorError."""
        self._options = options
        self._id = transaction_id
        self._partitions = partitions
        self._rate = records_per_second
        self._keep_timestamps = keep_timestamps
        self._trail = ErrorTrail()
        self._fatal: KafkaError | None = None
        self._failure: ConnectorError | None = None
        self._open_records = 0
        self._open_bytes = 0
        self._opened_at = 0.0
        self._next_at = time.monotonic()
        self.committed_records = 0
        self._producer = made(Producer, self._properties())
        self._group = self._group_metadata()
        self._attempt(lambda: self._producer.init_transactions(TIMEOUT_SECONDS))

    @property
    def is_open(self) -> bool:
        """Something was written that is not committed."""
        return self._open_records > 0

    @property
    def is_due(self) -> bool:
        """A commit must come before the next record, for which it may be too early by the rate."""
        return self.is_open and (
            self._open_records >= TRANSACTION_RECORDS
            or self._open_bytes >= TRANSACTION_BYTES
            or max(time.monotonic(), self._next_at) - self._opened_at >= TRANSACTION_SECONDS
        )

    def wait_for_turn(self, stopped: Event) -> None:
        """Waits for as long as the rate says, or until it is stopped."""
        if self._rate is None:
            return
        now = time.monotonic()
        stopped.wait(max(0.0, self._next_at - now))
        # What was missed by more than a moment is not made up for with a burst.
        self._next_at = max(self._next_at, now - 0.1) + 1 / self._rate

    def write(self, record: Outgoing, place: str) -> None:
        """Hands a record to Kafka. `place` says where it came from, for the message of an error."""
        if not self.is_open:
            self._attempt(self._producer.begin_transaction)
            self._opened_at = time.monotonic()
        known = self._partitions.get(record.topic, 0)
        stays = record.partition is not None and record.partition < known

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None and error.code() not in _CONSEQUENCES and self._failure is None:
                self._failure = self._mendable(error, record.topic, place)

        self._attempt(
            lambda: self._producer.produce(
                record.topic,
                record.value,
                record.key,
                partition=record.partition if stays and record.partition is not None else -1,
                headers=list(record.headers),
                timestamp=max(0, record.timestamp_ms) if self._keep_timestamps else 0,
                on_delivery=delivered,
            )
        )
        self._open_records += 1
        self._open_bytes += record.size_bytes
        self._attempt(lambda: self._producer.poll(0))

    def commit(self, positions: Iterable[TopicPartition] = ()) -> None:
        """Commits what was written, once Kafka has acknowledged it, with how far that is. Raises ConnectorError:
        then nothing of it was written."""
        offsets = list(positions)
        if not self.is_open:
            self._attempt(self._producer.begin_transaction)
        if offsets:
            self._attempt(
                lambda: self._producer.send_offsets_to_transaction(offsets, self._group, TIMEOUT_SECONDS)
            )
        self._attempt(lambda: self._producer.commit_transaction(TIMEOUT_SECONDS))
        self.committed_records += self._open_records
        self._open_records = self._open_bytes = 0

    def _attempt(self, call: Callable[[], object]) -> None:
        try:
            call()
        except KafkaException as exception:
            error = self._why(exception.args[0])
            self._abort()
            raise self._failure or self._mendable(error, None, "") from None

    def _why(self, error: KafkaError) -> KafkaError:
        """A producer that is of no use any more says so when it is polled."""
        try:
            self._producer.poll(0)
        except KafkaException as exception:
            error = exception.args[0]
        return error

    def _abort(self) -> None:
        self._open_records = self._open_bytes = 0
        try:
            self._producer.abort_transaction(TIMEOUT_SECONDS)
        except KafkaException:
            return  # the brokers do it, after ABANDONED_SECONDS or when the replay is resumed

    def _properties(self) -> dict[str, object]:
        return (
            {
                "message.max.bytes": 1_000_000_000,  # the broker decides what is too large
                "batch.size": BATCH_BYTES,
                "transaction.timeout.ms": ABANDONED_SECONDS * 1000,
            }
            | producer_properties(self._options, self._on_error)
            | {"transactional.id": self._id}
        )

    def _on_error(self, error: KafkaError) -> None:
        """Called by the client. Must not raise."""
        self._trail(error)
        if error.fatal():
            self._fatal = error

    def _group_metadata(self) -> object:
        """Of the group that the positions are committed for. It never has members."""
        options = ConsumerOptions(
            bootstrap_servers=self._options.bootstrap_servers,
            topics=(),
            group_id=self._id,
            properties=self._options.properties,
        )
        client = made(Consumer, consumer_properties(options, lambda error: None))
        try:
            return client.consumer_group_metadata()
        finally:
            client.close()

    def _mendable(self, error: KafkaError, topic: str | None, place: str) -> ConnectorError:
        error = self._fatal or self._trail.cause(error)
        code = error.code()
        servers = self._options.bootstrap_servers
        if code in _TOO_LARGE:
            return UnavailableError(
                f"{place}: the record is larger than topic {topic} takes", "Raise its max.message.bytes"
            )
        if code == K.INVALID_TIMESTAMP:
            return UnavailableError(
                f"{place}: the record's timestamp is further from now than topic {topic} takes",
                "Raise its message.timestamp.before.max.ms, or give --timestamps now",
            )
        if code in _FENCED:
            return ConfigurationError(
                f"another process has taken {self._id} over, or Kafka has given up a transaction that took too long",
                "Go on with it in one process only",
            )
        if code == K.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            return PermissionRefusedError(
                f"Kafka refuses the transactional id {self._id}",
                "Grant Write and Describe on it (kafka-acls.sh --add --transactional-id ... "
                "--resource-pattern-type prefixed)",
            )
        if code in _UNSUPPORTED:
            return UnavailableError(
                f"Kafka at {servers} knows no transactions", "They need brokers 0.11 or later"
            )
        return connector_error(error, servers, topic, self._id if code in REFUSED_GROUP else None)
