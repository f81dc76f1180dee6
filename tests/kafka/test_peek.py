import contextlib
import socket
import threading

import pytest

from connector.core.effects import TopicPartition
from connector.errors import ConfigurationError, UnavailableError
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.peek import peek
from connector.kafka.reach import reached
from connector.kafka.topic_facts import topic_facts, topics_named
from tests.kafka.conftest import Publish


def options(cluster: str, **properties: str) -> ConsumerOptions:
    return ConsumerOptions(
        bootstrap_servers=cluster, topics=("any",), group_id="peeking", properties=properties
    )


def test_records_come_from_the_offsets_on_and_end_with_the_log(
    cluster: str, topic: str, publish: Publish
) -> None:
    publish(b"0", b"1", b"2")
    publish(b"3", partition=1)
    starts = {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 0, TopicPartition(topic, 2): 0}
    found = [
        (record.partition(), record.offset(), record.value())
        for record in peek(options(cluster), starts, 1000)
    ]
    assert sorted(found) == [(0, 1, b"1"), (0, 2, b"2"), (1, 0, b"3")]


def test_a_reader_that_has_enough_may_stop(cluster: str, topic: str, publish: Publish) -> None:
    publish(*(b"%d" % number for number in range(100)))
    records = peek(options(cluster), {TopicPartition(topic, 0): 0}, 1000)
    assert next(records).value() == b"0"
    records.close()  # type: ignore[attr-defined]


def test_brokers_that_hand_over_nothing_are_told(topic: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=address):
            list(peek(options(address), {TopicPartition(topic, 0): 0}, 0.5))


def test_brokers_that_are_down_are_told_with_the_cause() -> None:
    with pytest.raises(UnavailableError, match="refused"):
        reached(options("127.0.0.1:1"), 30)


@pytest.mark.parametrize("seconds", [0.5, 8])
def test_brokers_that_are_silent_are_given_up(seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=f"{address} does not answer: it neither refuses"):
            reached(options(address), seconds)


def test_brokers_that_hang_up_may_want_another_protocol() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"closes them at once.*security\.protocol"):
            reached(options(address), 60)
        server.shutdown(socket.SHUT_RDWR)


def test_properties_that_librdkafka_refuses_are_told(cluster: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no\.such\.property"):
        reached(options(cluster, **{"no.such.property": "1"}), 5)


def test_a_name_is_a_topic_and_a_pattern_is_every_topic_that_matches(cluster: str, topic: str) -> None:
    kafka = reached(options(cluster), 10)
    assert topics_named(kafka.metadata, "never-made") == ["never-made"]
    assert topics_named(kafka.metadata, f"^{topic}$") == [topic]
    assert topics_named(kafka.metadata, "^never-") == []


def test_a_topic_that_is_missing_is_not_made_by_asking(cluster: str, topic: str) -> None:
    kafka = reached(options(cluster), 10)
    facts = topic_facts(kafka, [topic, "never-made"], 5)
    assert facts[topic] == (topic, 4, 0, "", None)
    assert facts["never-made"].name() == "UNKNOWN_TOPIC_OR_PART"  # type: ignore[union-attr]
    assert "never-made" not in reached(options(cluster), 10).metadata.topics
