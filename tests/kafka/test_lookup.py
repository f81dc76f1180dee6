"""What is asked of the brokers when an earlier question was in vain."""

from concurrent.futures import Future
from unittest.mock import Mock

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import TopicPartition
from connector.kafka.lookup import COMMITTED_SECONDS, Lookup

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


def test_committed_offsets_that_nobody_tells_do_not_hold_up_the_thread_for_long() -> None:
    answer: Future[object] = Future()
    answer.set_result(Mock(offset=0, leader_epoch=None))
    admin = Mock()
    admin.list_offsets.return_value = {ClientPartition(*partition): answer for partition in PARTITIONS}
    consumer = Mock()
    consumer.committed.side_effect = KafkaException(KafkaError(KafkaError._TIMED_OUT))
    lookup = Lookup(consumer, admin, IsolationLevel.READ_COMMITTED)
    facts = lookup.facts(lookup.begin(PARTITIONS, 60))
    assert set(facts.missing) == set(PARTITIONS)
    assert consumer.committed.call_args.args[1] == COMMITTED_SECONDS
