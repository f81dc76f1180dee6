"""What the pipeline tells telemetry. One `Telemetry` a consumer group; all calls come from the event loop."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from connector.core.answers import Answer
from connector.core.effects import (
    Commit,
    Dropped,
    Ended,
    Noted,
    PartitionStopped,
    RegionChanged,
    Send,
    TopicPartition,
    Trace,
)
from connector.core.inputs import CommitFailure, Snapshot
from connector.events.record import Record


class Telemetry(Protocol):
    """No call raises, blocks or does I/O. What is per event costs nothing where nothing is exported."""

    def traces_for(self, records: Sequence[Record]) -> Mapping[int, Trace] | None:
        """Begins the process spans of one poll's records that are followed: index in `records` -> the token that the
        core carries. None where none is. Each token ends in exactly one `ended` or `dropped`."""

    def request_started(self, send: Send) -> object:
        """An attempt begins. The token goes back into `request_finished`."""

    def request_finished(self, token: object, send: Send, answer: Answer, seconds: float) -> None:
        """The attempt has its answer, `seconds` after it began."""

    def ended(self, ended: Ended) -> None:
        """A followed record has its ending."""

    def dropped(self, dropped: Dropped) -> None:
        """A followed record was dropped; whoever owns its partition next reads it again."""

    def committed(self, commit: Commit, failures: Sequence[CommitFailure], seconds: float) -> None:
        """A commit is done, `seconds` after it was issued; `failures` are the partitions that the broker refused."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """The group has given these to this member: writes it to the log."""

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """The group has taken these away: writes it to the log."""

    def looked(self, snapshot: Snapshot, last: bool = False) -> None:
        """How the group is doing, every second or so, and at its end: sums up in the log what happens often."""

    def noted(self, noted: Noted) -> None:
        """Writes it to the log."""

    def region_changed(self, changed: RegionChanged) -> None:
        """Writes it to the log."""

    def partition_stopped(self, stopped: PartitionStopped) -> None:
        """Writes it to the log."""
