"""The poll thread against librdkafka's mock cluster."""

import threading
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as ClientPartition
from confluent_kafka.admin import AdminClient

from connector.core.effects import Commit, CommitOffset, Start, TopicPartition
from connector.core.inputs import Credit
from connector.errors import ConfigurationError
from connector.kafka import session
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.consumer import ConsumerThread
from connector.kafka.state import ConsumerState
from tests.kafka.conftest import Consume, Publish
from tests.kafka.listening import PLENTY, Listening, wait_for

NONE = Credit(0, 0)


def numbered(count: int, begin: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(begin, begin + count)]


def committed_offset(cluster: str, group_id: str, topic: str, partition: int = 0) -> int:
    client = Consumer({"bootstrap.servers": cluster, "group.id": group_id})
    try:
        return client.committed([ClientPartition(topic, partition)], timeout=10)[0].offset
    finally:
        client.close()


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_every_record_arrives_in_order_on_the_poll_thread(
    publish: Publish, consume: Consume, protocol: str
) -> None:
    for partition in range(4):
        publish(*numbered(100), partition=partition)
    _, listener = consume(group_protocol=protocol)
    wait_for(lambda: len(listener.records) == 400, "all records")
    assert listener.misplaced == []
    assert len(listener.threads) == 1
    assert listener.notes == []


def test_eager_assignment_works_too(publish: Publish, consume: Consume) -> None:
    publish(*numbered(50))
    _, listener = consume(group_protocol="classic", properties={"partition.assignment.strategy": "range"})
    wait_for(lambda: len(listener.records) == 50, "all records")
    assert listener.misplaced == []


def test_assignment_knows_the_log_and_the_commit(publish: Publish, consume: Consume, topic: str) -> None:
    publish(*numbered(7))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 7, "all records")
    first = next(a for a in listener.assignments if a.partition.partition == 0)
    assert (first.committed, first.metadata, first.low, first.high) == (None, "", 0, 7)
    assert first.cluster_id.startswith("mockCluster")
    offset = CommitOffset(topic, 0, 5, "finished: 6", listener.epochs[TopicPartition(topic, 0)])
    assert thread.close([offset], 10)

    _, again = consume()
    wait_for(lambda: len(again.assignments) == 4, "the second assignment")
    second = next(a for a in again.assignments if a.partition.partition == 0)
    assert (second.committed, second.metadata) == (5, "finished: 6")
    wait_for(lambda: len(again.records) == 2, "what was not committed")


def test_cluster_whose_id_nobody_tells_is_asked_again_and_told_of(
    publish: Publish, consume: Consume, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, late = AdminClient.list_topics, threading.Event()

    def list_topics(client: AdminClient, *arguments: Any, **more: Any) -> Any:
        if not late.is_set():
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return asked(client, *arguments, **more)

    monkeypatch.setattr(AdminClient, "list_topics", list_topics)
    publish(*numbered(3))
    thread, listener = consume()
    wait_for(lambda: listener.notes, "the note")
    assert (listener.assignments, thread.assigned) == ([], ())
    assert all(
        "is assigned, but nothing can be learnt of it: _TIMED_OUT" in note for _, note in listener.notes
    )
    assert thread.state is ConsumerState.REFUSED
    assert f"{topic}[0] is assigned, but nothing can be learnt of it" in thread.detail
    late.set()
    wait_for(lambda: len(listener.records) == 3, "all records")
    assert {each.cluster_id for each in listener.assignments} != {""}
    wait_for(lambda: thread.state is ConsumerState.JOINED, "readiness")
    assert thread.detail == ""


def test_commit_is_made_while_nothing_arrives_and_reported(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(3))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 3, "all records")
    thread.commit(Commit(11, tuple(listener.offsets())))
    wait_for(lambda: listener.commits, "the report")
    assert listener.commits == [(11, ())]
    assert committed_offset(cluster, topic, topic) == 3


def test_commit_of_another_epoch_is_left_out(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(3))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 3, "all records")
    stale = CommitOffset(topic, 0, 3, "", listener.epochs[TopicPartition(topic, 0)] - 1)
    thread.commit(Commit(12, (stale, CommitOffset("another", 0, 3, "", 1))))
    wait_for(lambda: listener.commits, "the report")
    assert listener.commits == [(12, ())]
    assert committed_offset(cluster, topic, topic) < 0


def test_second_commit_waits_for_the_first(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(3))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 3, "all records")
    for commit_id, offset in ((1, 1), (2, 2), (3, 3)):
        place = CommitOffset(topic, 0, offset, "", listener.epochs[TopicPartition(topic, 0)])
        thread.commit(Commit(commit_id, (place,)))
    wait_for(lambda: len(listener.commits) == 3, "the reports")
    assert [commit_id for commit_id, _ in listener.commits] == [1, 2, 3]
    assert committed_offset(cluster, topic, topic) == 3


