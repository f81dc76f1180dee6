"""What the brokers know of a partition: what was committed, and from where to where its log reaches."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple

import confluent_kafka
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from connector.core.effects import TopicPartition
from connector.core.inputs import Assignment

REFRESH_SECONDS = 1.0
AWAITED_SECONDS = 3.0
"""How long a question is awaited on the poll thread, which stands still meanwhile: a new one comes soon. Of committed
offsets it may be asked in vain while the group is just changing (seen with KIP-848); the new question carries what has
been learnt meanwhile."""

Asked = dict[TopicPartition, "Future[Any]"]
"""Questions for an offset of a log, under way."""

_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Facts(NamedTuple):
    """The answer for several partitions."""

    assignments: list[Assignment]
    missing: dict[TopicPartition, str]
    """Why nothing is known of these."""


class Offsets(NamedTuple):
    """An offset of a log, and the leader epoch that the broker names with it."""

    offset: int
    leader_epoch: int | None


class _Cluster(NamedTuple):
    id: str
    knows_topic_ids: bool


class Inquiry(NamedTuple):
    """Questions under way. `Lookup.facts` takes the answers."""

    partitions: Sequence[TopicPartition]
    low: Asked
    high: Asked
    deadline: float
    """Monotonic seconds."""

    @property
    def answered(self) -> bool:
        """Nothing more is to be waited for."""
        return all(future.done() for asked in (self.low, self.high) for future in asked.values())


class Lookup:
    """Asks the brokers."""

    def __init__(self, consumer: Consumer, admin: AdminClient, isolation: IsolationLevel) -> None:
        self._consumer = consumer
        self._admin = admin
        self._isolation = isolation
        self._cluster: _Cluster | None = None
        self._asked_in_vain: set[str] = set()
        """Topics of partitions that the last question about was not answered."""

    def begin(self, partitions: Sequence[TopicPartition], timeout_seconds: float) -> Inquiry:
        """Asks what can be asked without waiting for the answers."""
        self._learn_leaders(partitions)
        return Inquiry(
            partitions,
            self._ask(partitions, _EARLIEST, timeout_seconds),
            self._ask(partitions, _LATEST, timeout_seconds),
            time.monotonic() + timeout_seconds,
        )

    def facts(self, inquiry: Inquiry) -> Facts:
        """The answers. Waits for them, until the inquiry's deadline, if it is not `answered`; the committed offsets
        and the topics' ids are asked now, and awaited."""
        missing: dict[TopicPartition, str] = {}
        low = _answers(inquiry.low, inquiry.deadline, missing)
        high = _answers(inquiry.high, inquiry.deadline, missing)
        self._asked_in_vain |= {partition.topic for partition in missing}
        known = [partition for partition in inquiry.partitions if partition not in missing]
        if not known:
            return Facts([], missing)
        remaining = max(1.0, inquiry.deadline - time.monotonic())
        committed = self._committed(known, remaining, missing)
        if not committed:
            return Facts([], missing)
        cluster_id, topic_ids = self._identities(known, remaining, missing)
        return Facts(
            [
                Assignment(
                    partition=partition,
                    committed=committed[partition].offset if committed[partition].offset >= 0 else None,
                    metadata=committed[partition].metadata or "",
                    leader_epoch=high[partition].leader_epoch,
                    low=low[partition].offset,
                    high=high[partition].offset,
                    topic_id=topic_ids.get(partition.topic, ""),
                    cluster_id=cluster_id,
                )
                for partition in known
                if partition not in missing
            ],
            missing,
        )

    def ask_ends(self, partitions: Collection[TopicPartition], timeout_seconds: float) -> Asked:
        """Asks where the logs end; `ends` takes the answers."""
        self._learn_leaders(partitions)
        return self._ask(partitions, _LATEST, timeout_seconds)

    def ends(self, asked: Asked) -> dict[TopicPartition, int]:
        """What has been answered to `ask_ends` by now."""
        missing: dict[TopicPartition, str] = {}
        answered = _answers(asked, 0.0, missing)
        self._asked_in_vain |= {partition.topic for partition in missing}
        return {partition: offsets.offset for partition, offsets in answered.items()}

    def _learn_leaders(self, partitions: Collection[TopicPartition]) -> None:
        """By itself the admin client learns of new leaders after minutes, and until then asks in vain (seen: each
        answer is FENCED_LEADER_EPOCH)."""
        with suppress(KafkaException):
            for topic in self._asked_in_vain & {partition.topic for partition in partitions}:
                self._admin.list_topics(topic, timeout=REFRESH_SECONDS)
                self._asked_in_vain.discard(topic)

    def ask_anything(self, timeout_seconds: float) -> "Future[Any]":
        """Asks a broker something: done without an exception once one answers.

        Never a group's coordinator: librdkafka aborts the whole process where the connection for such a question
        breaks (https://github.com/confluentinc/librdkafka/issues/4605, seen with 2.16).
        """
        future: Future[Any] = self._admin.describe_cluster(request_timeout=timeout_seconds)
        return future

    def _ask(self, partitions: Iterable[TopicPartition], which: OffsetSpec, timeout_seconds: float) -> Asked:
        asked = {confluent_kafka.TopicPartition(*partition): which for partition in partitions}
        if not asked:
            return {}
        futures = self._admin.list_offsets(
            asked, isolation_level=self._isolation, request_timeout=timeout_seconds
        )
        return {TopicPartition(key.topic, key.partition): future for key, future in futures.items()}

    def _committed(
        self, partitions: Sequence[TopicPartition], timeout_seconds: float, missing: dict[TopicPartition, str]
    ) -> dict[TopicPartition, confluent_kafka.TopicPartition]:
        try:
            found = self._consumer.committed(
                [confluent_kafka.TopicPartition(*partition) for partition in partitions],
                min(timeout_seconds, AWAITED_SECONDS),
            )
        except KafkaException as exception:
            missing.update(dict.fromkeys(partitions, _reason(exception)))
            return {}
        known = {TopicPartition(place.topic, place.partition): place for place in found}
        missing.update({p: place.error.str() for p, place in known.items() if place.error is not None})
        return known

    def _identities(
        self, partitions: Sequence[TopicPartition], timeout_seconds: float, missing: dict[TopicPartition, str]
    ) -> tuple[str, dict[str, str]]:
        """The cluster's and the topics' ids; empty where a broker answers without. Where none answers, the partitions
        are missing: an event without an id would get another ULID than in any other run, and what is committed could
        not be told from that of another topic."""
        seconds = min(timeout_seconds, AWAITED_SECONDS)
        topics = {partition.topic for partition in partitions}
        cluster = self._cluster
        if cluster is None:
            try:
                answer = self._admin.list_topics(topic=next(iter(topics)), timeout=seconds)
            except KafkaException as exception:
                missing.update(dict.fromkeys(partitions, _reason(exception)))
                return "", {}
            # Where there is no controller, librdkafka would wait for one in vain.
            cluster = _Cluster(answer.cluster_id or "", answer.controller_id in answer.brokers)
        if not cluster.knows_topic_ids:
            return cluster.id, {}
        self._cluster = cluster
        described = self._admin.describe_topics(TopicCollection(sorted(topics)), request_timeout=seconds)
        topic_ids = {}
        for topic, future in described.items():
            try:
                topic_ids[topic] = str(future.result(seconds).topic_id)
            except (KafkaException, TimeoutError) as error:
                if _is_answer(error):
                    continue
                # The one that was asked, the controller, may be another by now.
                self._asked_in_vain.add(topic)
                reason = _reason(error) if isinstance(error, KafkaException) else "no answer in time"
                missing.update({p: reason for p in partitions if p.topic == topic})
        return cluster.id, topic_ids


