"""The life of one Kafka client of the poll thread: what it is polled for, and what its errors mean."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka.admin import AdminClient

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.kafka.commits import Commits
from connector.kafka.conditions import Conditions, Key
from connector.kafka.configuration import (
    ConsumerOptions,
    admin_properties,
    consumer_properties,
    is_incremental,
    made,
)
from connector.kafka.ends import Ends
from connector.kafka.errors import ErrorTrail, behind_fatal, connector_error
from connector.kafka.flow import WAIT, Flow
from connector.kafka.headers import read_headers
from connector.kafka.listener import ConsumerListener
from connector.kafka.lookup import Lookup, isolation_level
from connector.kafka.membership import Membership
from connector.kafka.partitions import Partitions
from connector.kafka.verdict import Verdict, verdict_on

POLL_SECONDS = 0.05
"""A command waits this long at most while no records come."""
PROBE_SECONDS = 5.0
POSITIONS_SECONDS = 1.0
FAILURES_MAX = 10
"""After as many failed polls without one that works, something is wrong that reading again does not mend."""


class Session:
    """Used by the poll thread alone, but for its making."""

    def __init__(
        self,
        options: ConsumerOptions,
        listener: ConsumerListener,
        conditions: Conditions,
        serve_commands: Callable[[], None],
    ) -> None:
        """Raises ConfigurationError for properties that librdkafka refuses."""
        self._options = options
        self._listener = listener
        self._conditions = conditions
        self._trail = ErrorTrail()
        self._commits = Commits()
        properties = consumer_properties(options, self._on_error) | {"on_commit": self._commits.reported}
        self._client = made(Consumer, properties)
        admin = made(AdminClient, admin_properties(options, lambda error: None))
        lookup = Lookup(self._client, admin, isolation_level(options.properties))
        self.partitions = Partitions(self._client, is_incremental(options), listener.restarted)
        self.membership = Membership(
            options, self.partitions, self._commit_now, lookup, listener, conditions, serve_commands
        )
        self._ends = Ends(lookup, options.ends_seconds)
        self._flow = Flow(options.records_per_poll_max)
        self._waiting_commits: deque[Commit] = deque()
        self._probe: Future[Any] | None = None
        self._probe_at = time.monotonic() + PROBE_SECONDS
        self._positions_at = 0.0
        self._lookup = lookup
        self._failures = 0
        self._bug: Exception | None = None
        self.fatal: KafkaError | None = None
        """The client is of no use any more."""

    def open(self) -> None:
        """Joins the group."""
        member = self.membership
        self._client.subscribe(
            list(self._options.topics),
            on_assign=self._callback(member.assigned),
            on_revoke=self._callback(member.revoked),
            on_lost=self._callback(member.lost),
        )

    def leave(self, offsets: Sequence[CommitOffset], deadline: float) -> None:
        """Commits these, once the commit under way is done, and leaves the group. `deadline`: monotonic seconds."""
        self.membership.leaving = True
        self.partitions.apply_pauses(all_of_them=True)
        while not self._commits.idle and time.monotonic() < deadline:
            self._client.poll(POLL_SECONDS)
            self._report_commits()
        if self._commits.idle:
            self._commit_now(offsets)
        self.close()

    def close(self) -> None:
        """Leaves the group. What has not been committed is read again."""
        self.membership.leaving = True
        self._client.close()

    def commit(self, commit: Commit) -> None:
        """In the background, once the one under way is done."""
        self._waiting_commits.append(commit)
        self._report_commits()

    def turn(self, hold: bool) -> bool:
        """Does what is due, then polls. `hold`: takes no records. False: nothing to do for want of credit."""
        now = time.monotonic()
        self._report_commits()
        self._report_ends(now)
        self._ask_brokers(now)
        self.membership.mend(now)
        step = self._flow.next(
            self._listener.credit(),
            now,
            hold=hold or self.membership.wants_quiet,
            reading=bool(self.partitions.epochs),
        )
        if step == WAIT:
            return False
        self.membership.held = step.hold
        self.partitions.apply_pauses(step.hold)
        messages = self._take(step.records)
        if messages:
            self._hand_over(messages)
        elif step.hold and self.membership.wants_quiet:
            self.membership.detach()
        self._report_positions(now)
        return True

    # Records

    def _take(self, records: int) -> list[Message]:
        """Waits for a record or an event, then takes the rest of what is there."""
        rebalances = self.membership.rebalances
        messages: list[Message] = []
        try:
            message = self._client.poll(POLL_SECONDS)
            if message is not None:
                messages.append(message)
                self.membership.begun_lately.clear()
                if records > 1:
                    messages += self._client.consume(records - 1, 0)
            self._failures = 0
        except Exception as error:
            self._failures += 1
            if self._failures >= FAILURES_MAX:
                raise
            self._listener.note("error", f"Kafka's client failed while polling; reading again: {error!r}")
            self.membership.broken(list(self.partitions.epochs))
            messages = []
        if self._bug is not None:
            raise self._bug
        if rebalances != self.membership.rebalances:
            messages = self._still_ours(messages)
        return messages

    def _still_ours(self, messages: list[Message]) -> list[Message]:
        """After a rebalance within `consume`, which may still hand out records of partitions given up in it. One
        that began in it may have been ours before, too: what came of it is dropped and read again."""
        lately = self.membership.begun_lately
        self.membership.broken({_partition(m) for m in messages if m.error() is None} & lately)
        ours = self.partitions.epochs.keys() - lately
        return [m for m in messages if m.error() is not None or _partition(m) in ours]

    def _hand_over(self, messages: list[Message]) -> None:
        if any(map(Message.error, messages)) or self.membership.waiting:
            messages = self._records_among(messages)
        if not messages:
            return
        read_headers(messages)
        self._flow.took(len(messages), sum(map(len, messages)))
        self._listener.received(messages)
        if self._conditions:
            partitions = set(map(_partition, messages))
            self._conditions.clear(
                (*Key.CONNECTION, *(Key.topic(p.topic) for p in partitions), *map(Key.partition, partitions))
            )

    def _records_among(self, messages: list[Message]) -> list[Message]:
        """Judges the errors. Behind one, no record of its partition counts."""
        records = []
        waiting = self.membership.waiting
        for message in messages:
            error = message.error()
            if error is not None:
                self._judge(error, message.topic(), _partition(message))
                waiting = self.membership.waiting
            elif _partition(message) not in waiting:
                records.append(message)
        return records

    # Errors

    def _judge(self, error: KafkaError, topic: str | None, partition: TopicPartition) -> None:
        known = self.membership.owns(partition)
        verdict = verdict_on(error, of_partition=known)
        if verdict is Verdict.OUT_OF_RANGE and known:
            what = f"{partition.shown}: the log does not hold the position any more: {error.str()}"
            self._listener.note("error", what)
            self.membership.out_of_range(partition)
        elif verdict is Verdict.DROPPED:
            what = f"{partition.shown} cannot be read: {error.str()}"
            self._conditions.report(Key.partition(partition), what, "error")
            self.membership.broken([partition])
        else:
            self._report(verdict, error, topic)

    def _on_error(self, error: KafkaError) -> None:
        """Called by the client from `poll` for what concerns no partition."""
        try:
            self._report(verdict_on(error, of_partition=False), error, None)
        except Exception as bug:  # noqa: BLE001 - raised again outside of the client
            self._bug = bug

    def _report(self, verdict: Verdict, error: KafkaError, topic: str | None) -> None:
        options = self._options
        cause = self._trail.cause(error)
        message = str(connector_error(cause, options.bootstrap_servers, topic, options.group_id))
        match verdict:
            case Verdict.FATAL:
                self.fatal = behind_fatal(error)
            case Verdict.UNREACHABLE:
                self._conditions.report(Key.BROKER, message)
            case Verdict.CREDENTIALS:
                self._trail(error)
                self._conditions.report(Key.CREDENTIALS, message)
            case Verdict.TOPIC if topic:
                self._conditions.report(Key.topic(topic), message)
            case Verdict.GROUP | Verdict.TOPIC:
                self._conditions.report(Key.GROUP, message)
            case _:
                self._trail(error)

    # Commits, ends

    def _report_commits(self) -> None:
        done = self._commits.done()
        if done is not None:
            self._listener.committed(done.commit_id, done.failures)
            if not done.failures:
                self._conditions.clear(Key.CONNECTION)
        while self._commits.idle and self._waiting_commits:
            commit = self._waiting_commits.popleft()
            offsets = self.membership.current(commit.offsets)
            if offsets:
                self._commits.start(self._client, commit.commit_id, offsets)
            else:
                self._listener.committed(commit.commit_id, ())

    def _commit_now(self, offsets: Sequence[CommitOffset]) -> None:
        failures = self._commits.now(self._client, self.membership.current(offsets))
        if failures:
            what = ", ".join(f"{failure.partition.shown} ({failure.code})" for failure in failures)
            self._listener.note("warning", f"not committed: {what}. What lies beyond is read again")

    def _report_positions(self, now: float) -> None:
        if now >= self._positions_at:
            self._positions_at = now + POSITIONS_SECONDS
            positions = self.partitions.positions(but=self.membership.waiting)
            if positions:
                self._listener.positioned(positions)

    def _report_ends(self, now: float) -> None:
        ends = self._ends.turn(self.partitions.epochs.keys(), now)
        if ends:
            self._listener.ends(ends)
            self._conditions.clear(Key.CONNECTION)

    def _ask_brokers(self, now: float) -> None:
        """Where no record and no rebalance tells whether brokers answer.

        A member of a KIP-848 group that gets no partition sees no rebalance: with brokers that answer and a group that
        does not refuse it, it counts as joined after a while.
        """
        lonely = not self.membership.joined and self._options.group_protocol == "consumer"
        if self._probe is not None:
            if not self._probe.done():
                return
            if self._probe.exception() is None:
                self._conditions.clear(Key.CONNECTION)
                self.membership.joined = self.membership.joined or (lonely and not self._conditions)
            self._probe = None
        elif now >= self._probe_at and (lonely or self._conditions.has(*Key.CONNECTION)):
            self._probe_at = now + PROBE_SECONDS
            self._probe = self._lookup.ask_anything(PROBE_SECONDS)

    # Rebalances

    def _callback(
        self, call: Callable[[Sequence[TopicPartition]], None]
    ) -> Callable[[Consumer, list[confluent_kafka.TopicPartition]], None]:
        """An exception in a callback makes the client drop records, so none gets there."""

        def callback(client: Consumer, partitions: list[confluent_kafka.TopicPartition]) -> None:
            self.membership.rebalances += 1
            try:
                call([TopicPartition(p.topic, p.partition) for p in partitions])
            except Exception as bug:  # noqa: BLE001 - raised again outside of the client
                self._bug = bug

        return callback


def _partition(message: Message) -> TopicPartition:
    return TopicPartition(message.topic() or "", message.partition() or 0)
