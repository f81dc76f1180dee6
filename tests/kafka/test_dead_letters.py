import threading
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from connector.core.effects import WriteDeadLetter
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka import dead_letters
from connector.kafka.configuration import ProducerOptions
from connector.kafka.dead_letters import DeadLetterOptions, DeadLetterProducer
from tests.kafka.conftest import Consume
from tests.kafka.listening import wait_for


class Written:
    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.errors: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, letter_id: int, error: str | None) -> None:
        self.threads.add(threading.get_ident())
        if error is None:
            self.acknowledged.append(letter_id)
        else:
            self.errors.append(error)


def letter(letter_id: int, value: bytes | None = b"bad") -> WriteDeadLetter:
    record = StoredRecord("events", 0, letter_id, value, b"key", [("a", b"1")], 1_700_000_000_000)
    return WriteDeadLetter(letter_id, record, Reason.UNDECODABLE, "no JSON", 0)


def producer(cluster: str, topic: str, written: Written) -> DeadLetterProducer:
    return DeadLetterProducer(
        DeadLetterOptions(topic=topic, producer=ProducerOptions(bootstrap_servers=cluster)), written
    )


class Refusing:
    """A producer that refuses as told before it hands on to Kafka's own. `errors`: for each letter, in turn."""

    errors: tuple[KafkaError | Exception | None, ...] = ()
    made = 0
    purged = 0

    def __init__(self, properties: dict[str, Any]) -> None:
        Refusing.made += 1
        self._producer = Producer(properties)
        self._reports: list[Any] = []

    def produce(self, *arguments: Any, on_delivery: Any, **named: Any) -> None:
        error, Refusing.errors = (Refusing.errors[0], Refusing.errors[1:]) if Refusing.errors else (None, ())
        if isinstance(error, Exception):
            raise error
        if error is None:
            self._producer.produce(*arguments, on_delivery=on_delivery, **named)
        else:
            self._reports.append(lambda: on_delivery(error, None))

    def poll(self, timeout: float) -> int:
        reports, self._reports = self._reports, []
        for report in reports:
            report()
        return self._producer.poll(timeout)

    def purge(self) -> None:
        Refusing.purged += 1
        self._producer.purge()


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> type[Refusing]:
    monkeypatch.setattr(dead_letters, "Producer", Refusing)
    monkeypatch.setattr(dead_letters, "BACKOFF_SECONDS_MIN", 0.01)
    Refusing.errors, Refusing.made, Refusing.purged = (), 0, 0
    return Refusing


def test_letters_arrive_with_their_record_and_are_acknowledged_once(
    cluster: str, topic: str, consume: Consume
) -> None:
    written = Written()
    dead = producer(cluster, topic, written)
    for letter_id in range(300):
        dead.write(letter(letter_id))
    assert dead.close(10) == 0
    assert sorted(written.acknowledged) == list(range(300))
    assert len(written.threads) == 1
    _, listener = consume()
    wait_for(lambda: len(listener.records) == 300, "all letters")
    record = listener.records[0]
    headers = record.headers()
    assert (record.key(), record.value()) == (b"key", b"bad")
    assert headers is not None
    assert headers[0] == ("a", b"1")
    assert dict(headers)["dead-letter.reason"] == b"undecodable"
    assert dict(headers)["dead-letter.timestamp"] == b"1700000000000"


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._MSG_TIMED_OUT,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.INVALID_RECORD,
    ],
)
def test_refused_letter_is_tried_until_it_is_written(
    cluster: str, topic: str, refusing: type[Refusing], code: int
) -> None:
    refusing.errors = (KafkaError(code),) * 3
    written = Written()
    dead = producer(cluster, topic, written)
    dead.write(letter(1))
    wait_for(lambda: written.acknowledged, "the acknowledgement")
    assert written.acknowledged == [1]
    assert len(written.errors) == 1, "a condition that lasts is told once"
    assert dead.close(10) == 0


def test_too_large_letter_is_tried_alone_then_without_its_value(
    cluster: str, topic: str, consume: Consume, refusing: type[Refusing]
) -> None:
    refusing.errors = (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE),) * 2
    written = Written()
    dead = producer(cluster, topic, written)
    dead.write(letter(1, b"x" * 70))
    wait_for(lambda: written.acknowledged, "the acknowledgement")
    assert dead.close(10) == 0
    _, listener = consume()
    wait_for(lambda: listener.records, "the letter")
    (record,) = listener.records
    assert (record.key(), record.value()) == (b"key", None)
    assert dict(record.headers() or ())["dead-letter.truncated"] == b"70"
    assert dict(record.headers() or ())["a"] == b"1"


def test_letter_refused_for_its_company_keeps_its_value(
    cluster: str, topic: str, consume: Consume, refusing: type[Refusing]
) -> None:
    refusing.errors = (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE),) * 5
    written = Written()
    dead = producer(cluster, topic, written)
    for letter_id in range(5):
        dead.write(letter(letter_id))
    wait_for(lambda: len(written.acknowledged) == 5, "the acknowledgements")
    assert dead.close(10) == 0
    _, listener = consume()
    wait_for(lambda: len(listener.records) == 5, "the letters")
    assert {record.value() for record in listener.records} == {b"bad"}


def test_after_a_fatal_error_another_producer_writes_what_is_left(
    cluster: str, topic: str, refusing: type[Refusing]
) -> None:
    refusing.errors = (KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "out of order", True),)
    written = Written()
    dead = producer(cluster, topic, written)
    for letter_id in range(10):
        dead.write(letter(letter_id))
    wait_for(lambda: len(written.acknowledged) == 10, "the acknowledgements")
    assert sorted(written.acknowledged) == list(range(10))
    assert refusing.made == 2
    assert dead.close(10) == 0


def test_fatal_error_that_polling_raises_is_no_bug_and_delays_the_next_producer(
    cluster: str,
    topic: str,
    refusing: type[Refusing],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(dead_letters, "BACKOFF_SECONDS_MIN", 3600.0)
    monkeypatch.setattr(dead_letters, "BACKOFF_SECONDS_MAX", 3600.0)
    refused = KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "no", True))
    monkeypatch.setattr(refusing, "poll", Mock(side_effect=refused))
    written = Written()
    dead = producer(cluster, topic, written)
    dead.write(letter(1))
    wait_for(lambda: refusing.purged, "the end of the first producer")
    assert dead.close(0.2) == 1
    assert refusing.made == 2  # the second one when it is closed
    assert caplog.records == []


@pytest.mark.parametrize("failure", [BufferError("full"), ZeroDivisionError("a bug")])
def test_nothing_is_dropped_when_producing_fails(
    cluster: str, topic: str, refusing: type[Refusing], failure: Exception
) -> None:
    refusing.errors = (None, failure, failure, None)
    written = Written()
    dead = producer(cluster, topic, written)
    for letter_id in range(5):
        dead.write(letter(letter_id))
    wait_for(lambda: len(written.acknowledged) == 5, "the acknowledgements")
    assert sorted(written.acknowledged) == list(range(5))
    assert dead.close(10) == 0


def test_close_gives_up_at_its_deadline_and_says_how_many_are_left() -> None:
    written = Written()
    dead = producer("127.0.0.1:1", "dead-letters", written)
    dead.write(letter(1))
    dead.write(letter(2))
    assert dead.close(0.3) == 2
    assert not dead.alive
    assert written.acknowledged == []
