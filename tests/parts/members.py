"""Members of consumer groups that are poll threads of ours, and what becomes of their topics and offsets."""

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import Commit
from connector.kafka.consumer import ConsumerThread
from tests.kafka.listening import Listening, wait_for
from tests.parts.provision.kafka import KafkaCluster

PROTOCOLS = pytest.mark.parametrize("protocol", ["classic", "consumer"])


def publish(cluster: KafkaCluster, topic: str, count: int, partitions: int = 4, begin: int = 0) -> None:
    """`count` records on each partition; a value is its own number."""
    producer = Producer(cluster.client_properties() | {"log_level": "0"})
    for number in range(begin, begin + count):
        for partition in range(partitions):
            producer.produce(topic, b"%d" % number, partition=partition)
    assert producer.flush(60) == 0


def committed(cluster: KafkaCluster, group_id: str, topic: str, partition: int = 0) -> int:
    """The group's offset; negative where there is none."""
    client = Consumer(cluster.client_properties() | {"group.id": group_id, "log_level": "0"})
    try:
        return client.committed([ClientPartition(topic, partition)], timeout=30)[0].offset
    finally:
        client.close()


def leave(thread: ConsumerThread, listener: Listening) -> None:
    """As a drain does: takes nothing more, commits where it is, leaves."""
    thread.stop_taking()
    thread.commit(Commit(99, ()))
    wait_for(lambda: (99, ()) in listener.commits, "the end of taking")
    assert thread.close(listener.offsets(), 20)


def places(*listeners: Listening) -> set[tuple[int | None, int | None]]:
    """(partition, offset) of what these were given."""
    return {(record.partition(), record.offset()) for listener in listeners for record in listener.records}
