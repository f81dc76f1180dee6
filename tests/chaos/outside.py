"""What can be seen without asking the connector: committed offsets, dead letters, memory."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, cast

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.parts.provision.kafka import KafkaCluster

_LOOK_SECONDS = 0.3
_ANSWER_SECONDS = 5.0


class DeadLetter(NamedTuple):
    """Where a record in the dead-letter topic comes from, and why it is there."""

    partition: int
    offset: int
    reason: str
    truncated: bool


def read_dead_letters(cluster: KafkaCluster, topic: str) -> list[DeadLetter]:
    """Everything in the dead-letter topic."""
    consumer = Consumer(cluster.client_properties() | {"group.id": "outside", "log_level": 0})
    found = []
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        left = {}
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
            if high > low:
                left[partition] = high
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        deadline = time.monotonic() + 60
        while left:
            message = consumer.poll(1)
            if message is None or message.error() is not None:
                if time.monotonic() > deadline:
                    raise TimeoutError("the dead-letter topic could not be read to its end")
                continue
            # Its stub allows for headers of a message that is yet to be sent; one that was read has a list of them.
            headers = dict(cast(list[tuple[str, bytes]], message.headers()))
            found.append(
                DeadLetter(
                    int(headers["dead-letter.partition"]),
                    int(headers["dead-letter.offset"]),
                    headers["dead-letter.reason"].decode(),
                    "dead-letter.truncated" in headers,
                )
            )
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            if offset + 1 >= left.get(partition, 0):
                left.pop(partition, None)
    finally:
        consumer.close()
    return found


class Watch:
    """Looks at the groups' committed offsets several times a second, in a thread."""

    def __init__(self, cluster: KafkaCluster, topic: str, partitions: int, groups: Iterable[str]) -> None:
        self.setbacks: list[str] = []
        """Offsets that went backwards."""
        self.committed: dict[str, dict[int, int]] = {group: {} for group in groups}
        """Group -> partition -> offset, as seen last."""
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        # They ask and never join: an admin client's request may abort the process where a coordinator is away.
        self._askers = {
            group: Consumer(cluster.client_properties() | {"group.id": group, "log_level": 0})
            for group in self.committed
        }
        self._also: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def also(self, look: Callable[[], None]) -> None:
        """Calls this at every look."""
        self._also.append(look)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        for asker in self._askers.values():
            asker.close()

    def reached(self, ends: Mapping[int, int]) -> bool:
        """Whether every group has committed these, partition by partition."""
        return all(
            offsets.get(partition, 0) >= end
            for offsets in self.committed.values()
            for partition, end in ends.items()
        )

    def behind(self, ends: Mapping[int, int]) -> str:
        """Who has not committed what."""
        left = {
            f"{group}[{partition}]": end - offsets.get(partition, 0)
            for group, offsets in self.committed.items()
            for partition, end in ends.items()
            if offsets.get(partition, 0) < end
        }
        return ", ".join(f"{where} {records} records" for where, records in left.items())

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for look in self._also:
                look()
            for group, asker in self._askers.items():
                with suppress(KafkaException):  # a broker that is away: the next look may succeed
                    self._note(group, asker.committed(self._places, _ANSWER_SECONDS))

    def _note(self, group: str, places: Iterable[TopicPartition]) -> None:
        for place in places:
            if place.error is not None or place.offset < 0:
                continue
            before = self.committed[group].get(place.partition, 0)
            if place.offset < before:
                self.setbacks.append(f"{group}[{place.partition}] went from {before} back to {place.offset}")
            self.committed[group][place.partition] = place.offset
