"""The poll thread in a real consumer group: members come, go, fail and are taken for dead."""

import threading
import time
from typing import Any

import pytest

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.errors import ConfigurationError
from connector.kafka.state import ConsumerState
from tests.kafka.listening import Listening, wait_for
from tests.parts.conftest import MakeTopic, StartMember
from tests.parts.members import PROTOCOLS, committed, leave, places, publish
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts


@PROTOCOLS
def test_members_join_and_leave_under_load_and_no_record_is_missing(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
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


def test_second_process_of_the_same_instance_id_ends_the_first_with_an_explanation(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember
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
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
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


@PROTOCOLS
def test_member_without_partitions_has_joined_all_the_same(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
) -> None:
    topic = make_topic(partitions=1)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.assignments, "the only partition")
    second_thread, _second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: second_thread.state is ConsumerState.JOINED, "the second member")
    assert len(first_thread.assigned) + len(second_thread.assigned) == 1


@PROTOCOLS
@pytest.mark.parametrize("callback", ["assigned", "revoked"])
def test_error_in_a_callback_drops_no_record_and_commits_nothing(
    kafka: KafkaCluster,
    make_topic: MakeTopic,
    group_id: str,
    member: StartMember,
    protocol: str,
    callback: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def bug(*arguments: object) -> Any:
        raise ZeroDivisionError

    topic = make_topic(partitions=4)
    publish(kafka, topic, 100)
    if callback == "assigned":
        monkeypatch.setattr(Listening, "assigned", bug)
    first_thread, first = member(kafka, topic, group_id, protocol)
    if callback == "revoked":
        wait_for(lambda: len(first.records) == 400, "the records")
        monkeypatch.setattr(first, "revoked", bug)
    else:
        wait_for(lambda: first.failures, "the failure")
        monkeypatch.undo()
    _, second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.failures, "the failure", 60)
    assert isinstance(first.failures[0], ZeroDivisionError)
    assert first_thread.join(20)
    wait_for(lambda: len(places(second)) == 400, "all records, by the other member", 60)
    assert second.misplaced == []
    assert {committed(kafka, group_id, topic, partition) < 0 for partition in range(4)} == {True}


@PROTOCOLS
def test_incident_16_what_was_lost_to_the_poll_interval_is_committed_by_nobody_but_its_new_owner(
    kafka: KafkaCluster,
    make_topic: MakeTopic,
    group_id: str,
    member: StartMember,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 10, partitions=2)
    intervals = {"max.poll.interval.ms": "6000"}
    if protocol == "classic":
        intervals |= {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
    first_thread, first = member(kafka, topic, group_id, protocol, properties=intervals)
    wait_for(lambda: len(first.records) == 20, "the records")
    before = tuple(first.offsets())
    stands_still, goes_on = threading.Event(), threading.Event()
    received = first.received

    def stand_still(records: Any) -> None:
        stands_still.set()
        goes_on.wait(120)
        received(records)

    monkeypatch.setattr(first, "received", stand_still)
    publish(kafka, topic, 1, partitions=2, begin=10)
    wait_for(stands_still.is_set, "a poll thread that stands still")
    try:
        second_thread, second = member(kafka, topic, group_id, protocol)
        wait_for(lambda: len(second.next_offset) == 2 and len(places(second)) == 22, "its end", 90)
        second_thread.commit(Commit(1, tuple(second.offsets())))
        wait_for(lambda: second.commits == [(1, ())], "the new owner's commit")
        first_thread.commit(Commit(7, before))
    finally:
        goes_on.set()
    wait_for(lambda: first.commits, "the report", 60)
    # It has left without knowing it yet: the broker refuses what the epochs still allow.
    ((_, failures),) = first.commits
    assert {failure.code for failure in failures} <= {"UNKNOWN_MEMBER_ID"}
    assert [committed(kafka, group_id, topic, partition) for partition in range(2)] == [11, 11]
    wait_for(lambda: len(first.losses) + len(first.revocations) >= 2, "what it no longer owns is told", 60)
    assert first.losses
    # It is a member like any other again, and every partition goes on.
    publish(kafka, topic, 10, partitions=2, begin=11)
    wait_for(lambda: len(places(first, second)) == 42, "everything that came later", 60)
    assert first.failures == [] and second.failures == []


@PROTOCOLS
def test_the_commit_of_a_revoke_comes_behind_the_one_that_is_under_way(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 10, partitions=2)
    first_thread, first = member(kafka, topic, group_id, protocol)
    wait_for(lambda: len(first.records) == 20, "the records")
    earlier = tuple(place._replace(offset=3) for place in first.offsets())
    # It is started within the revoke, just before the revoke's own.
    first.on_revoked = lambda: first_thread.commit(Commit(7, earlier))
    _, second = member(kafka, topic, group_id, protocol)
    wait_for(lambda: first.revocations and second.assignments, "the rebalance", 60)
    (moved,) = first.revocations
    assert second.assignments[0].committed == 10
    wait_for(lambda: [commit_id for commit_id, _ in first.commits] == [7], "the report")
    assert committed(kafka, group_id, topic, moved.partition) == 10
    assert committed(kafka, group_id, topic, 1 - moved.partition) == 3


@PROTOCOLS
def test_a_member_with_an_instance_id_keeps_its_partitions_for_its_next_start(
    kafka: KafkaCluster, make_topic: MakeTopic, group_id: str, member: StartMember, protocol: str
) -> None:
    topic = make_topic(partitions=2)
    publish(kafka, topic, 10, partitions=2)
    thread, listener = member(kafka, topic, group_id, protocol, group_instance_id="pod-0")
    wait_for(lambda: len(listener.records) == 20, "the records")
    leave(thread, listener)
    group = kafka.admin().describe_consumer_groups([group_id])[group_id].result(30)
    assert [each.group_instance_id for each in group.members] == ["pod-0"]
    _, bystander = member(kafka, topic, group_id, protocol, group_instance_id="pod-1")
    _, again = member(kafka, topic, group_id, protocol, group_instance_id="pod-0")
    wait_for(lambda: again.assignments, "its partitions", 60)
    assert {assignment.committed for assignment in again.assignments} == {10}
    assert bystander.failures == [] and again.failures == []
