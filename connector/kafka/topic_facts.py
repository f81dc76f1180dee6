"""What the brokers say of topics: whether they exist, what is permitted on them, from where to where they reach."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclOperation,
    AdminClient,
    ClusterMetadata,
    OffsetSpec,
)

from connector.core.effects import TopicPartition
from connector.kafka.reach import Reached, answer

_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class TopicFacts(NamedTuple):
    """A topic that exists."""

    name: str
    partitions: int
    without_leader: int
    """Partitions that cannot be used just now."""
    topic_id: str = ""
    """Empty where the brokers do not say."""
    permitted: frozenset[AclOperation] | None = None
    """What these credentials may do with it. None: the brokers do not say."""

    @property
    def all_partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.name, partition) for partition in range(self.partitions)]


class Bounds(NamedTuple):
    """From where to where a partition's log reaches."""

    low: int
    high: int
    """The offset that the next record will get; with a transaction open that of its first record."""
    leader_epoch: int | None


def topics_named(metadata: ClusterMetadata, name: str) -> list[str]:
    """The topics that an item of `kafka.topics` means: the one of that name, or all that match a pattern (`^...`)."""
    if not name.startswith("^"):
        return [name]
    return sorted(topic for topic in metadata.topics if re.search(name, topic))


def topic_facts(
    kafka: Reached, topics: Sequence[str], timeout_seconds: float
) -> dict[str, TopicFacts | KafkaError]:
    """The facts of each topic, or why there are none."""
    if not topics:
        return {}
    if not kafka.has_controller:
        return {topic: _from_metadata(kafka.metadata, topic) for topic in topics}
    deadline = time.monotonic() + timeout_seconds
    asked = kafka.admin.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=timeout_seconds
    )
    facts: dict[str, TopicFacts | KafkaError] = {}
    for topic, future in asked.items():
        try:
            told = answer(future, deadline)
        except KafkaException as exception:
            facts[topic] = exception.args[0]
        else:
            operations = told.authorized_operations
            facts[topic] = TopicFacts(
                topic,
                len(told.partitions),
                sum(partition.leader is None for partition in told.partitions),
                str(told.topic_id),
                None if operations is None else frozenset(operations),
            )
    return facts


def log_bounds(
    admin: AdminClient,
    partitions: Iterable[TopicPartition],
    isolation: IsolationLevel,
    timeout_seconds: float,
) -> dict[TopicPartition, Bounds]:
    """Raises KafkaException where the leader of one of them refuses or does not answer."""
    deadline = time.monotonic() + timeout_seconds
    wanted = [KafkaTopicPartition(*partition) for partition in partitions]
    if not wanted:
        return {}
    lows, highs = (
        admin.list_offsets(
            dict.fromkeys(wanted, which), isolation_level=isolation, request_timeout=timeout_seconds
        )
        for which in (_EARLIEST, _LATEST)
    )
    bounds = {}
    for partition, asked in highs.items():
        low, high = answer(lows[partition], deadline), answer(asked, deadline)
        epoch = high.leader_epoch
        bounds[TopicPartition(partition.topic, partition.partition)] = Bounds(
            low.offset, high.offset, None if epoch is None or epoch < 0 else epoch
        )
    return bounds


def _from_metadata(metadata: ClusterMetadata, topic: str) -> TopicFacts | KafkaError:
    found: Mapping[str, object] = metadata.topics
    if topic not in found:
        return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    partitions = metadata.topics[topic].partitions.values()
    return TopicFacts(topic, len(partitions), sum(partition.leader < 0 for partition in partitions))
