"""One consumer group at work: the core, and the shells that do what it wants."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence

from connector.clock import seconds
from connector.core.admission import Decode
from connector.core.answers import Answer, Unavailable
from connector.core.core import Core
from connector.core.effects import (
    Cancel,
    Commit,
    CommitOffset,
    Drained,
    Dropped,
    Effect,
    Ended,
    Noted,
    PartitionStopped,
    Pause,
    RegionChanged,
    Released,
    Resume,
    Send,
    Start,
    TopicPartition,
    WriteDeadLetter,
)
from connector.core.inputs import Assignment, CommitFailure, Snapshot
from connector.core.options import CoreOptions
from connector.core.routing import Route
from connector.customerio.region_client import RegionClient
from connector.events.record import Record
from connector.kafka.consumer import ConsumerThread
from connector.kafka.dead_letters import DeadLetterProducer
from connector.pipeline.bridge import Bridge
from connector.telemetry.interface import Telemetry

logger = logging.getLogger(__name__)


class Group:
    """Lives on the event loop's thread; the poll thread reaches it through `Bridge`."""

    def __init__(
        self,
        group_id: str,
        options: CoreOptions,
        decode: Decode,
        route: Route | None,
        clients: Mapping[str, RegionClient],
        telemetry: Telemetry,
        revoke_deadline_seconds: float,
        fail: Callable[[BaseException], None],
    ) -> None:
        """`fail` is told of an error that this group cannot survive."""
        self.group_id = group_id
        self.core = Core(options, decode, route, random.random, seconds())
        self.bridge = Bridge(asyncio.get_running_loop(), self, revoke_deadline_seconds + 5.0)
        self.ends: Mapping[TopicPartition, int] = {}
        self.drained: asyncio.Future[Drained] = asyncio.get_running_loop().create_future()
        self._unwritten: tuple[int, str] | None = None
        """The dead letter that could not be written last and is not yet, and why."""
        self._clients = clients
        self._telemetry = telemetry
        self._revoke_deadline_seconds = revoke_deadline_seconds
        self._fail = fail
        self._consumer: ConsumerThread | None = None
        self._dead_letters: DeadLetterProducer | None = None
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._commits: dict[int, tuple[Commit, float]] = {}
        self._released: dict[tuple[TopicPartition, ...], Callable[[Sequence[CommitOffset]], None]] = {}
        self._polls_taken = 0
        self._turn_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._handlers: dict[type, Callable[..., None]] = {
            Send: self._send,
            Cancel: self._cancel,
            WriteDeadLetter: self._write_dead_letter,
            Pause: lambda effect: self._the_consumer.pause(effect.partitions),
            Resume: lambda effect: self._the_consumer.resume(effect.partitions),
            Commit: self._commit,
            Released: self._release,
            Drained: self._finish,
            Ended: telemetry.ended,
            Dropped: telemetry.dropped,
            RegionChanged: telemetry.region_changed,
            PartitionStopped: telemetry.partition_stopped,
            Noted: telemetry.noted,
        }

    def start(self, consumer: ConsumerThread, dead_letters: DeadLetterProducer) -> None:
        """Begin reading. Both were made with this group's bridge and `dead_letter_written`."""
        self._consumer = consumer
        self._dead_letters = dead_letters
        self._turn()
        consumer.start()

    @property
    def _the_consumer(self) -> ConsumerThread:
        assert self._consumer is not None, "the group was started"
        return self._consumer

    def snapshot(self) -> Snapshot:
        """The core's state now. On the loop's thread only."""
        return self.core.snapshot(seconds())

    def look(self, last: bool = False) -> Snapshot:
        """The same, told to telemetry: every now and then, and at the end."""
        snapshot = self.snapshot()
        self._telemetry.looked(snapshot, last)
        return snapshot

    @property
    def dead_letter_error(self) -> str:
        """Why a dead letter is not written yet; empty where none is known to fail."""
        return self._unwritten[1] if self._unwritten is not None else ""

    # ---- inputs, from the poll thread by way of the bridge ----

    def assign(self, assignments: Sequence[Assignment]) -> Sequence[Start]:
        starts = self.core.assign(assignments, seconds())
        self._telemetry.assigned([assignment.partition for assignment in assignments])
        self._turn()
        return starts

    def revoke(
        self, partitions: Sequence[TopicPartition], released: Callable[[Sequence[CommitOffset]], None]
    ) -> None:
        self._released[tuple(partitions)] = released
        self._telemetry.revoked(partitions)
        self.core.revoke(partitions, seconds(), self._revoke_deadline_seconds)
        self._turn()

    def lose(self, partitions: Sequence[TopicPartition]) -> None:
        self.core.lose(partitions, seconds())
        self._telemetry.revoked(partitions)
        self._turn()

    def restart(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]:
        starts = self.core.restart(partitions, seconds())
        self._turn()
        return starts

    def receive(self, records: Sequence[Record]) -> None:
        self._polls_taken += 1
        self.core.receive(records, seconds(), self._telemetry.traces_for(records))
        self._turn()

    def polled(self) -> None:
        self.core.polled(seconds())

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        self.core.positioned(positions)

    def commit_done(self, commit_id: int, failures: Sequence[CommitFailure]) -> None:
        issued = self._commits.pop(commit_id, None)
        if issued is not None:
            commit, issued_at = issued
            self._telemetry.committed(commit, failures, seconds() - issued_at)
        self.core.commit_done(commit_id, failures, seconds())
        self._later()

    def log_ends(self, ends: Mapping[TopicPartition, int]) -> None:
        self.ends = ends

    def consumer_note(self, level: str, message: str) -> None:
        self._telemetry.noted(Noted(level, message))

    def fail(self, error: BaseException) -> None:
        """Something happened that must not: nothing more is committed."""
        self._fail(error)

    def dead_letter_written(self, letter_id: int, error: str | None) -> None:
        """On the loop's thread: Kafka has acknowledged it, or (with an error) not yet."""
        if error is not None:
            self._unwritten = (letter_id, error)
        elif self._unwritten is not None and self._unwritten[0] == letter_id:
            self._unwritten = None
        try:
            self.core.dead_letter_written(letter_id, error, seconds())
        except BaseException as bug:
            self._fail(bug)
            raise
        self._later()

    def drain(self, deadline_seconds: float) -> None:
        """Take nothing more; `drained` is set at the end."""
        self._the_consumer.stop_taking()
        self.core.drain(seconds(), deadline_seconds)
        self._turn()

    # ---- turns: let the core advance, do what it wants ----

    def _later(self) -> None:
        """Advance soon, once for all that came in meanwhile."""
        if not self._turn_due:
            self._turn_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        now = seconds()
        try:
            for effect in self.core.advance(now):
                self._carry_out(effect)
        except BaseException as error:
            self._fail(error)
            raise
        if self.bridge.publish_credit(self.core.credit(), self._polls_taken):
            self._the_consumer.wake()
        self._set_timer(now)

    def _carry_out(self, effect: Effect) -> None:
        self._handlers[type(effect)](effect)

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake_at = self.core.wake_at()
        if wake_at is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, wake_at - now), self._turn)

    def _send(self, send: Send) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(send))
        self._requests[send.request_id] = task

    async def _deliver(self, send: Send) -> None:
        try:
            answer = await self._answer(send)
            self.core.answer(send.request_id, answer, seconds())
        except Exception as error:  # noqa: BLE001 - nobody awaits this task, and its request would never end
            self._fail(error)
        else:
            self._later()

    async def _answer(self, send: Send) -> Answer:
        token = self._telemetry.request_started(send)
        started_at = seconds()
        answer: Answer = Unavailable("cancelled")
        try:
            answer = await self._clients[send.region].send(send)
            return answer
        finally:
            self._requests.pop(send.request_id, None)
            self._telemetry.request_finished(token, send, answer, seconds() - started_at)

    def _cancel(self, cancel: Cancel) -> None:
        task = self._requests.pop(cancel.request_id, None)
        if task is not None:
            task.cancel()

    def _write_dead_letter(self, letter: WriteDeadLetter) -> None:
        assert self._dead_letters is not None, "the group was started"
        self._dead_letters.write(letter)

    def _commit(self, commit: Commit) -> None:
        self._commits[commit.commit_id] = (commit, seconds())
        self._the_consumer.commit(commit)

    def _release(self, released: Released) -> None:
        answer = self._released.pop(released.partitions, None)
        if answer is not None:
            answer(released.offsets)

    def _finish(self, drained: Drained) -> None:
        if not self.drained.done():
            self.drained.set_result(drained)
