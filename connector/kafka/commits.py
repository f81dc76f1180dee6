"""Commits of the poll thread: one under way at a time, and the last one of a partition before it is given up.

A commit under way reports by a callback from `poll`, which cannot be called within a rebalance's callback. There the
synchronous commit follows it on the same connection to the same coordinator, whose answers come in order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException

from connector.core.effects import CommitOffset, TopicPartition
from connector.core.inputs import CommitFailure


class CommitDone(NamedTuple):
    commit_id: int
    failures: tuple[CommitFailure, ...]


class Commits:
    """Used by the poll thread alone. `reported` is the client's `on_commit`."""

    def __init__(self) -> None:
        self._under_way: tuple[int, Sequence[CommitOffset]] | None = None
        self._done: CommitDone | None = None

    @property
    def idle(self) -> bool:
        return self._under_way is None and self._done is None

    def start(self, client: Consumer, commit_id: int, offsets: Sequence[CommitOffset]) -> None:
        """Commits in the background; `done` tells when it is."""
        assert self.idle, "one commit is under way at a time"
        try:
            client.commit(offsets=_places(offsets), asynchronous=True)
        except KafkaException as exception:
            self._done = CommitDone(commit_id, _failures_of(offsets, exception.args[0]))
        else:
            self._under_way = (commit_id, offsets)

    def reported(
        self, error: KafkaError | None, partitions: Sequence[confluent_kafka.TopicPartition]
    ) -> None:
        """The client says that the commit under way is done. Must not raise."""
        if self._under_way is None:
            return
        commit_id, offsets = self._under_way
        self._under_way = None
        failures = _failures_among(partitions) or (() if error is None else _failures_of(offsets, error))
        self._done = CommitDone(commit_id, failures)

    def done(self) -> CommitDone | None:
        """The commit that was under way, once."""
        done, self._done = self._done, None
        return done

    @staticmethod
    def now(client: Consumer, offsets: Sequence[CommitOffset]) -> tuple[CommitFailure, ...]:
        """Commits these and waits for the answer. Where the broker does not take a partition's metadata, the offsets
        go without: nobody is left who could shorten it."""
        if not offsets:
            return ()
        try:
            return _failures_among(client.commit(offsets=_places(offsets), asynchronous=False) or ())
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
        bare = [offset._replace(metadata="") for offset in offsets]
        if error.code() == KafkaError.OFFSET_METADATA_TOO_LARGE and bare != list(offsets):
            # The client blames all partitions where the broker refused one.
            if len(offsets) == 1:
                return Commits.now(client, bare)
            return tuple(failure for offset in offsets for failure in Commits.now(client, [offset]))
        return _failures_of(offsets, error)


def _places(offsets: Sequence[CommitOffset]) -> list[confluent_kafka.TopicPartition]:
    return [confluent_kafka.TopicPartition(o.topic, o.partition, o.offset, o.metadata) for o in offsets]


def _failures_among(answers: Sequence[confluent_kafka.TopicPartition]) -> tuple[CommitFailure, ...]:
    return tuple(
        CommitFailure(TopicPartition(answer.topic, answer.partition), answer.error.name())
        for answer in answers
        if answer.error is not None
    )


def _failures_of(offsets: Sequence[CommitOffset], error: KafkaError) -> tuple[CommitFailure, ...]:
    return tuple(CommitFailure(TopicPartition(o.topic, o.partition), error.name()) for o in offsets)
