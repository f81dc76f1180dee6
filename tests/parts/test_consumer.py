"""The poll thread against a real Kafka: refusals, and what brokers do to commits and to a log."""

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import Commit, TopicPartition
from connector.kafka.state import ConsumerState
from tests.kafka.listening import wait_for
from tests.parts.conftest import MakeTopic, StartKafka, StartMember
from tests.parts.members import PROTOCOLS, committed, places, publish
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts


@PROTOCOLS
def test_metadata_one_character_too_long_is_reported_and_at_the_end_left_out(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 5, partitions=2)
    thread, listener = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(listener.records) == 10, "the records")
    (fits,) = listener.offsets(TopicPartition(topic, 0), metadata="x" * 4095)
    (too_long,) = listener.offsets(TopicPartition(topic, 1), metadata="x" * 4096)
    thread.commit(Commit(1, (fits, too_long)))
    wait_for(lambda: listener.commits, "the report")
    ((_, failures),) = listener.commits
    # The broker refuses partition 1 alone; librdkafka blames both.
    assert {f.code for f in failures if f.partition.partition == 1} == {"OFFSET_METADATA_TOO_LARGE"}
    assert (committed(kafka, group_id, topic, 0), committed(kafka, group_id, topic, 1) < 0) == (5, True)
    assert thread.close([fits, too_long], 20)
    assert committed(kafka, group_id, topic, 1) == 5
    assert listener.notes == []
    _, again = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(again.assignments) == 2, "the second assignment", 60)
    by_partition = {assignment.partition.partition: assignment for assignment in again.assignments}
    assert by_partition[0].metadata == "x" * 4095
    assert by_partition[0].topic_id and by_partition[0].cluster_id


def test_transactions_leave_gaps_and_the_position_passes_the_last_marker(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember
) -> None:
    topic = make_topic(partitions=1)
    producer = Producer(kafka.client_properties() | {"transactional.id": f"tx-{topic}", "log_level": "0"})
    producer.init_transactions(30)
    for number in range(10):
        producer.begin_transaction()
        producer.produce(topic, b"%d" % number, partition=0)
        assert producer.flush(30) == 0
        if number % 3:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    _, listener = member(kafka, topic, group_id, ends_seconds=0.2)
    end = wait_for(lambda: listener.log_ends.get(TopicPartition(topic, 0)), "the log's end")
    assert end == 20
    wait_for(lambda: listener.positions.get(TopicPartition(topic, 0)) == end, "the position at the end")
    assert listener.values == [b"%d" % number for number in range(10) if number % 3]


def test_log_that_was_cut_under_a_paused_partition_is_assigned_anew(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 10, partitions=2)
    thread, listener = member(kafka, topic, group_id)
    wait_for(lambda: len(listener.records) == 20, "the first records")
    cut, whole = TopicPartition(topic, 0), TopicPartition(topic, 1)
    thread.pause([cut])
    thread.commit(Commit(1, tuple(listener.offsets())))
    wait_for(lambda: listener.commits, "the commit")
    publish(kafka, topic, 10, partitions=2, begin=10)
    kafka.admin().delete_records([ClientPartition(topic, 0, 15)])[ClientPartition(topic, 0)].result(30)
    thread.resume([cut])
    wait_for(lambda: listener.next_offset.get(cut) == 20, "what the log still holds")
    wait_for(lambda: listener.next_offset[whole] == 20, "the other partition")
    assert listener.losses == [cut]
    assert (listener.assignments[-1].committed, listener.assignments[-1].low) == (10, 15)
    assert listener.misplaced == []


def test_topic_that_is_missing_is_waited_for(kafka: KafkaCluster, group_id: str, member: StartMember) -> None:
    topic = f"later-{group_id}"
    thread, listener = member(
        kafka, topic, group_id, properties={"topic.metadata.refresh.interval.ms": "500"}, protocol="classic"
    )
    wait_for(lambda: thread.state is ConsumerState.REFUSED, "the state")
    assert f"topic {topic} does not exist" in thread.detail
    kafka.create_topic(topic)
    publish(kafka, topic, 3)
    wait_for(lambda: len(listener.records) == 12, "the records", 60)
    assert thread.state is ConsumerState.JOINED
    assert listener.failures == []