def _is_answer(error: Exception) -> bool:
    """Whether a broker has refused, or cannot say: then it would the next time, too."""
    if not isinstance(error, KafkaException):
        return False
    code: int = error.args[0].code()
    return code > 0 or code == KafkaError._UNSUPPORTED_FEATURE


def _answers(
    asked: Asked, deadline: float, missing: dict[TopicPartition, str]
) -> dict[TopicPartition, Offsets]:
    """The answers that come before the deadline (monotonic seconds); why the others did not goes into `missing`."""
    offsets = {}
    for partition, future in asked.items():
        try:
            answer = future.result(max(0.0, deadline - time.monotonic()))
        except KafkaException as exception:
            missing[partition] = _reason(exception)
        except TimeoutError:
            missing[partition] = "no answer in time"
        else:
            epoch = answer.leader_epoch
            offsets[partition] = Offsets(answer.offset, epoch if epoch is not None and epoch >= 0 else None)
    return offsets


def isolation_level(properties: Mapping[str, str]) -> IsolationLevel:
    """What the consumer reads: by default nothing of transactions that are open or aborted."""
    if properties.get("isolation.level") == "read_uncommitted":
        return IsolationLevel.READ_UNCOMMITTED
    return IsolationLevel.READ_COMMITTED


def _reason(exception: KafkaException) -> str:
    error = exception.args[0]
    return f"{error.name()}: {error.str()}"
