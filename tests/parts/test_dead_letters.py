"""Dead letters on a real Kafka: what a broker refuses, and what comes back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from connector.core.effects import WriteDeadLetter
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka import dead_letters
from connector.kafka.configuration import ProducerOptions
from connector.kafka.dead_letters import DeadLetterOptions, DeadLetterProducer
from tests.kafka.listening import wait_for
from tests.parts.conftest import MakeTopic, StartKafka
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts

Written = list[tuple[int, str | None]]
StartProducer = Callable[..., tuple[DeadLetterProducer, Written]]


@pytest.fixture
def start_producer() -> Iterator[StartProducer]:
    with ExitStack() as ended:

        def start_producer(
            cluster: KafkaCluster, topic: str, **properties: str
        ) -> tuple[DeadLetterProducer, Written]:
            written: Written = []
            options = DeadLetterOptions(
                topic=topic,
                producer=ProducerOptions(
                    bootstrap_servers=cluster.bootstrap_servers, properties={**properties, "log_level": "0"}
                ),
            )
            producer = DeadLetterProducer(
                options, lambda letter_id, error: written.append((letter_id, error))
            )
            ended.callback(producer.close, 0)
            return producer, written

        yield start_producer


def letter(
    letter_id: int, value: bytes = b"bad", key: bytes = b"key", header: bytes = b"1"
) -> WriteDeadLetter:
    record = StoredRecord("events", 0, letter_id, value, key, [("a", header)], 1)
    return WriteDeadLetter(letter_id, record, Reason.TOO_LARGE, "too large", 1)


def read(cluster: KafkaCluster, topic: str, count: int) -> list[Message]:
    consumer = Consumer(cluster.client_properties() | {"group.id": f"reader-of-{topic}", "log_level": "0"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages: list[Message] = []
    wait_for(lambda: messages.extend(consumer.consume(count, 1)) or len(messages) >= count, "the letters")
    consumer.close()
    return messages


def acknowledged(written: Written) -> list[int]:
    return sorted(letter_id for letter_id, error in written if error is None)


def test_what_the_broker_finds_too_large_is_cut_as_little_as_needed(
    kafka: KafkaCluster, make_topic: MakeTopic, start_producer: StartProducer
) -> None:
    topic = make_topic(partitions=1, max_message_bytes="2000")
    # Compression would make them fit.
    producer, written = start_producer(kafka, topic, **{"compression.type": "none"})
    producer.write(letter(1, value=b"v" * 5000))
    producer.write(letter(2, header=b"h" * 5000))
    for letter_id in range(3, 60):
        producer.write(letter(letter_id, value=b"small" * 20))
    assert producer.close(60) == 0
    assert acknowledged(written) == list(range(1, 60))
    by_offset: dict[bytes | None, Message] = {
        dict(message.headers() or ())["dead-letter.offset"]: message for message in read(kafka, topic, 59)
    }
    first, second = by_offset[b"1"], by_offset[b"2"]
    assert (first.key(), first.value(), (first.headers() or [])[0]) == (b"key", None, ("a", b"1"))
    assert dict(first.headers() or ())["dead-letter.truncated"] == b"5000"
    assert (second.key(), second.value()) == (None, None)
    assert "a" not in dict(second.headers() or ())
    assert dict(second.headers() or ())["dead-letter.truncated"] == b"3"
    assert {by_offset[b"%d" % n].value() for n in range(3, 60)} == {b"small" * 20}


def test_letters_wait_for_their_topic_and_for_permission(
    kafka_sasl: KafkaCluster, start_producer: StartProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "BACKOFF_SECONDS_MAX", 1.0)
    topic = "dead-letters-to-come"
    login: dict[str, Any] = kafka_sasl.client_properties("connector")
    del login["bootstrap.servers"]
    producer, written = start_producer(kafka_sasl, topic, **login)
    producer.write(letter(1))
    wait_for(lambda: written, "the first refusal", 90)
    assert written[0][1] is not None
    assert "topic dead-letters-to-come" in written[0][1]
    kafka_sasl.allow("connector", "topic", topic, ["write", "describe"])
    kafka_sasl.create_topic(topic, partitions=1)
    wait_for(lambda: acknowledged(written) == [1], "the acknowledgement", 120)
    assert producer.close(10) == 0
    assert len(read(kafka_sasl, topic, 1)) == 1


def test_letters_outlast_their_broker(start_kafka: StartKafka, start_producer: StartProducer) -> None:
    cluster = start_kafka()
    topic = cluster.create_topic(partitions=1)
    producer, written = start_producer(cluster, topic)
    producer.write(letter(1))
    wait_for(lambda: acknowledged(written) == [1], "the first acknowledgement")
    cluster.nodes[0].kill()
    for letter_id in range(2, 50):
        producer.write(letter(letter_id))
    cluster.heal()
    wait_for(lambda: acknowledged(written) == list(range(1, 50)), "all acknowledgements", 120)
    assert producer.close(10) == 0
    offsets = {dict(message.headers() or ())["dead-letter.offset"] for message in read(cluster, topic, 49)}
    assert offsets == {b"%d" % letter_id for letter_id in range(1, 50)}