@PROTOCOLS
def test_refused_credentials_and_permissions_are_waited_for(
    kafka_sasl: KafkaCluster, group_id: str, member: StartMember, protocol: str
) -> None:
    cluster = kafka_sasl
    topic = cluster.create_topic()
    publish(cluster, topic, 3)
    login = {k: v for k, v in cluster.client_properties("connector").items() if k != "bootstrap.servers"}
    wrong, listening_wrong = member(
        cluster, topic, group_id, protocol, properties=login | {"sasl.password": "wrong"}
    )
    wait_for(lambda: wrong.state is ConsumerState.REFUSED, "the refusal", 60)
    assert "sasl.password" in wrong.detail and "wrong" not in wrong.detail
    wrong.abort()
    assert wrong.join(10)
    assert listening_wrong.failures == []

    cluster.allow("connector", "topic", topic, ["read", "describe"])
    thread, listener = member(cluster, topic, group_id, protocol, properties=login)
    wait_for(lambda: thread.state is ConsumerState.REFUSED, "the refusal of the group", 60)
    assert f"consumer group {group_id}" in thread.detail
    cluster.allow("connector", "group", group_id, ["read", "describe"])
    wait_for(lambda: len(listener.records) == 12, "the records", 90)
    assert thread.state is ConsumerState.JOINED
    assert listener.failures == []


@PROTOCOLS
def test_broker_that_is_down_is_waited_for_at_start_and_later(
    start_kafka: StartKafka, group_id: str, member: StartMember, protocol: str
) -> None:
    cluster = start_kafka()
    topic = cluster.create_topic()
    publish(cluster, topic, 3)
    cluster.nodes[0].kill()
    thread, listener = member(cluster, topic, group_id, protocol)
    wait_for(lambda: thread.state is ConsumerState.UNREACHABLE, "the state")
    cluster.heal()
    wait_for(lambda: len(listener.records) == 12, "the records", 90)
    assert thread.state is ConsumerState.JOINED
    cluster.nodes[0].kill()
    wait_for(lambda: thread.state is ConsumerState.UNREACHABLE, "the state", 60)
    beat = thread.heartbeat_at
    wait_for(lambda: thread.heartbeat_at > beat, "polling on")
    cluster.heal()
    publish(cluster, topic, 3, begin=3)
    wait_for(lambda: {o for _, o in places(listener)} == set(range(6)), "the further records", 120)
    wait_for(lambda: thread.state is ConsumerState.JOINED, "the state", 60)
    assert listener.failures == []


def test_broker_still_refuses_what_the_defaults_leave_out(kafka: KafkaCluster) -> None:
    for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
        with pytest.raises(KafkaException) as refused:
            Consumer(
                kafka.client_properties()
                | {
                    "group.id": "g",
                    "group.protocol": "consumer",
                    name: "range" if "strategy" in name else "6000",
                }
            )
        assert refused.value.args[0].code() == KafkaError._INVALID_ARG


@PROTOCOLS
def test_the_logs_end_is_known_of_a_partition_that_is_paused(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
) -> None:
    topic = make_topic(partitions=1)
    publish(kafka, topic, 10, partitions=1)
    thread, listener = member(kafka, topic, group_id, protocol, ends_seconds=0.2)
    wait_for(lambda: len(listener.records) == 10, "the records")
    place = TopicPartition(topic, 0)
    thread.pause([place])
    wait_for(lambda: listener.log_ends.get(place) == 10, "the log's end")
    publish(kafka, topic, 10, partitions=1, begin=10)
    wait_for(lambda: listener.log_ends[place] == 20, "the log's new end")
    assert listener.next_offset[place] == 10
