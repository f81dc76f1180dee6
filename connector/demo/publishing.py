"""Puts the traffic on the topic, no faster than the embedded Kafka can hold it for the connector."""

import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from connector.demo.embedded_kafka import PARTITION_BYTES_KEPT, EmbeddedKafka
from connector.demo.people import PARTITIONS
from connector.demo.traffic import TrafficRecord
from connector.errors import UnavailableError

_UNREAD_BYTES_MAX = int(PARTITION_BYTES_KEPT * 0.7)
_RECORD_OVERHEAD_BYTES = 100


class Published(NamedTuple):
    """One record that Kafka has acknowledged."""

    record: TrafficRecord
    offset: int
    timestamp_ms: int


class Pace:
    """When the next record may go: at the rate, and while what is not committed yet fits into the embedded Kafka."""

    def __init__(self, rate: float | None, unread_bytes_max: int = _UNREAD_BYTES_MAX) -> None:
        """`rate` in records a second; None: only the room counts."""
        self._rate = rate
        self._unread_bytes_max = unread_bytes_max
        self._began_at: float | None = None
        self._sent = 0
        self._unread: list[deque[int]] = [deque() for _ in range(PARTITIONS)]
        self._unread_bytes = [0] * PARTITIONS
        self._committed = [0] * PARTITIONS

    def has_room(self, record: TrafficRecord) -> bool:
        """Whether the embedded Kafka can hold this record, too."""
        return self._unread_bytes[record.partition] + _size(record) <= self._unread_bytes_max

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next record (monotonic seconds)."""
        if self._rate is None:
            return True
        if self._began_at is None:
            self._began_at = now
        return self._sent <= (now - self._began_at) * self._rate

    def sent(self, record: TrafficRecord) -> None:
        self._sent += 1
        self._unread[record.partition].append(_size(record))
        self._unread_bytes[record.partition] += _size(record)

    def committed(self, offsets: Mapping[int, int]) -> None:
        """Every group has passed the records before these offsets."""
        for partition, offset in offsets.items():
            for _ in range(offset - self._committed[partition]):
                self._unread_bytes[partition] -= self._unread[partition].popleft()
            self._committed[partition] = max(offset, self._committed[partition])


class TrafficPublisher:
    """Used by one thread."""

    def __init__(self, kafka: EmbeddedKafka, topic: str) -> None:
        self._topic = topic
        self._producer = Producer(
            kafka.client_properties()
            | {"enable.idempotence": True, "acks": "all", "compression.type": "zstd", "linger.ms": 5}
        )
        self.published: list[Published] = []
        """In the order of acknowledgement, which is the log's within each partition."""
        self._failure: KafkaError | None = None

    def publish(self, record: TrafficRecord) -> bool:
        """Hands one record over. False: there is no room just now."""
        timestamp_ms = time.time_ns() // 1_000_000
        try:
            self._producer.produce(
                self._topic,
                record.value,
                record.key,
                record.partition,
                headers=list(record.headers),
                timestamp=timestamp_ms,
                on_delivery=partial(self._acknowledged, record, timestamp_ms),
            )
        except BufferError:
            return False
        return True

    def poll(self, timeout_seconds: float = 0.0) -> None:
        """Takes acknowledgements. Raises UnavailableError for a record that Kafka has refused."""
        self._producer.poll(timeout_seconds)
        if self._failure is not None:
            raise UnavailableError(f"the embedded Kafka has refused a record: {self._failure.str()}")

    def flush(self, timeout_seconds: float) -> None:
        """Waits until everything is acknowledged."""
        waiting = self._producer.flush(timeout_seconds)
        self.poll()
        if waiting:
            raise UnavailableError(f"the embedded Kafka has not acknowledged {waiting} records in time")

    def _acknowledged(
        self, record: TrafficRecord, timestamp_ms: int, error: KafkaError | None, message: Message
    ) -> None:
        offset = message.offset()
        if error is None and offset is not None:
            self.published.append(Published(record, offset, timestamp_ms))
        else:
            self._failure = error


def _size(record: TrafficRecord) -> int:
    return len(record.key) + len(record.value) + _RECORD_OVERHEAD_BYTES
