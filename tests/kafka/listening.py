"""A `ConsumerListener` that keeps what it is told, and answers as a core would that ends every record at once."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from confluent_kafka import Message

from connector.core.effects import CommitOffset, Start, TopicPartition
from connector.core.inputs import Assignment, CommitFailure, Credit

T = TypeVar("T")
PLENTY = Credit(1_000_000, 1_000_000_000)


class Listening:
    """`next_offset` and `epochs` say where each partition is; the lists hold what was told, in order."""

    def __init__(self) -> None:
        self.given_credit = PLENTY
        self.epochs: dict[TopicPartition, int] = {}
        self.next_offset: dict[TopicPartition, int] = {}
        self.assignments: list[Assignment] = []
        self.revocations: list[TopicPartition] = []
        self.losses: list[TopicPartition] = []
        self.restarts: list[TopicPartition] = []
        self.records: list[Message] = []
        self.commits: list[tuple[int, tuple[CommitFailure, ...]]] = []
        self.log_ends: dict[TopicPartition, int] = {}
        self.positions: dict[TopicPartition, int] = {}
        self.notes: list[tuple[str, str]] = []
        self.failures: list[Exception] = []
        self.polls = 0
        self.threads: set[int] = set()
        self.misplaced: list[Message] = []
        """Records of partitions that were not assigned, or behind a gap."""
        self.on_assigned: Callable[[], None] = lambda: None
        self.on_revoked: Callable[[], None] = lambda: None

    def assigned(self, assignments: Sequence[Assignment]) -> Sequence[Start]:
        self._told()
        self.on_assigned()
        self.assignments.extend(assignments)
        return [
            self._start(a.partition, a.low if a.committed is None else max(a.low, a.committed))
            for a in assignments
        ]

    def revoked(self, partitions: Sequence[TopicPartition]) -> Sequence[CommitOffset]:
        self._told()
        self.on_revoked()
        offsets = self.offsets(*partitions)
        self.revocations.extend(partitions)
        for partition in partitions:
            del self.next_offset[partition]
        return offsets

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._told()
        self.losses.extend(partitions)
        for partition in partitions:
            del self.next_offset[partition]

    def restarted(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]:
        self._told()
        self.restarts.extend(partitions)
        return [self._start(partition, self.next_offset[partition]) for partition in partitions]

    def received(self, records: list[Message]) -> None:
        self._told()
        for record in records:
            partition = TopicPartition(record.topic() or "", record.partition() or 0)
            offset = record.offset()
            assert offset is not None
            if self.next_offset.get(partition) != offset:
                self.misplaced.append(record)
            if partition in self.next_offset:
                self.next_offset[partition] = offset + 1
            self.records.append(record)

    def credit(self) -> Credit:
        return self.given_credit

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        self._told()
        self.positions.update(positions)

    def committed(self, commit_id: int, failures: Sequence[CommitFailure]) -> None:
        self._told()
        self.commits.append((commit_id, tuple(failures)))

    def ends(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._told()
        self.log_ends.update(offsets)

    def polled(self) -> None:
        self._told()
        self.polls += 1

    def note(self, level: str, message: str) -> None:
        self.notes.append((level, message))

    def failed(self, error: Exception) -> None:
        self.failures.append(error)

    def offsets(self, *partitions: TopicPartition, metadata: str = "") -> list[CommitOffset]:
        """What would be committed for these."""
        return [
            CommitOffset(p.topic, p.partition, self.next_offset[p], metadata, self.epochs[p])
            for p in partitions or self.next_offset
        ]

    @property
    def values(self) -> list[bytes | None]:
        return [record.value() for record in self.records]

    def _start(self, partition: TopicPartition, offset: int) -> Start:
        self.epochs[partition] = self.epochs.get(partition, 0) + 1
        self.next_offset[partition] = offset
        return Start(partition, offset, self.epochs[partition])

    def _told(self) -> None:
        self.threads.add(threading.get_ident())


def wait_for(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """What `condition` returns once it is true. Fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)
    return value
