"""What is asked of the brokers when an earlier question was in vain."""

from concurrent.futures import Future
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import TopicPartition
from connector.kafka.lookup import AWAITED_SECONDS, Lookup

PARTITIONS = [TopicPartition("events", 0), TopicPartition("events", 1)]


def fenced() -> "Future[object]":
    future: Future[object] = Future()
    future.set_exception(KafkaException(KafkaError(KafkaError.FENCED_LEADER_EPOCH)))
    return future


def lookup_in_vain() -> tuple[Lookup, Mock]:
    """The admin client believes in leaders of the past."""
    admin = Mock()
    admin.list_offsets.return_value = {ClientPartition(*partition): fenced() for partition in PARTITIONS}
    return Lookup(Mock(), admin, IsolationLevel.READ_COMMITTED), admin


def test_first_question_waits_for_nothing() -> None:
    lookup, admin = lookup_in_vain()
    lookup.begin(PARTITIONS, 1)
    lookup.ask_ends(PARTITIONS, 1)
    admin.list_topics.assert_not_called()


def test_leaders_are_learnt_before_an_assignment_is_asked_about_again() -> None:
    lookup, admin = lookup_in_vain()
    assert set(lookup.facts(lookup.begin(PARTITIONS, 1)).missing) == set(PARTITIONS)
    lookup.begin(PARTITIONS, 1)
    admin.list_topics.assert_called_once()
    assert admin.list_topics.call_args.args == ("events",)


def test_leaders_are_learnt_before_ends_are_asked_for_again() -> None:
    lookup, admin = lookup_in_vain()
    assert lookup.ends(lookup.ask_ends(PARTITIONS, 1)) == {}
    lookup.ask_ends(PARTITIONS, 1)
    admin.list_topics.assert_called_once()


def test_leaders_that_nobody_names_are_asked_for_next_time() -> None:
    lookup, admin = lookup_in_vain()
    admin.list_topics.side_effect = KafkaException(KafkaError(KafkaError._TRANSPORT))
    lookup.facts(lookup.begin(PARTITIONS, 1))
    lookup.begin(PARTITIONS, 1)
    lookup.begin(PARTITIONS, 1)
    assert admin.list_topics.call_count == 2


def answered(value: object) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def failed(code: int) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_exception(KafkaException(KafkaError(code)))
    return future


def lookup_of_known_offsets() -> tuple[Lookup, Mock, Mock]:
    """A lookup with its consumer and admin client: all is answered at once, but for what a test takes away."""
    consumer, admin = Mock(), Mock()
    offsets = Mock(offset=9, leader_epoch=1)
    admin.list_offsets.return_value = {ClientPartition(*each): answered(offsets) for each in PARTITIONS}
    consumer.committed.return_value = [
        ClientPartition(each.topic, each.partition, 5, "") for each in PARTITIONS
    ]
    admin.list_topics.return_value = Mock(cluster_id="a-cluster", controller_id=1, brokers={1: "a broker"})
    admin.describe_topics.return_value = {"events": answered(Mock(topic_id="a-topic"))}
    return Lookup(consumer, admin, IsolationLevel.READ_COMMITTED), consumer, admin


def identities(lookup: Lookup) -> list[tuple[str, str]]:
    """Cluster's and topic's id of each partition of which enough is known."""
    facts = lookup.facts(lookup.begin(PARTITIONS, 60))
    assert {each.partition for each in facts.assignments} == set(PARTITIONS) - set(facts.missing)
    return [(each.cluster_id, each.topic_id) for each in facts.assignments]


def test_committed_offsets_that_nobody_tells_do_not_hold_up_the_thread_for_long() -> None:
    lookup, consumer, _ = lookup_of_known_offsets()
    consumer.committed.side_effect = KafkaException(KafkaError(KafkaError._TIMED_OUT))
    facts = lookup.facts(lookup.begin(PARTITIONS, 60))
    assert set(facts.missing) == set(PARTITIONS)
    assert consumer.committed.call_args.args[1] == AWAITED_SECONDS


def test_no_partition_begins_before_the_clusters_id_is_known() -> None:
    lookup, _, admin = lookup_of_known_offsets()
    admin.list_topics.side_effect = [
        KafkaException(KafkaError(KafkaError._TIMED_OUT)),
        admin.list_topics.return_value,
    ]
    facts = lookup.facts(lookup.begin(PARTITIONS, 60))
    assert facts.assignments == []
    assert set(facts.missing) == set(PARTITIONS)
    assert "_TIMED_OUT" in facts.missing[PARTITIONS[0]]
    assert admin.list_topics.call_args.kwargs["timeout"] == AWAITED_SECONDS
    assert identities(lookup) == [("a-cluster", "a-topic")] * 2


def test_a_cluster_without_an_id_is_taken_as_it_is() -> None:
    lookup, _, admin = lookup_of_known_offsets()
    admin.list_topics.return_value.cluster_id = None
    assert identities(lookup) == [("", "a-topic")] * 2


@pytest.mark.parametrize("in_vain", [failed(KafkaError._TIMED_OUT), Future()], ids=["late", "no answer"])
def test_no_partition_begins_before_its_topics_id_is_known(
    in_vain: "Future[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.kafka.lookup.AWAITED_SECONDS", 0.05)
    lookup, _, admin = lookup_of_known_offsets()
    admin.describe_topics.side_effect = [{"events": in_vain}, admin.describe_topics.return_value]
    assert identities(lookup) == []
    asked = admin.list_topics.call_count
    assert identities(lookup) == [("a-cluster", "a-topic")] * 2
    assert admin.list_topics.call_count == asked + 1, "another broker may be the controller by now"


@pytest.mark.parametrize(
    "refusal",
    [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE],
)
def test_brokers_that_will_not_tell_a_topics_id_hold_up_nothing(refusal: int) -> None:
    lookup, _, admin = lookup_of_known_offsets()
    admin.describe_topics.return_value = {"events": failed(refusal)}
    assert identities(lookup) == [("a-cluster", "")] * 2


def test_a_controller_that_is_absent_only_at_first_is_asked_later() -> None:
    lookup, _, admin = lookup_of_known_offsets()
    admin.list_topics.return_value.controller_id = -1
    assert identities(lookup) == [("a-cluster", "")] * 2
    admin.list_topics.return_value.controller_id = 1
    assert identities(lookup) == [("a-cluster", "a-topic")] * 2
