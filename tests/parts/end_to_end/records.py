"""What is published: operations with a number each, by which they are known at Customer.io under whatever id they
were sent."""

import json
import threading
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple
from zlib import crc32

from confluent_kafka import KafkaError, Message, Producer

PARTITIONS = 4
NUMBER = "number"
_TICK_SECONDS = 0.02

_numbers = count(1)


class Record(NamedTuple):
    """Before it is published."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int = 0
    number: int = 0
    person: str = ""


class Published(NamedTuple):
    """A record that Kafka has acknowledged."""

    record: Record
    offset: int
    timestamp_ms: int

    @property
    def place(self) -> tuple[int, int]:
        return self.record.partition, self.offset


def event(person: str, **members: Any) -> Record:
    """Something that the person did. `members` replace or add to what it says."""
    return _record(person, "event", {"name": "Seen"} | members)


def identify(person: str, **members: Any) -> Record:
    """A state of the person. It has no id at Customer.io: sent twice, it is recorded twice."""
    return _record(person, "identify", members)


def turns(people: Sequence[str], rounds: int, **members: Any) -> list[Record]:
    """Each person's in turn: now an event, now a state."""
    makers = (event, event, identify)
    return [makers[turn % 3](person, **members) for turn in range(rounds) for person in people]


def partition_of(person: str) -> int:
    """Where the person's records stand."""
    return crc32(person.encode()) % PARTITIONS


def _record(person: str, action: str, members: dict[str, Any]) -> Record:
    number = next(_numbers)
    document = {
        "type": "person",
        "action": action,
        "event_id": f"event-{number}",
        "identifiers": {"id": person},
        "attributes": {NUMBER: number},
    } | members
    return Record(person.encode(), json.dumps(document).encode(), (), partition_of(person), number, person)


def publish(producer: Producer, topic: str, records: Iterable[Record]) -> list[Published]:
    """In the order in which Kafka has acknowledged them, which is the log's within each partition."""
    published: list[Published] = []
    failures: list[str] = []

    def produce(record: Record) -> None:
        def acknowledged(error: KafkaError | None, message: Message) -> None:
            if error is None:
                published.append(Published(record, message.offset() or 0, message.timestamp()[1]))
            else:
                failures.append(error.str())

        producer.produce(
            topic,
            record.value,
            record.key,
            record.partition,
            headers=list(record.headers),
            on_delivery=acknowledged,
        )

    for record in records:
        produce(record)
    assert producer.flush(60) == 0 and not failures, f"not everything was published: {failures[:3]}"
    return published


class Load:
    """Records that keep coming, some fifty times a second, until the end of the context."""

    def __init__(self, producer: Producer, topic: str, people: Sequence[str]) -> None:
        self.published: list[Published] = []
        self._producer, self._topic, self._people = producer, topic, people
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._stopping.wait(_TICK_SECONDS):
                self.published += publish(self._producer, self._topic, turns(self._people, 3))
        except BaseException as failure:  # noqa: BLE001 - raised at the end
            self._failure = failure
