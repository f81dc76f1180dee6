"""What the threads of this package tell the rest of the connector."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from confluent_kafka import Message

from connector.core.effects import CommitOffset, Start, TopicPartition
from connector.core.inputs import Assignment, CommitFailure, Credit


class ConsumerListener(Protocol):
    """Told by the poll thread, on the poll thread. Nothing here may raise: an exception is taken for a bug, and
    the thread leaves the group without committing."""

    def assigned(self, assignments: Sequence[Assignment]) -> Sequence[Start]:
        """The group gave these partitions to this member: where does each begin? Blocks until it is known."""
        ...

    def revoked(self, partitions: Sequence[TopicPartition]) -> Sequence[CommitOffset]:
        """The group takes these partitions away: blocks, within the revoke's deadline, until what is in flight
        has ended. What is returned is committed before they are given up."""
        ...

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions are another member's already. Nothing is awaited or committed, but it returns only
        once the core knows: a pause or resume sent after that is taken to mean the next assignment."""
        ...

    def restarted(self, partitions: Sequence[TopicPartition]) -> Sequence[Start]:
        """Records of these partitions may have been dropped on the way: where does reading go on? Each gets a new
        epoch. Pauses stay as they are."""
        ...

    def received(self, records: list[Message]) -> None:
        """Records, in order within each partition. Returns at once."""
        ...

    def credit(self) -> Credit:
        """How much more may be taken now; what `received` was given and the core has not seen yet is subtracted
        already. Returns at once."""
        ...

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        """Where the client is, beyond all that `received` was given: what lies between was no record, but the marker
        of a transaction, say."""
        ...

    def committed(self, commit_id: int, failures: Sequence[CommitFailure]) -> None:
        """A commit is done. Offsets of another epoch than the present one were left out of it."""
        ...

    def ends(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The ends of the logs, asked of the brokers."""
        ...

    def polled(self) -> None:
        """The thread is alive, whether records came or not."""
        ...

    def note(self, level: str, message: str) -> None:
        """Something for the log: `info`, `warning` or `error`. A condition that lasts is noted once."""
        ...

    def failed(self, error: Exception) -> None:
        """The thread cannot go on: a ConnectorError that a person can mend, or a bug. It ends after this."""
        ...
