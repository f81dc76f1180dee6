"""Committed offsets of consumer groups, read and written from outside of them."""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import confluent_kafka
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from connector.core.effects import TopicPartition
from connector.kafka.reach import answer

_TIMEOUT_SECONDS = 10.0
_REQUEST_SECONDS = 600.0
"""As such a request times out while it waits for the group's coordinator, librdkafka may abort the process (seen with
2.16, on brokers that were just made). So we stop waiting long before it does."""
_NO_COORDINATOR = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._TIMED_OUT,
    }
)


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
    _meet_coordinator(admin, group_id, deadline)
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


def _meet_coordinator(admin: AdminClient, group_id: str, deadline: float) -> None:
    """Asked for offsets, a broker that is not the group's coordinator, or not yet, makes librdkafka crash (seen with
    2.16 as brokers start; confluentinc/librdkafka#5040). Asked who is in the group, it merely says so. Raises
    KafkaException."""
    asked = admin.describe_consumer_groups([group_id], request_timeout=_REQUEST_SECONDS)
    try:
        answer(asked[group_id], deadline)
    except KafkaException as exception:
        if exception.args[0].code() in _NO_COORDINATOR:
            raise
