"""A Kafka for these tests: librdkafka's mock cluster, reached by clients of its own through sockets. It knows
transactions."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from connector.events.record import Record
from tests.dead_letters.letters import dead

PARTITIONS = 4


@contextmanager
def mock_cluster() -> Iterator[str]:
    """The address of one. It lives in a client, and creates topics of 4 partitions when they are used."""
    client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{b.host}:{b.port}" for b in client.list_topics(timeout=10).brokers.values())
    client.flush(0)


def create_topic(servers: str, topic: str) -> str:
    Producer({"bootstrap.servers": servers}).list_topics(topic, timeout=10)
    return topic


def write(servers: str, topic: str, records: Sequence[Record]) -> None:
    """Puts records on a topic, each in its own partition."""
    producer = Producer({"bootstrap.servers": servers})
    for record in records:
        producer.produce(
            topic,
            record.value(),
            record.key(),
            partition=record.partition() or 0,
            headers=list(record.headers() or []),
            timestamp=max(0, record.timestamp()[1]),
        )
    assert producer.flush(30) == 0


def read(servers: str, topic: str, partitions: int = PARTITIONS) -> list[Message]:
    """All that a topic holds, partition by partition."""
    properties = {"bootstrap.servers": servers, "group.id": "test", "enable.partition.eof": True}
    consumer = Consumer(properties | {"fetch.wait.max.ms": 10, "log_level": 0})
    found: dict[int, list[Message]] = {partition: [] for partition in range(partitions)}
    consumer.assign([TopicPartition(topic, partition, 0) for partition in found])
    unfinished = set(found)
    try:
        while unfinished:
            message = consumer.poll(30)
            assert message is not None
            partition = message.partition() or 0
            if message.error() is None:
                found[partition].append(message)
            else:
                unfinished.discard(partition)
    finally:
        consumer.close()
    return [message for partition in sorted(found) for message in found[partition]]


def dead_letters(count: int, topic: str, partitions: int = PARTITIONS) -> list[Record]:
    """Dead letters of records 0, 1, 2, ... of a source topic, dealt out over both topics' partitions."""
    from tests.dead_letters.letters import original

    return [
        dead(
            original(
                number,
                json.dumps({"type": "track", "number": number}).encode(),
                f"person-{number}".encode(),
                topic=topic,
                partition=number % partitions,
            ),
            partition=(number // partitions) % partitions,
        )
        for number in range(count)
    ]
