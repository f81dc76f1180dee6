import signal
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer

from connector.errors import InputFileError, UnavailableError
from connector.events.record import Headers, StoredRecord
from connector.kafka import publisher as module
from connector.kafka.configuration import ProducerOptions
from connector.kafka.interruption import Interruption
from connector.kafka.publisher import Publisher, PublisherOptions
from tests.kafka.conftest import Consume
from tests.kafka.listening import wait_for


def options(cluster: str, **more: Any) -> PublisherOptions:
    return PublisherOptions(producer=ProducerOptions(bootstrap_servers=cluster), **more)


class Span:
    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.ends: list[str | None] = []

    def finished(self, error_type: str | None = None) -> None:
        self.ends.append(error_type)


def test_records_arrive_with_the_persons_key_and_a_trace(cluster: str, topic: str, consume: Consume) -> None:
    spans: list[tuple[str, str | None, Span]] = []

    def begin(of_topic: str, event_id: str | None, headers: Headers | None) -> Span:
        span = Span([*(headers or []), ("traceparent", b"00-1-2-01")])
        spans.append((of_topic, event_id, span))
        return span

    publisher = Publisher(options(cluster), begin)
    publisher.send(StoredRecord(topic, 0, 0, b'{"userId":"42","messageId":"m"}', None, [("a", None)]))
    publisher.send(StoredRecord(topic, 0, 0, None, b"own"))
    publisher.flush()
    assert (publisher.sent, publisher.acknowledged) == (2, 2)
    assert [(of_topic, event_id, span.ends) for of_topic, event_id, span in spans] == [
        (topic, "m", [None]),
        (topic, None, [None]),
    ]
    _, listener = consume()
    wait_for(lambda: len(listener.records) == 2, "the records")
    by_key = {record.key(): record for record in listener.records}
    assert by_key[b"42"].headers() == [("a", None), ("traceparent", b"00-1-2-01")]
    assert by_key[b"own"].value() is None


def test_a_full_queue_is_waited_for(
    cluster: str, topic: str, consume: Consume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 10)
    publisher = Publisher(options(cluster))
    for number in range(500):
        publisher.send(StoredRecord(topic, 0, 0, b"%d" % number))
    publisher.flush()
    assert publisher.acknowledged == 500


def test_missing_broker_is_unavailable() -> None:
    publisher = Publisher(options("127.0.0.1:1", timeout_seconds=1))
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 can be reached .*refused"):
        publisher.require_topic("events")


def test_record_that_is_not_acknowledged_in_time_fails_the_flush() -> None:
    publisher = Publisher(options("127.0.0.1:1", timeout_seconds=1))
    publisher.send(StoredRecord("events", 0, 0, b"{}"))
    with pytest.raises(UnavailableError, match="can be reached"):
        publisher.flush()


def test_too_large_record_names_its_place(cluster: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, properties: dict[str, Any]) -> None:
            self._producer = Producer(properties)

        def produce(self, *arguments: Any, on_delivery: Any, **named: Any) -> None:
            on_delivery(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._producer, name)

    monkeypatch.setattr(module, "Producer", Refusing)
    publisher = Publisher(options(cluster))
    publisher.send(StoredRecord(topic, 0, 0, b"{}"), place="line 7")
    with pytest.raises(InputFileError, match="line 7"):
        publisher.flush()


def test_rate_is_kept_without_a_burst_for_what_was_missed(
    cluster: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Time:
        now = 100.0

        @classmethod
        def monotonic(cls) -> float:
            return cls.now

    class Waiting:
        def __init__(self, properties: dict[str, Any]) -> None:
            self.at: list[float] = []

        def produce(self, *arguments: Any, **named: Any) -> None:
            self.at.append(Time.now)

        def poll(self, seconds: float) -> None:
            Time.now += seconds

    monkeypatch.setattr(module, "time", Time)
    monkeypatch.setattr(module, "Producer", Waiting)
    publisher = Publisher(options(cluster, records_per_second=10))
    for _ in range(11):
        publisher.send(StoredRecord(topic, 0, 0, b"{}"))
    assert Time.now == pytest.approx(101.0)
    Time.now = 200.0
    for _ in range(11):
        publisher.send(StoredRecord(topic, 0, 0, b"{}"))
    assert Time.now == pytest.approx(200.9)


def test_header_that_would_crash_the_producer_is_left_out(cluster: str, topic: str) -> None:
    publisher = Publisher(options(cluster))
    publisher.send(StoredRecord(topic, 0, 0, b"{}", None, [("\udcff", b"1")]))
    publisher.flush()
    assert publisher.acknowledged == 1


def test_a_signal_within_a_callback_of_the_client_ends_sending_and_breaks_nothing(
    cluster: str, topic: str
) -> None:
    class Interrupting(Span):
        def finished(self, error_type: str | None = None) -> None:
            if publisher.acknowledged == 0:
                signal.raise_signal(signal.SIGINT)

    def send_for_ever() -> None:
        while True:
            publisher.send(StoredRecord(topic, 0, 0, b"1"))

    with Interruption() as interruption:
        publisher = Publisher(
            options(cluster), lambda of_topic, event_id, headers: Interrupting([]), interruption.check
        )
        with pytest.raises(KeyboardInterrupt):
            send_for_ever()
        publisher.flush()
    assert publisher.acknowledged == publisher.sent > 0


def test_a_signal_ends_the_wait_for_brokers_that_do_not_answer() -> None:
    with Interruption() as interruption:
        publisher = Publisher(options("127.0.0.1:1"), check_interrupted=interruption.check)
        publisher.send(StoredRecord("nowhere", 0, 0, b"1"))
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            publisher.flush()
    assert publisher.acknowledged == 0
