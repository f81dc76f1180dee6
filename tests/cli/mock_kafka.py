"""librdkafka's mock cluster, for commands that talk to Kafka."""

from itertools import count
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

QUIET = {"log_level": 0}


class MockKafka:
    """Lives in a client; reached through sockets. A topic has 4 partitions and appears when it is first used."""

    def __init__(self) -> None:
        self._client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1} | QUIET)
        brokers = self._client.list_topics(timeout=10).brokers.values()
        self.bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._names = count(1)

    def topic(self, name: str = "") -> str:
        """Makes a topic, with a name of its own unless one is given."""
        name = name or f"events-{next(self._names)}"
        self._producer().list_topics(name, timeout=10)
        return name

    def publish(self, topic: str, *values: Any, partition: int = 0, **more: Any) -> None:
        producer = self._producer()
        for value in values:
            producer.produce(topic, value, partition=partition, **more)
        assert producer.flush(10) == 0

    def commit(self, group_id: str, topic: str, partition: int, offset: int, metadata: str = "") -> None:
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": group_id} | QUIET)
        place = TopicPartition(topic, partition, offset, metadata)
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    def committed(self, group_id: str, topic: str) -> list[int]:
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers} | QUIET)
        wanted = ConsumerGroupTopicPartitions(
            group_id, [TopicPartition(topic, number) for number in range(4)]
        )
        found = admin.list_consumer_group_offsets([wanted])[group_id].result(10)
        return [place.offset for place in found.topic_partitions]

    def _producer(self) -> Producer:
        return Producer({"bootstrap.servers": self.bootstrap_servers} | QUIET)
