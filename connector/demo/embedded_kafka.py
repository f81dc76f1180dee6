"""librdkafka's mock cluster: brokers inside this process that real clients reach through real sockets.

It creates topics when they are first asked for, with `PARTITIONS` partitions, and keeps about 5 MB of each.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Message, Producer

from connector.demo.people import PARTITIONS
from connector.errors import UnavailableError

BROKERS = 3
PARTITION_BYTES_KEPT = 5_000_000
"""Of a partition; the oldest go first, read or not."""
_ANSWER_SECONDS = 10.0
_QUIET: Mapping[str, Any] = {"log_level": 0, "log.connection.close": False}
"""It goes down with this process: that its clients notice is no news."""


class EmbeddedKafka:
    """Runs as long as the context is open."""

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._topics = topics
        self.bootstrap_servers = ""
        self.cluster_id = ""
        self._brokers: Producer | None = None
        self._observers: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        try:
            # The mock needs no bootstrap servers, but librdkafka complains without any.
            self._brokers = Producer({"test.mock.num.brokers": BROKERS, "bootstrap.servers": "", **_QUIET})
            cluster = self._brokers.list_topics(timeout=_ANSWER_SECONDS)
            for topic in self._topics:
                self._brokers.list_topics(topic, timeout=_ANSWER_SECONDS)
        except KafkaException as exception:
            raise UnavailableError(
                f"librdkafka's mock cluster does not start: {exception.args[0].str()}",
                "It listens on free ports of 127.0.0.1: see what keeps it from doing so",
            ) from None
        self.bootstrap_servers = ",".join(
            f"{broker.host}:{broker.port}" for broker in cluster.brokers.values()
        )
        self.cluster_id = cluster.cluster_id or ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for observer in self._observers.values():
            observer.close()
        self._observers.clear()
        self._brokers = None

    def client_properties(self) -> dict[str, Any]:
        """How a client of our own reaches it."""
        return {"bootstrap.servers": self.bootstrap_servers, **_QUIET}

    def ends(self, topic: str) -> dict[int, int]:
        """Where each partition's log ends: the offset of the next record."""
        observer = self._observer("demo-observer")
        ends = {}
        for place in _places(topic):
            low_high = observer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
            assert low_high is not None, "KafkaException is raised if there is no answer"
            ends[place.partition] = low_high[1]
        return ends

    def committed(self, group_id: str, topic: str) -> dict[int, int]:
        """What a group has committed, partition by partition; those where it has not are left out."""
        found = self._observer(group_id).committed(_places(topic), timeout=_ANSWER_SECONDS)
        return {place.partition: place.offset for place in found if place.offset >= 0}

    def _observer(self, group_id: str) -> Consumer:
        """A client that asks about a group without joining it."""
        if group_id not in self._observers:
            properties = self.client_properties() | {"group.id": group_id, "enable.auto.commit": False}
            self._observers[group_id] = Consumer(properties)
        return self._observers[group_id]


class TopicReader:
    """Reads a whole topic, outside of any group."""

    def __init__(self, kafka: EmbeddedKafka, topic: str) -> None:
        self._topic = topic
        self._read = dict.fromkeys(range(PARTITIONS), 0)
        self._client = Consumer(
            kafka.client_properties() | {"group.id": "demo-reader", "enable.auto.commit": False}
        )
        self._client.assign(_places(topic, 0))

    def take(self, timeout_seconds: float = 0.0) -> list[Message]:
        """What has come since; waits for the first so long. Raises KafkaException."""
        messages = self._client.consume(1_000, timeout_seconds)
        for message in messages:
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            self._read[message.partition() or 0] = (message.offset() or 0) + 1
        return messages

    def is_at(self, ends: Mapping[int, int]) -> bool:
        """Whether everything before these offsets has been read."""
        return all(self._read[partition] >= end for partition, end in ends.items())

    def close(self) -> None:
        self._client.close()


def _places(topic: str, offset: int = confluent_kafka.OFFSET_INVALID) -> list[confluent_kafka.TopicPartition]:
    return [confluent_kafka.TopicPartition(topic, partition, offset) for partition in range(PARTITIONS)]
