"""From the poll thread to the event loop: what the consumer tells becomes calls on the loop's thread."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Protocol, TypeVar, cast

from confluent_kafka import Message

from connector.core.effects import CommitOffset, Start, TopicPartition
from connector.core.inputs import NO_CREDIT, Assignment, CommitFailure, Credit
from connector.events.record import Record

_T = TypeVar("_T")

_ANSWER_SECONDS_MAX = 30.0
"""The loop answers within milliseconds; if it has not by then it stands still, and /livez says so."""


class GroupInputs(Protocol):
    """What a group takes in, on the loop's thread."""

    def assign(self, assignments: Sequence[Assignment]) -> Sequence[Start]: ...
    def revoke(
        self, partitions: Sequence[TopicPartition], released: Callable[[Sequence[CommitOffset]], None]
    ) -> None: ...
    def lose(self, partitions: Sequence[TopicPartition]) -> None: ...
    def restart(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]: ...
    def receive(self, records: Sequence[Record]) -> None: ...
    def polled(self) -> None: ...
    def positioned(self, positions: Mapping[TopicPartition, int]) -> None: ...
    def commit_done(self, commit_id: int, failures: Sequence[CommitFailure]) -> None: ...
    def log_ends(self, ends: Mapping[TopicPartition, int]) -> None: ...
    def consumer_note(self, level: str, message: str) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class Bridge:
    """A `ConsumerListener`: every method is called on the poll thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, group: GroupInputs, revoke_seconds_max: float
    ) -> None:
        self._loop = loop
        self._group = group
        self._revoke_seconds_max = revoke_seconds_max
        self._polls_handed = 0
        self._credit = (NO_CREDIT, 0)

    # ---- the loop's side ----

    def publish_credit(self, credit: Credit, polls_taken: int) -> bool:
        """The core's credit after it has taken so many polls' records. True: there was none before."""
        before = self.credit()
        self._credit = (credit, polls_taken)
        return before.records == 0 and self.credit().records > 0

    # ---- the poll thread's side ----

    def credit(self) -> Credit:
        """What may be taken now: nothing while records are on their way to the core.

        Records that waited there would leave the processor's cache, and the threads would contend for the interpreter.
        """
        credit, polls_taken = self._credit
        return credit if polls_taken == self._polls_handed else NO_CREDIT

    def assigned(self, assignments: Sequence[Assignment]) -> Sequence[Start]:
        return self._ask(lambda: self._group.assign(assignments), ())

    def restarted(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]:
        return self._ask(lambda: self._group.restart(partitions), ())

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._ask(lambda: self._group.lose(partitions), None)

    def revoked(self, partitions: Sequence[TopicPartition]) -> Sequence[CommitOffset]:
        future: Future[Sequence[CommitOffset]] = Future()
        self._tell(lambda: self._group.revoke(partitions, future.set_result))
        try:
            return future.result(self._revoke_seconds_max)
        except FutureTimeoutError:
            self.note("error", "a revoke was not answered in time; nothing is committed for it")
            return ()

    def received(self, messages: list[Message]) -> None:
        # Its stub allows for headers of a message that is yet to be sent; one that was read has a list of them.
        records = cast(Sequence[Record], messages)
        self._polls_handed += 1
        self._tell(lambda: self._group.receive(records))

    def polled(self) -> None:
        self._tell(self._group.polled)

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        self._tell(lambda: self._group.positioned(positions))

    def committed(self, commit_id: int, failures: Sequence[CommitFailure]) -> None:
        self._tell(lambda: self._group.commit_done(commit_id, failures))

    def ends(self, ends: Mapping[TopicPartition, int]) -> None:
        self._tell(lambda: self._group.log_ends(ends))

    def note(self, level: str, message: str) -> None:
        self._tell(lambda: self._group.consumer_note(level, message))

    def failed(self, error: BaseException) -> None:
        self._tell(lambda: self._group.fail(error))

    def _tell(self, call: Callable[[], object]) -> None:
        """Call on the loop's thread. An error there is a bug of ours: what it left half done must not be committed."""

        def run() -> None:
            try:
                call()
            except BaseException as error:
                self._group.fail(error)
                raise

        _tell(self._loop, run)

    def _ask(self, call: Callable[[], _T], otherwise: _T) -> _T:
        """Call on the loop's thread and wait for what it says."""
        future: Future[_T] = Future()

        def run() -> None:
            try:
                future.set_result(call())
            except BaseException:
                future.set_result(otherwise)
                raise

        self._tell(run)
        try:
            return future.result(_ANSWER_SECONDS_MAX)
        except FutureTimeoutError:
            return otherwise


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the loop is closed: the process is ending
        return