def test_paused_partition_rests_while_others_flow(publish: Publish, consume: Consume, topic: str) -> None:
    thread, listener = consume()
    wait_for(lambda: len(listener.assignments) == 4, "the assignment")
    thread.pause([TopicPartition(topic, 0)])
    thread.commit(Commit(1, ()))
    wait_for(lambda: listener.commits, "the pause to be served")
    publish(*numbered(10), partition=0)
    publish(*numbered(10), partition=1)
    wait_for(lambda: len(listener.records) == 10, "the other partition's records")
    assert {record.partition() for record in listener.records} == {1}
    thread.resume([TopicPartition(topic, 0)])
    wait_for(lambda: len(listener.records) == 20, "the paused partition's records")
    assert listener.misplaced == []


def test_pause_that_the_core_sends_on_assignment_holds_from_the_first_record(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(10), partition=0)
    publish(*numbered(10), partition=1)
    listener = Listening()
    options = ConsumerOptions(
        bootstrap_servers=cluster, topics=(topic,), group_id=topic, group_protocol="consumer"
    )
    thread = ConsumerThread(options, listener)
    listener.on_assigned = lambda: thread.pause([TopicPartition(topic, 0)])
    thread.start()
    try:
        wait_for(lambda: len(listener.records) == 10, "the other partition's records")
        assert {record.partition() for record in listener.records} == {1}
        thread.resume([TopicPartition(topic, 0)])
        wait_for(lambda: len(listener.records) == 20, "the paused partition's records")
        assert listener.misplaced == []
    finally:
        thread.abort()
        assert thread.join(10)


def test_without_credit_nothing_is_taken_and_with_it_nothing_is_missing(
    publish: Publish, consume: Consume
) -> None:
    listener = Listening()
    listener.given_credit = NONE
    thread, _ = consume(listener=listener)
    wait_for(lambda: len(listener.assignments) == 4, "the assignment")
    publish(*numbered(100))
    polls = listener.polls
    wait_for(lambda: listener.polls > polls + 20, "polling")
    assert listener.records == []
    listener.given_credit = PLENTY
    thread.wake()
    wait_for(lambda: len(listener.records) == 100, "all records")
    assert listener.misplaced == []


def test_no_more_is_taken_than_credit_is_given(publish: Publish, consume: Consume) -> None:
    publish(*numbered(100))
    listener = Listening()
    batches: list[int] = []
    received = listener.received

    def counted(records: list[Message]) -> None:
        batches.append(len(records))
        received(records)

    listener.received = counted  # type: ignore[method-assign]
    listener.given_credit = Credit(7, 1_000_000)
    consume(listener=listener)
    wait_for(lambda: len(listener.records) == 100, "all records")
    assert max(batches) <= 7


def test_stop_taking_takes_nothing_but_commits(publish: Publish, consume: Consume) -> None:
    publish(*numbered(5))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 5, "all records")
    thread.stop_taking()
    thread.commit(Commit(1, tuple(listener.offsets())))
    wait_for(lambda: listener.commits, "the commit")
    publish(*numbered(5))
    polls = listener.polls
    wait_for(lambda: listener.polls > polls + 10, "polling")
    assert len(listener.records) == 5
    assert thread.close(listener.offsets(), 10)


def test_abort_commits_nothing(publish: Publish, consume: Consume, cluster: str, topic: str) -> None:
    publish(*numbered(5))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 5, "all records")
    thread.abort()
    assert thread.join(10)
    assert not thread.alive
    assert listener.revocations == []
    assert committed_offset(cluster, topic, topic) < 0


def test_second_member_takes_over_where_the_first_committed(publish: Publish, consume: Consume) -> None:
    for partition in range(4):
        publish(*numbered(50), partition=partition)
    first_thread, first = consume()
    wait_for(lambda: len(first.records) == 200, "all records")
    second_thread, second = consume()
    wait_for(lambda: first.revocations and second.assignments, "the rebalance")
    for partition in range(4):
        publish(*numbered(50, begin=50), partition=partition)
    wait_for(lambda: len(first.records) + len(second.records) == 400, "all further records")
    assert first.misplaced == [] and second.misplaced == []
    assert set(first_thread.assigned) | set(second_thread.assigned) == {
        a.partition for a in first.assignments
    }
    assert set(first_thread.assigned).isdisjoint(second_thread.assigned)
    assert all(assignment.committed == 50 for assignment in second.assignments)


