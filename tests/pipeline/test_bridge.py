"""Between the poll thread and the event loop: what is on its way is not granted twice, and no call hangs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from confluent_kafka import Message

from connector.core.effects import CommitOffset, Start, TopicPartition
from connector.core.inputs import Assignment, CommitFailure, Credit
from connector.events.record import Record
from connector.pipeline.bridge import Bridge

T = TypeVar("T")
PARTITION = TopicPartition("events", 0)
"""What two records of 8 bytes in all are counted as until the core has counted them."""


class Inputs:
    """A group that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failures: list[BaseException] = []
        self.answers_revoke = True

    def assign(self, assignments: Sequence[Assignment]) -> Sequence[Start]:
        self.told.append("assign")
        return [Start(each.partition, 0, 1) for each in assignments]

    def revoke(
        self, partitions: Sequence[TopicPartition], released: Callable[[Sequence[CommitOffset]], None]
    ) -> None:
        self.told.append("revoke")
        if self.answers_revoke:
            released([CommitOffset("events", 0, 7, "", 1)])

    def lose(self, partitions: Sequence[TopicPartition]) -> None:
        raise ValueError("a bug")

    def restart(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]:
        return []

    def receive(self, records: Sequence[Record]) -> None:
        if not records:
            raise ValueError("a bug")
        self.told.append(f"receive {len(records)}")

    def polled(self) -> None: ...
    def positioned(self, positions: Mapping[TopicPartition, int]) -> None: ...
    def commit_done(self, commit_id: int, failures: Sequence[CommitFailure]) -> None: ...
    def log_ends(self, ends: Mapping[TopicPartition, int]) -> None: ...
    def consumer_note(self, level: str, message: str) -> None:
        self.told.append(f"{level}: {message}")

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)


def message(value: bytes) -> Message:
    return Message(topic="events", partition=0, offset=0, value=value)


def on_poll_thread(call: Callable[[Bridge], T], inputs: Inputs, revoke_seconds_max: float = 5.0) -> T:
    """What a call returns that the poll thread makes while the loop turns."""

    async def run() -> T:
        bridge = Bridge(asyncio.get_running_loop(), inputs, revoke_seconds_max)
        result = await asyncio.to_thread(call, bridge)
        await asyncio.sleep(0)
        return result

    return asyncio.run(run())


def test_assignment_is_answered_by_the_loop() -> None:
    assignment = Assignment(PARTITION, None, "", None, 0, 0)
    assert on_poll_thread(lambda bridge: bridge.assigned([assignment]), Inputs()) == [Start(PARTITION, 0, 1)]


def test_revoke_returns_what_is_to_be_committed() -> None:
    offsets = on_poll_thread(lambda bridge: bridge.revoked([PARTITION]), Inputs())
    assert [offset.offset for offset in offsets] == [7]


def test_revoke_that_is_never_answered_ends_and_commits_nothing() -> None:
    inputs = Inputs()
    inputs.answers_revoke = False
    assert on_poll_thread(lambda bridge: bridge.revoked([PARTITION]), inputs, 0.05) == ()
    assert any("not answered in time" in told for told in inputs.told)


def test_nothing_is_taken_while_records_are_on_their_way_to_the_core() -> None:
    def poll(bridge: Bridge) -> list[Credit]:
        bridge.publish_credit(Credit(10, 100_000), 0)
        credits = [bridge.credit()]
        bridge.received([message(b"12345"), message(b"123")])
        credits.append(bridge.credit())
        bridge.publish_credit(Credit(9, 99_000), 0)  # published before they were taken
        credits.append(bridge.credit())
        bridge.publish_credit(Credit(8, 97_000), 1)
        return [*credits, bridge.credit()]

    none = Credit(0, 0)
    assert on_poll_thread(poll, Inputs()) == [Credit(10, 100_000), none, none, Credit(8, 97_000)]


def test_credit_that_returns_is_told_once() -> None:
    def publish(bridge: Bridge) -> list[bool]:
        return [bridge.publish_credit(Credit(records, 1), 0) for records in (0, 5, 4, 0, 3)]

    assert on_poll_thread(publish, Inputs()) == [False, True, False, False, True]


def test_credit_is_told_again_once_records_have_reached_the_core() -> None:
    def publish(bridge: Bridge) -> list[bool]:
        told = [bridge.publish_credit(Credit(5, 1), 0)]
        bridge.received([message(b"12345")])
        return [*told, bridge.publish_credit(Credit(4, 1), 0), bridge.publish_credit(Credit(4, 1), 1)]

    assert on_poll_thread(publish, Inputs()) == [True, False, True]


def test_bug_on_the_loop_is_told_and_does_not_hang_the_poll_thread() -> None:
    inputs = Inputs()
    on_poll_thread(lambda bridge: bridge.lost([PARTITION]), inputs)
    assert [str(error) for error in inputs.failures] == ["a bug"]


def test_bug_in_what_nobody_waits_for_is_told_too() -> None:
    inputs = Inputs()
    on_poll_thread(lambda bridge: bridge.received([]), inputs)
    assert [str(error) for error in inputs.failures] == ["a bug"]
