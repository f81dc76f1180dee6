"""What a person at the log wants to know of a consumer group that works: which partitions it has, that events arrive,
what fails and what becomes a dead letter. A bounded number of lines, none of them for an event."""

import logging
from collections import Counter
from collections.abc import Callable, Collection

from connector.core.answers import Answer, Unavailable
from connector.core.effects import TopicPartition
from connector.core.inputs import Snapshot
from connector.telemetry.outcome import request_outcome
from connector.telemetry.tally import Say, Tally

TOPICS_MAX = 10

logger = logging.getLogger("connector")


class Activity:
    """Of one consumer group. All calls come from the event loop."""

    def __init__(self, group: str, monotonic: Callable[[], float]) -> None:
        self._group = group
        self._monotonic = monotonic
        self._partitions: set[TopicPartition] = set()
        self._delivered: set[str] = set()
        self._failures: dict[str, Tally] = {}
        self._dead_letters = Tally(self._say_dead_letters)
        self._dead_letters_before: dict[str, int] = {}

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        self._partitions.update(partitions)
        if partitions:
            self._say_partitions("assigned", len(partitions))

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        ours = self._partitions.intersection(partitions)
        self._partitions -= ours
        if ours:
            self._say_partitions("revoked", len(ours))

    def request_finished(self, region: str, answer: Answer) -> None:
        outcome = request_outcome(answer)
        if outcome.accepted and region not in self._delivered:
            self._delivered.add(region)
            fields = {"region": region, "group": self._group}
            logger.info(f"region {region} has accepted its first events", extra={"fields": fields})
        if outcome.error_type is not None and not _is_usual(answer):
            if region not in self._failures:
                self._failures[region] = Tally(self._failures_of(region))
            is_code = outcome.error_type.isdecimal()
            cause = outcome.status if is_code else outcome.error_type
            self._failures[region].add(cause, 1, self._monotonic())

    def looked(self, snapshot: Snapshot, last: bool) -> None:
        """Writes the lines that are due."""
        now = self._monotonic()
        for reason, number in snapshot.dead_letters.items():
            more = number - self._dead_letters_before.get(reason, 0)
            if more > 0:
                self._dead_letters.add(reason, more, now)
        self._dead_letters_before = snapshot.dead_letters
        for tally in (self._dead_letters, *self._failures.values()):
            tally.look(now, last)

    def _say_partitions(self, what: str, number: int) -> None:
        topics = Counter(partition.topic for partition in self._partitions)
        now = [f"{count} of {topic}" for topic, count in sorted(topics.items())[:TOPICS_MAX]]
        now += ["..."] * (len(topics) > TOPICS_MAX)
        noun = "partition" if number == 1 else "partitions"
        self._log(logging.INFO, f"{number} {noun} {what}; now {', '.join(now) or 'none'}")

    def _say_dead_letters(self, number: int, within: str, by_reason: str) -> None:
        noun = "dead letter" if number == 1 else "dead letters"
        self._log(logging.WARNING, f"{number:,} {noun} in {within}: {by_reason}")

    def _failures_of(self, region: str) -> Say:
        def say(number: int, within: str, by_cause: str) -> None:
            noun = "request" if number == 1 else "requests"
            message = f"{number:,} {noun} to region {region} failed in {within}: {by_cause}"
            self._log(logging.WARNING, message, region=region)

        return say

    def _log(self, level: int, message: str, **fields: str) -> None:
        logger.log(level, message, extra={"fields": {**fields, "group": self._group}})


def _is_usual(answer: Answer) -> bool:
    """A failure that says nothing about the region: given up by ourselves, or an idle connection that was closed."""
    return isinstance(answer, Unavailable) and (answer.kind == "cancelled" or answer.reused_connection_broke)
