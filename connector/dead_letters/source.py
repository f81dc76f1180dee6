"""The dead-letter topic, read from the beginning to where it ended at first, without joining a group."""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec.structs import replace

from connector.events.record import Record
from connector.kafka.configuration import ConsumerOptions, made, reader_properties
from connector.kafka.errors import ErrorTrail, connector_error
from connector.kafka.headers import read_headers
from connector.kafka.lookup import isolation_level
from connector.kafka.reach import Reached, reached
from connector.kafka.topic_facts import log_bounds, topic_facts
from connector.kafka.verdict import Verdict, verdict_on

REACH_SECONDS = 10.0
POLL_SECONDS = 0.2
SILENT_SECONDS = 30.0
"""Brokers that hand over nothing of what they hold for so long are taken to be down."""
LEADER_SECONDS = 10.0
"""A partition has another leader by then."""
RETRY_SECONDS = 0.2
BATCH_RECORDS_MAX = 2000
PREFETCH_BYTES = 8 * 1024 * 1024

_PASSING = (Verdict.NOTHING, Verdict.GROUP, Verdict.PASSING, Verdict.UNREACHABLE)
"""Nothing that librdkafka does not try again by itself."""
_LEADER_CHANGES = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.REPLICA_NOT_AVAILABLE,
    }
)


class Bounds(NamedTuple):
    """What is read of a partition."""

    low: int
    end: int
    """The first offset that is not read."""


class Source:
    """One partition is read after the other, in order, so that the same is found each time."""

    def __init__(self, options: ConsumerOptions, topic: str) -> None:
        """Asks where the partitions begin and end. Raises ConnectorError."""
        self.topic = topic
        self.servers = options.bootstrap_servers
        self.kafka = reached(options, REACH_SECONDS)
        self.bounds = _bounds(self.kafka, options, topic)
        self._trail = ErrorTrail()
        little = replace(options, prefetch_bytes=PREFETCH_BYTES)
        self._client = made(Consumer, reader_properties(little, self._trail))

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def all_batches(self) -> Iterator[list[Record]]:
        """Everything, as it comes in."""
        for partition, bounds in self.bounds.items():
            yield from self.batches(partition, bounds.low, bounds.end)

    def batches(self, partition: int, start: int, end: int) -> Iterator[list[Record]]:
        """A partition's records from `start` to before `end`. Raises ConnectorError."""
        if start >= end:
            return
        self._client.assign([TopicPartition(self.topic, partition, start)])
        heard_at = time.monotonic()
        finished = False
        while not finished:
            records: list[Message] = []
            for message in self._take():
                error = message.error()
                if error is None and message.partition() == partition:
                    offset = message.offset() or 0
                    if offset < end:
                        records.append(message)
                    finished = finished or offset >= end - 1
                elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                    finished = finished or message.partition() == partition
                elif error is not None:
                    self._judge(error, partition)
            if records:
                heard_at = time.monotonic()
                read_headers(records)
                yield cast(list[Record], records)
            elif time.monotonic() - heard_at > SILENT_SECONDS:
                raise self._mendable(KafkaError(KafkaError._TIMED_OUT))

    def _take(self) -> list[Message]:
        try:
            first = self._client.poll(POLL_SECONDS)
            return [] if first is None else [first, *self._client.consume(BATCH_RECORDS_MAX - 1, 0)]
        except KafkaException as exception:
            raise self._mendable(exception.args[0]) from None

    def _judge(self, error: KafkaError, partition: int) -> None:
        verdict = verdict_on(error, of_partition=True)
        if verdict is Verdict.OUT_OF_RANGE:
            # Retention was faster. What it left is read.
            self._client.assign([TopicPartition(self.topic, partition, OFFSET_BEGINNING)])
        elif verdict not in _PASSING:
            raise self._mendable(error)

    def _mendable(self, error: KafkaError) -> Exception:
        return connector_error(self._trail.cause(error), self.servers, self.topic)


def _bounds(kafka: Reached, options: ConsumerOptions, topic: str) -> Mapping[int, Bounds]:
    """Waits a while for partitions whose leader is just changing. Raises ConnectorError."""
    deadline = time.monotonic() + LEADER_SECONDS
    while True:
        try:
            return _bounds_now(kafka, options, topic)
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
        if error.code() not in _LEADER_CHANGES or time.monotonic() >= deadline:
            raise connector_error(error, options.bootstrap_servers, topic)
        time.sleep(RETRY_SECONDS)


def _bounds_now(kafka: Reached, options: ConsumerOptions, topic: str) -> Mapping[int, Bounds]:
    """Raises KafkaException."""
    facts = topic_facts(kafka, [topic], REACH_SECONDS)[topic]
    if isinstance(facts, KafkaError):
        raise KafkaException(facts)
    if facts.without_leader:
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
    isolation = isolation_level(options.properties)
    found = log_bounds(kafka.admin, facts.all_partitions, isolation, REACH_SECONDS)
    return {
        partition.partition: Bounds(bounds.low, bounds.high) for partition, bounds in sorted(found.items())
    }
