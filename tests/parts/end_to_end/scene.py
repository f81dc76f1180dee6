"""One test's topic, stand-in and connectors, and what can be seen of them from outside."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import yaml
from confluent_kafka import Consumer, Producer, TopicPartition

from connector.events.record import Headers
from connector.kafka.reach import patiently
from connector.simulator import Fault, FaultKind, Simulator, SimulatorOptions, run_in_thread
from tests.parts.end_to_end.process import Connector
from tests.parts.end_to_end.records import NUMBER, PARTITIONS, Load, Published, Record, publish
from tests.parts.provision.kafka import KafkaCluster

WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 30
_QUIET = {"log_level": "0"}
_ids = count(1)

Settings = dict[str, Any]


class Committed(NamedTuple):
    """What a group has committed for a partition."""

    offset: int
    metadata: str


class DeadLetter(NamedTuple):
    """A record of the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> str:
        """The last of this name: the record's own come first."""
        return dict(self.headers)[name].decode()


class Scene:
    """A context; whatever was started in it is ended with it."""

    def __init__(self, cluster: KafkaCluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.topic = f"end-to-end-{next(_ids)}"
        self.dead_letter_topic = f"{self.topic}.dead-letters"
        self.group = f"group-{self.topic}"
        self.groups: tuple[str, ...] = (f"{self.group}-us", f"{self.group}-eu")
        self.connectors: list[Connector] = []
        self._parts = ExitStack()
        self._askers: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        options = SimulatorOptions(remember_attributes=True)
        self.customerio: Simulator = self._parts.enter_context(run_in_thread(options))
        self._parts.callback(self._kill_connectors)
        for region in options.workspaces:
            self.write_key(region, f"{region}-key")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for asker in self._askers.values():
            asker.close()
        self._parts.close()

    def create_topics(self, dead_letters: bool = True) -> None:
        """The topic and its dead letters'."""
        self.cluster.create_topic(self.topic, PARTITIONS)
        if dead_letters:
            self.cluster.create_topic(self.dead_letter_topic, 1)
        self._producer = Producer(self.cluster.client_properties() | _QUIET | {"enable.idempotence": True})

    # ---- the connector ----

    def settings(self, **changes: Any) -> Settings:
        """As in a configuration file: usual ones, but for short waits, with `changes` member by member."""
        base = {
            "kafka": {
                "bootstrap_servers": self.cluster.bootstrap_servers,
                "topics": [self.topic],
                "group_id": self.group,
            },
            "regions": {
                region: {
                    "site_id": f"{region}-site",
                    "api_key_file": str(self._key_file(region)),
                    "url": self.customerio.url(region),
                }
                for region in self.customerio.workspaces
            },
            "delivery": {"backoff_seconds_min": 0.1, "backoff_seconds_max": 0.5, "probe_seconds": 0.5},
            "dead_letters": {"topic": self.dead_letter_topic},
            "ledger": {"commit_interval_seconds": 0.3},
            "http": {"proxy": ""},
            "server": {"host": "127.0.0.1", "port": 0},
            "log": {"format": "json"},
            "drain_deadline_seconds": 10,
        }
        return _merged(base, changes)

    def configuration(self, settings: Settings | None = None) -> Path:
        """A file with these settings."""
        file = self.folder / f"{self.topic}-{next(_ids)}.yaml"
        file.write_text(yaml.safe_dump(self.settings() if settings is None else settings))
        return file

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None, **changes: Any) -> Connector:
        """`cio-connector run` with these arguments and changes to the settings."""
        file = self.configuration(self.settings(**changes))
        log = file.with_suffix(".log")
        connector = Connector(["--config", str(file), *arguments], log, variables or {})
        self.connectors.append(connector)
        return connector

    def write_key(self, region: str, key: str) -> None:
        """What the region's secret file holds from now on."""
        self._key_file(region).write_text(key)

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Polls. Fails with what is missing, and what the connectors said last, when the time is over or one of them
        has ended by itself."""
        deadline = time.monotonic() + seconds
        while not ready():
            over, ended = time.monotonic() > deadline, any(each.ended_by_itself for each in self.connectors)
            if over or ended:
                said = "\n".join(connector.last_words() for connector in self.connectors)
                why = "a connector has ended by itself" if ended else f"not within {seconds:g} s"
                raise AssertionError(f"{why}: {what}\n{said}")
            time.sleep(_POLL_SECONDS)

    # ---- Kafka ----

    def publish(self, records: Iterable[Record]) -> list[Published]:
        return publish(self._producer, self.topic, records)

    def load(self, people: Sequence[str]) -> Load:
        """Records of these people that keep coming."""
        return Load(self._producer, self.topic, people)

    def ends(self, topic: str | None = None, partitions: int = PARTITIONS) -> dict[int, int]:
        """Partition -> the end of its log."""
        asker, name = self._asker(self.group), topic or self.topic

        def end(partition: int) -> int:
            place = TopicPartition(name, partition)
            # A broker that has just come back leads nothing yet.
            return patiently(lambda: asker.get_watermark_offsets(place, _ANSWER_SECONDS)[1], _ANSWER_SECONDS)

        return {partition: end(partition) for partition in range(partitions)}

    def committed(self, group: str) -> dict[int, Committed]:
        """Partition -> what the group has committed for it, if anything."""
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        # A broker that is new has no coordinator yet.
        found = patiently(lambda: self._asker(group).committed(places, _ANSWER_SECONDS), _ANSWER_SECONDS)
        return {
            each.partition: Committed(each.offset, each.metadata or "") for each in found if each.offset >= 0
        }

    def offsets(self, group: str) -> dict[int, int]:
        """Partition -> committed offset."""
        return {partition: each.offset for partition, each in self.committed(group).items()}

    def at_the_end(self, *groups: str) -> bool:
        """Whether these groups, all unless given, have committed the ends of the logs."""
        ends = self.ends()
        return all(self.offsets(group) == ends for group in groups or self.groups)

    def wait_until_committed(self, *groups: str) -> None:
        """Until these groups, all unless given, have committed the ends of the logs."""
        self.wait_until(lambda: self.at_the_end(*groups), "the ends of the logs are committed")

    def wait_until_reading(self, *groups: str) -> None:
        """Until every partition is read: where each begins is committed at once."""
        self.wait_until(
            lambda: all(len(self.committed(group)) == PARTITIONS for group in groups or self.groups),
            "every partition is read",
        )

    def dead_letters(self) -> list[DeadLetter]:
        """Everything in the dead-letter topic."""
        left = self.ends(self.dead_letter_topic, 1)[0]
        reader = self._asker(f"{self.group}-reader")
        reader.assign([TopicPartition(self.dead_letter_topic, 0, 0)])
        found: list[DeadLetter] = []

        def read() -> bool:
            while len(found) < left and (message := reader.poll(1)) is not None:
                # Its stub allows for headers of a message that is yet to be sent.
                headers = cast(Headers, message.headers() or [])
                found.append(DeadLetter(message.key(), message.value(), headers))
            return len(found) >= left

        self.wait_until(read, "the dead letters are read")
        return found

    # ---- Customer.io ----

    def inject(self, kind: FaultKind, **fault: Any) -> None:
        self.customerio.inject(Fault(kind=kind, **fault))

    def accepted(self, *regions: str) -> list[int]:
        """Numbers of what these regions, all unless given, have recorded, in that order. An event that was sent
        again is there once, a state twice."""
        return [
            (operation.attributes or {})[NUMBER]
            for region in regions or self.customerio.workspaces
            for operation in self.customerio.workspaces[region].operations
        ]

    def sent_again(self) -> int:
        """Operations that reached Customer.io and had been accepted before."""
        numbers = self.accepted()
        ignored = sum(each.counts.operations_duplicate for each in self.customerio.workspaces.values())
        return len(numbers) - len(set(numbers)) + ignored

    def requests(self, *regions: str) -> int:
        """That have reached these regions, all unless given."""
        wanted = regions or tuple(self.customerio.workspaces)
        return sum(self.customerio.workspaces[region].counts.requests for region in wanted)

    # ---- within ----

    def _asker(self, group: str) -> Consumer:
        """Asks and never joins."""
        if group not in self._askers:
            self._askers[group] = Consumer(self.cluster.client_properties() | _QUIET | {"group.id": group})
        return self._askers[group]

    def _key_file(self, region: str) -> Path:
        return self.folder / f"{self.topic}-{region}.key"

    def _kill_connectors(self) -> None:
        for connector in self.connectors:
            connector.kill()


def _merged(base: Settings, changes: Mapping[str, Any]) -> Settings:
    document = dict(base)
    for name, value in changes.items():
        inner = document.get(name)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        document[name] = _merged(dict(inner), value) if both else value
    return document


def numbers(published: Iterable[Published]) -> list[int]:
    """Of these records."""
    return [each.record.number for each in published]


def out_of_order(published: Iterable[Published], accepted: Sequence[int]) -> list[int]:
    """Numbers that Customer.io has recorded after a later one of the same person and partition."""
    places = {number: place for place, number in reversed(list(enumerate(accepted)))}
    latest: dict[tuple[str, int], int] = {}
    overtaken = []
    for each in sorted(published, key=lambda each: each.place):
        row, place = (each.record.person, each.record.partition), places[each.record.number]
        if place < latest.get(row, -1):
            overtaken.append(each.record.number)
        latest[row] = max(place, latest.get(row, -1))
    return overtaken
