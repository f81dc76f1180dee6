"""Kafka for these tests: librdkafka's mock cluster, reached by clients of its own through sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Producer

from connector.kafka.configuration import ConsumerOptions
from connector.kafka.consumer import ConsumerThread
from tests.kafka.listening import Listening

Publish = Callable[..., None]
Consume = Callable[..., tuple[ConsumerThread, Listening]]

_topics = count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The mock cluster's address. It lives in a client, and creates topics of 4 partitions when they are used."""
    client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{b.host}:{b.port}" for b in client.list_topics(timeout=10).brokers.values())
    client.flush(0)


@pytest.fixture
def topic(cluster: str) -> str:
    """A topic of its own."""
    name = f"events-{next(_topics)}"
    Producer({"bootstrap.servers": cluster}).list_topics(name, timeout=10)
    return name


@pytest.fixture
def publish(cluster: str, topic: str) -> Publish:
    """Puts values on a partition of the topic."""

    def publish(*values: Any, partition: int = 0, **more: Any) -> None:
        producer = Producer({"bootstrap.servers": cluster})
        for value in values:
            producer.produce(topic, value, partition=partition, **more)
        assert producer.flush(10) == 0

    return publish


@pytest.fixture
def consume(cluster: str, topic: str) -> Iterator[Consume]:
    """Starts a consumer of the topic; it is ended after the test."""
    with ExitStack() as ended:

        def consume(
            group_id: str | None = None, listener: Listening | None = None, **options: Any
        ) -> tuple[ConsumerThread, Listening]:
            listener = listener or Listening()
            chosen = {
                "bootstrap_servers": cluster,
                "topics": (topic,),
                "group_protocol": "consumer",
            } | options
            thread = ConsumerThread(ConsumerOptions(group_id=group_id or topic, **chosen), listener)
            ended.callback(lambda: thread.join(10))
            ended.callback(thread.abort)
            thread.start()
            return thread, listener

        yield consume