def test_bug_in_the_listener_ends_the_thread_without_a_commit(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(5))
    listener = Listening()

    def bug() -> None:
        raise ZeroDivisionError

    listener.on_assigned = bug
    thread, _ = consume(listener=listener)
    wait_for(lambda: listener.failures, "the failure")
    assert isinstance(listener.failures[0], ZeroDivisionError)
    assert thread.join(10)
    assert committed_offset(cluster, topic, topic) < 0


def test_bug_in_a_revoke_ends_the_thread_without_a_commit(
    publish: Publish, consume: Consume, cluster: str, topic: str
) -> None:
    publish(*numbered(5))
    listener = Listening()

    def bug() -> None:
        raise ZeroDivisionError

    listener.on_revoked = bug
    thread, _ = consume(listener=listener)
    wait_for(lambda: len(listener.records) == 5, "all records")
    consume()
    wait_for(lambda: listener.failures, "the failure")
    assert thread.join(10)
    assert committed_offset(cluster, topic, topic) < 0


def test_records_that_an_exception_swallowed_are_read_again(
    publish: Publish, consume: Consume, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Swallowing(Consumer):
        swallowed = 0

        def consume(self, *arguments: Any, **named: Any) -> list[Message]:
            messages = super().consume(*arguments, **named)
            if messages and Swallowing.swallowed < 3:
                Swallowing.swallowed += 1
                raise KafkaException(KafkaError(KafkaError._FAIL))
            return messages

    monkeypatch.setattr(session, "Consumer", Swallowing)
    for partition in range(4):
        publish(*numbered(500), partition=partition)
    _, listener = consume(records_per_poll_max=50)
    wait_for(lambda: len(listener.records) >= 2000, "all records")
    assert Swallowing.swallowed == 3
    assert listener.restarts != []
    assert listener.misplaced == []
    assert len(listener.records) == 2000


def test_position_outside_of_the_log_is_assigned_anew(publish: Publish, consume: Consume, topic: str) -> None:
    publish(*numbered(10))
    listener = Listening()
    assigned = listener.assigned

    def beyond(assignments: Any) -> list[Start]:
        starts = assigned(assignments)
        if listener.losses:
            return list(starts)
        return [Start(s.partition, 1000 if s.partition.partition == 0 else s.offset, s.epoch) for s in starts]

    listener.assigned = beyond  # type: ignore[method-assign]
    consume(listener=listener)
    wait_for(lambda: len(listener.records) == 10, "all records, from the log's beginning")
    assert listener.losses == [TopicPartition(topic, 0)]
    assert len([a for a in listener.assignments if a.partition.partition == 0]) == 2
    assert any(level == "error" and f"{topic}[0]" in message for level, message in listener.notes)


def test_ends_and_positions_are_told(publish: Publish, consume: Consume, topic: str) -> None:
    publish(*numbered(10))
    _, listener = consume(ends_seconds=0.1)
    wait_for(lambda: listener.log_ends.get(TopicPartition(topic, 0)) == 10, "the log's end")
    wait_for(lambda: listener.positions.get(TopicPartition(topic, 0)) == 10, "the position")


def test_pattern_reads_every_topic_that_matches(publish: Publish, consume: Consume, topic: str) -> None:
    publish(*numbered(5))
    _, listener = consume(topics=(f"^{topic}$",))
    wait_for(lambda: len(listener.records) == 5, "all records")


def test_unreachable_broker_is_waited_for_and_noted_once() -> None:
    listener = Listening()
    options = ConsumerOptions(bootstrap_servers="127.0.0.1:1", topics=("events",), group_id="group")
    thread = ConsumerThread(options, listener)
    thread.start()
    wait_for(lambda: thread.state is ConsumerState.UNREACHABLE, "the state")
    polls = listener.polls
    wait_for(lambda: listener.polls > polls + 40, "several attempts")
    assert [level for level, _ in listener.notes] == ["warning"]
    assert "127.0.0.1:1" in thread.detail
    assert "refused" in thread.detail
    assert thread.close([], 10)
    assert listener.failures == []


def test_nothing_is_asked_of_a_member_that_leaves(publish: Publish, consume: Consume) -> None:
    publish(*numbered(5))
    thread, listener = consume()
    wait_for(lambda: len(listener.records) == 5, "all records")
    assert thread.close(listener.offsets(), 10)
    assert listener.revocations == []
    assert listener.losses == []


def test_unknown_property_is_a_configuration_error(cluster: str) -> None:
    options = ConsumerOptions(
        bootstrap_servers=cluster, topics=("t",), group_id="g", properties={"no.such.property": "1"}
    )
    with pytest.raises(ConfigurationError, match=r"no\.such\.property"):
        ConsumerThread(options, Listening())
