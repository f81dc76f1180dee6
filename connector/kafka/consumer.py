"""One thread that owns one Kafka consumer: it takes records and commits what it is told to. It waits for delivery only
while partitions are taken away, up to the revoke's deadline."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.errors import ConfigurationError
from connector.kafka.conditions import Conditions, Key
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.errors import connector_error
from connector.kafka.listener import ConsumerListener
from connector.kafka.session import Session
from connector.kafka.state import ConsumerState

WAIT_SECONDS = 0.02
"""How long credit is awaited at a time, unless `wake` says that there is some."""
BACKOFF_SECONDS_MIN = 1.0
BACKOFF_SECONDS_MAX = 30.0


class _Leave(NamedTuple):
    offsets: tuple[CommitOffset, ...]
    deadline: float
    """Monotonic seconds."""


class ConsumerThread:
    """Reads one consumer group's partitions and tells a `ConsumerListener`. Joins the group at `start`, leaves it at
    `close` or `abort`. Its methods may be called from any other thread, and return at once but for `close`."""

    def __init__(self, options: ConsumerOptions, listener: ConsumerListener) -> None:
        """Raises ConfigurationError for properties that librdkafka refuses."""
        self._options = options
        self._listener = listener
        self._conditions = Conditions(listener.note)
        self._commands: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._leave: _Leave | None = None
        self._backoff_seconds = BACKOFF_SECONDS_MIN
        self._session = self._new_session()
        self._thread = threading.Thread(target=self._run, name=f"kafka-{options.group_id}", daemon=True)
        self.heartbeat_at = time.monotonic()
        """When the thread last came round, in monotonic seconds."""

    # Commands

    def start(self) -> None:
        self._thread.start()

    def commit(self, commit: Commit) -> None:
        """Commits what is still in its epoch; the listener is told when it is done."""
        self._do(lambda: self._session.commit(commit))

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Takes nothing from these until `resume`, or until they are assigned anew."""
        self._do(lambda: self._session.partitions.tell_pause(partitions))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self._do(lambda: self._session.partitions.tell_resume(partitions))

    def stop_taking(self) -> None:
        """Takes no more records, but stays in the group and goes on committing."""
        self._stopping = True
        self._wake.set()

    def close(self, offsets: Sequence[CommitOffset], deadline_seconds: float) -> bool:
        """Commits these, leaves the group and ends the thread. Waits for that until the deadline; whether it has
        ended. One that has not, since Kafka does not answer, holds up no exit."""
        self._leave = self._leave or _Leave(tuple(offsets), time.monotonic() + deadline_seconds)
        self._wake.set()
        return self.join(deadline_seconds)

    def abort(self) -> None:
        """Leaves at once and commits nothing."""
        self._leave = _Leave((), time.monotonic())
        self._wake.set()

    def wake(self) -> None:
        """There is credit again."""
        self._wake.set()

    def join(self, timeout_seconds: float) -> bool:
        """Waits for the thread's end; whether it has ended."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def state(self) -> ConsumerState:
        """How it is doing."""
        conditions = self._conditions
        if conditions.has(Key.CREDENTIALS, Key.GROUP):
            return ConsumerState.REFUSED
        if conditions.has(Key.BROKER):
            return ConsumerState.UNREACHABLE
        if conditions and not self.assigned:
            return ConsumerState.REFUSED
        return ConsumerState.JOINED if self._session.membership.joined else ConsumerState.CONNECTING

    @property
    def detail(self) -> str:
        """What is wrong just now, with the fix; empty if nothing is. No credentials."""
        return "; ".join(self._conditions.messages())

    @property
    def assigned(self) -> tuple[TopicPartition, ...]:
        """The partitions that are being read, or paused."""
        return tuple(sorted(self._session.partitions.epochs.copy()))

    # The thread

    def _run(self) -> None:
        try:
            self._session.open()
            while self._leave is None:
                self._turn()
            self._session.leave(self._leave.offsets, self._leave.deadline)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody must know
            self._session.close()
            self._listener.failed(error)

    def _turn(self) -> None:
        self._serve_commands()
        self._beat()
        if not self._session.turn(hold=self._stopping):
            self._wake.wait(WAIT_SECONDS)
            self._wake.clear()
        if self._session.fatal is not None:
            self._start_over(self._session.fatal)
        elif self._session.membership.joined:
            self._backoff_seconds = BACKOFF_SECONDS_MIN

    def _start_over(self, error: KafkaError) -> None:
        """The client has refused to go on: another takes its place, after a while, unless a person must act."""
        mended = connector_error(error, self._options.bootstrap_servers, group_id=self._options.group_id)
        if isinstance(mended, ConfigurationError):
            raise mended
        self._conditions.report(Key.GROUP, str(mended), "error")
        self._session.membership.lose_all()
        self._session.close()
        again_at = time.monotonic() + self._backoff_seconds
        self._backoff_seconds = min(BACKOFF_SECONDS_MAX, 2 * self._backoff_seconds)
        while self._leave is None and time.monotonic() < again_at:
            self._serve_commands()
            self._beat()
            self._wake.wait(WAIT_SECONDS)
            self._wake.clear()
        if self._leave is None:
            self._session = self._new_session()
            self._session.open()

    def _new_session(self) -> Session:
        return Session(self._options, self._listener, self._conditions, self._serve_commands)

    def _beat(self) -> None:
        self.heartbeat_at = time.monotonic()
        self._listener.polled()

    def _do(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        self._wake.set()

    def _serve_commands(self) -> None:
        while self._commands:
            self._commands.popleft()()
