"""Committed offsets of consumer groups, read and written from outside of them."""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import confluent_kafka
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from connector.core.effects import TopicPartition
from connector.kafka.reach import answer

_TIMEOUT_SECONDS = 10.0
_REQUEST_SECONDS = 600.0
"""As such a request times out while it waits for the group's coordinator, librdkafka may abort the process (seen with
2.16, on brokers that were just made). So we stop waiting long before it does."""


class GroupOffset(NamedTuple):
    """What a group has committed for a partition."""

    offset: int
    metadata: str


def group_offsets(
    admin: AdminClient,
    group_id: str,
    partitions: Iterable[TopicPartition] | None = None,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> dict[TopicPartition, GroupOffset]:
    """What the group has committed, for all partitions or these; empty for one that never was. Raises
    KafkaException."""
    wanted = [confluent_kafka.TopicPartition(*partition) for partition in partitions or ()]
    deadline = time.monotonic() + timeout_seconds
    futures = admin.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group_id, wanted or None)], request_timeout=_REQUEST_SECONDS
    )
    found = answer(futures[group_id], deadline)
    return {
        TopicPartition(each.topic, each.partition): GroupOffset(each.offset, each.metadata or "")
        for each in found.topic_partitions or []
        if each.offset >= 0 and each.error is None
    }


def set_group_offsets(admin: AdminClient, group_id: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit for a group that has no members now. Raises KafkaException."""
    wanted = [
        confluent_kafka.TopicPartition(partition.topic, partition.partition, offset)
        for partition, offset in offsets.items()
    ]
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    futures = admin.alter_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group_id, wanted)], request_timeout=_REQUEST_SECONDS
    )
    answer(futures[group_id], deadline)
