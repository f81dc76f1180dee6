"""The poll thread against a real Kafka: rebalances, refusals, and what brokers do to a log."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.errors import ConfigurationError
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.consumer import ConsumerThread
from connector.kafka.state import ConsumerState
from tests.kafka.listening import Listening, wait_for
from tests.parts.conftest import MakeTopic, StartKafka
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts

PROTOCOLS = pytest.mark.parametrize("protocol", ["classic", "consumer"])
_groups = count(1)


@pytest.fixture
def member() -> Iterator[Any]:
    """Starts a member of a group; it is ended after the test."""
    with ExitStack() as ended:

        def member(
            cluster: KafkaCluster, topic: str, group_id: str, protocol: str = "consumer", **options: Any
        ) -> tuple[ConsumerThread, Listening]:
            listener = Listening()
            chosen: dict[str, Any] = {
                "bootstrap_servers": cluster.bootstrap_servers,
                "topics": (topic,),
                "group_protocol": protocol,
            }
            thread = ConsumerThread(ConsumerOptions(group_id=group_id, **(chosen | options)), listener)
            ended.callback(lambda: thread.join(10))
            ended.callback(thread.abort)
            thread.start()
            return thread, listener

        yield member


@pytest.fixture
def group_id() -> str:
    return f"group-{next(_groups)}"


def publish(cluster: KafkaCluster, topic: str, count: int, partitions: int = 4, begin: int = 0) -> None:
    """`count` records on each partition; a value is its own number."""
    producer = Producer(cluster.client_properties() | {"log_level": "0"})
    for number in range(begin, begin + count):
        for partition in range(partitions):
            producer.produce(topic, b"%d" % number, partition=partition)
    assert producer.flush(60) == 0


def committed(cluster: KafkaCluster, group_id: str, topic: str, partition: int = 0) -> int:
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
    return {(record.partition(), record.offset()) for listener in listeners for record in listener.records}


@PROTOCOLS
def test_members_join_and_leave_under_load_and_no_record_is_missing(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=4)
    _, first = member(kafka, topic, group_id, protocol)
    publish(kafka, topic, 500)
    wait_for(lambda: len(first.records) == 2000, "the first records")
    second_thread, second = member(kafka, topic, group_id, protocol)
    rounds = 1
    deadline = time.monotonic() + 60
    while not second.assignments or rounds < 10:
        assert time.monotonic() < deadline, "the second member gets partitions"
        publish(kafka, topic, 100, begin=400 + 100 * rounds)
        rounds += 1
    wait_for(lambda: second.records, "records of the second member")
    leave(second_thread, second)
    publish(kafka, topic, 100, begin=400 + 100 * rounds)
    published = 4 * (500 + 100 * rounds)
    wait_for(lambda: len(places(first, second)) == published, "all records", 60)
    assert first.misplaced == [] and second.misplaced == []
    # Each gives up only after its commit, and the next begins there: nothing was read twice.
    assert len(first.records) + len(second.records) == published
    assert first.failures == [] and second.failures == []


@PROTOCOLS
def test_pause_does_not_outlive_the_assignment_that_it_was_meant_for(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=4)
    publish(kafka, topic, 10)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(first.records) == 40, "the first records")
    everything = set(first.next_offset)
    first_thread.pause(sorted(everything))
    second_thread, second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.revocations and second.next_offset, "the rebalance")
    moved = set(first.revocations)
    leave(second_thread, second)
    wait_for(lambda: set(first.next_offset) == everything, "their return")
    publish(kafka, topic, 10, begin=10)
    wait_for(lambda: {p for p in moved if first.next_offset[p] == 20} == moved, "what came back is read")
    stayed = everything - moved
    assert {first.next_offset[partition] for partition in stayed} == {10}
    first_thread.resume(sorted(stayed))
    wait_for(lambda: set(first.next_offset.values()) == {20}, "what stayed is read once resumed")
    assert first.misplaced == []


@PROTOCOLS
def test_member_with_a_bug_leaves_and_another_goes_on_where_was_committed(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=1)
    publish(kafka, topic, 10, partitions=1)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(first.records) == 10, "the records")
    place = CommitOffset(topic, 0, 4, "", first.epochs[TopicPartition(topic, 0)])
    first_thread.commit(Commit(1, (place,)))
    wait_for(lambda: first.commits, "the commit")

    def bug(*arguments: object) -> None:
        raise ZeroDivisionError

    first.received = bug  # type: ignore[method-assign]
    publish(kafka, topic, 1, partitions=1, begin=10)
    wait_for(lambda: first.failures, "the failure")
    assert first_thread.join(20)
    _, second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(second.records) == 7, "the records after the commit", 60)
    assert second.assignments[0].committed == 4


@PROTOCOLS
def test_former_owner_issues_no_commit(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 10, partitions=2)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(first.records) == 20, "the records")
    before = [CommitOffset(topic, partition, 3, "", 1) for partition in (0, 1)]
    _, second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.revocations and second.assignments, "the rebalance")
    (moved,) = first.revocations
    first_thread.commit(Commit(7, tuple(before)))
    wait_for(lambda: first.commits, "the report")
    assert first.commits == [(7, ())]
    assert committed(kafka, group_id, topic, moved.partition) == 10
    assert committed(kafka, group_id, topic, 1 - moved.partition) == 3


@PROTOCOLS
def test_metadata_one_character_too_long_is_reported_and_at_the_end_left_out(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any
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


def test_topic_that_is_missing_is_waited_for(kafka: KafkaCluster, group_id: str, member: Any) -> None:
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
    kafka_sasl: KafkaCluster, group_id: str, member: Any, protocol: str
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
    start_kafka: StartKafka, group_id: str, member: Any, protocol: str
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


def test_second_process_of_the_same_instance_id_ends_the_first_with_an_explanation(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any
) -> None:
    topic = make_topic()
    publish(kafka, topic, 3)
    _, first = member(kafka, topic, group_id, "classic", group_instance_id="pod-0")
    wait_for(lambda: len(first.records) == 12, "the records")
    _, second = member(kafka, topic, group_id, "classic", group_instance_id="pod-0")
    wait_for(lambda: first.failures, "the first one's end", 60)
    assert isinstance(first.failures[0], ConfigurationError)
    assert "instance id" in str(first.failures[0])
    wait_for(lambda: second.assignments, "the second one's assignment", 60)
    assert second.failures == []


@PROTOCOLS
def test_two_members_lose_nothing_while_credit_comes_and_goes(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=4)
    publish(kafka, topic, 2000)
    _, listener = member(kafka, topic, group_id, protocol, records_per_poll_max=100)
    plenty = listener.given_credit
    for stop in (500, 2500, 5000):
        wait_for(lambda stop=stop: len(listener.records) >= stop, "some records")
        listener.given_credit = type(plenty)(0, 0)
        polls = listener.polls
        wait_for(lambda polls=polls: listener.polls > polls + 70, "a pause")
        listener.given_credit = plenty
    wait_for(lambda: len(listener.records) == 8000, "all records", 60)
    assert listener.misplaced == []


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
def test_member_without_partitions_has_joined_all_the_same(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: Any, protocol: str
) -> None:
    topic = make_topic(partitions=1)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.assignments, "the only partition")
    second_thread, _second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: second_thread.state is ConsumerState.JOINED, "the second member")
    assert len(first_thread.assigned) + len(second_thread.assigned) == 1
