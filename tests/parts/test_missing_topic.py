"""A topic that is missing is told; what only may not be known, or will be created, is not."""

import pytest

from connector.kafka.configuration import ProducerOptions
from connector.kafka.missing_topic import missing_topic
from tests.parts.conftest import CONNECTOR_PASSWORD, MakeTopic, StartKafka
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts


def options(cluster: KafkaCluster, **properties: str) -> ProducerOptions:
    return ProducerOptions(
        bootstrap_servers=cluster.bootstrap_servers, properties={"log_level": "0", **properties}
    )


def test_missing_topic_is_told_with_the_command_that_creates_it_and_is_not_created_by_asking(
    kafka: KafkaCluster, make_topic: MakeTopic
) -> None:
    for _ in range(2):
        error = missing_topic(options(kafka), "never-made")
        assert error is not None
        assert error.what == f"topic never-made does not exist at {kafka.bootstrap_servers}"
        assert f"--bootstrap-server {kafka.bootstrap_servers} --create --topic never-made" in error.fix
    assert missing_topic(options(kafka), make_topic()) is None


def test_nothing_is_told_where_brokers_create_topics(start_kafka: StartKafka) -> None:
    cluster = start_kafka(nodes=1, properties={"auto.create.topics.enable": "true"})
    assert missing_topic(options(cluster), "made-when-written") is None
    assert "made-when-written" not in cluster.admin().list_topics(timeout=10).topics


def test_nothing_is_told_where_the_topic_must_not_be_seen(kafka_sasl: KafkaCluster) -> None:
    user = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "connector",
        "sasl.password": CONNECTOR_PASSWORD,
    }
    assert missing_topic(options(kafka_sasl, **user), "never-to-be-seen") is None
