"""The Kafka that other tests rely on is what they take it for."""

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.parts.conftest import MakeTopic
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts

QUIET = {"log_level": "0"}


def produce(cluster: KafkaCluster, topic: str, value: bytes, user: str = "admin") -> KafkaError | None:
    errors: list[KafkaError | None] = []
    producer = Producer(cluster.client_properties(user) | QUIET | {"message.timeout.ms": "30000"})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(60) == 0
    return errors[0]


def first_record(cluster: KafkaCluster, topic: str, **properties: str) -> Message:
    group = {"group.id": f"reader-of-{topic}", "auto.offset.reset": "earliest"}
    consumer = Consumer(cluster.client_properties() | QUIET | group | properties)
    try:
        consumer.subscribe([topic])
        message = consumer.poll(60)
        assert message is not None
        return message
    finally:
        consumer.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_both_group_protocols_deliver_a_record(
    kafka: KafkaCluster, make_topic: MakeTopic, protocol: str
) -> None:
    topic = make_topic()
    assert produce(kafka, topic, b"hello") is None
    assert first_record(kafka, topic, **{"group.protocol": protocol}).value() == b"hello"


def test_a_topic_has_the_partitions_and_settings_asked_for(
    kafka: KafkaCluster, make_topic: MakeTopic
) -> None:
    topic = make_topic(partitions=7, max_message_bytes="1000")
    assert len(kafka.admin().list_topics(topic).topics[topic].partitions) == 7
    error = produce(kafka, topic, b"x" * 2000)
    assert error is not None
    assert error.code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_topic_that_nobody_created_does_not_appear(kafka: KafkaCluster) -> None:
    error = kafka.admin().list_topics("never-created").topics["never-created"].error
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_three_nodes_survive_one_killed_and_one_paused_in_turn(kafka_cluster: KafkaCluster) -> None:
    topic = kafka_cluster.create_topic(partitions=3)
    kafka_cluster.nodes[0].kill()
    assert produce(kafka_cluster, topic, b"one is dead") is None
    kafka_cluster.heal()
    kafka_cluster.nodes[1].pause()
    assert produce(kafka_cluster, topic, b"one does not answer") is None
    kafka_cluster.heal()
    partitions = kafka_cluster.admin().list_topics(topic).topics[topic].partitions
    assert all(sorted(partition.isrs) == [1, 2, 3] for partition in partitions.values())


def test_a_wrong_password_is_refused(kafka_sasl: KafkaCluster) -> None:
    refused: list[KafkaError] = []
    wrong = {"sasl.password": "wrong", "error_cb": refused.append}
    client = AdminClient(kafka_sasl.client_properties("connector") | QUIET | wrong)
    with pytest.raises(KafkaException):
        client.list_topics(timeout=5)
    client.poll(1)
    assert KafkaError._AUTHENTICATION in {error.code() for error in refused}


def test_a_user_may_do_what_an_acl_allows_and_nothing_else(kafka_sasl: KafkaCluster) -> None:
    topic = kafka_sasl.create_topic()
    client = AdminClient(kafka_sasl.client_properties("connector") | QUIET)
    error = client.list_topics(topic).topics[topic].error
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    kafka_sasl.allow("connector", "topic", topic, ["read", "describe"])
    consumer = Consumer(kafka_sasl.client_properties("connector") | QUIET | {"group.id": "not-allowed"})
    try:
        assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30) == (0, 0)
    finally:
        consumer.close()
    error = produce(kafka_sasl, topic, b"not allowed", user="connector")
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
