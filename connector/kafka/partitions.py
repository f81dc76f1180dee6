"""The partitions that the client reads, and what it is told about them. Used by the poll thread alone."""

from collections.abc import Callable, Collection, Iterable, Sequence

import confluent_kafka
from confluent_kafka import Consumer

from connector.core.effects import Start, TopicPartition

Restarted = Callable[[Sequence[TopicPartition]], Sequence[Start]]


class Partitions:
    """Which partitions have begun, in which epoch, and which of them are paused.

    `incremental`: the group moves single partitions; otherwise the client only knows whole assignments, and whatever
    changes one outside of a rebalance restarts the others, which `restarted` gives the places of.
    """

    def __init__(self, client: Consumer, incremental: bool, restarted: Restarted) -> None:
        self._client = client
        self._incremental = incremental
        self._restarted = restarted
        self.epochs: dict[TopicPartition, int] = {}
        """Partitions that the core knows, and the epoch of each."""
        self._reading: set[TopicPartition] = set()
        """Those that the client reads."""
        self._paused: set[TopicPartition] = set()
        self._fresh: set[TopicPartition] = set()
        """Those whose position in the client is of this beginning, and of no earlier one."""
        self._told_to_pause: set[TopicPartition] = set()

    def begin(self, starts: Sequence[Start]) -> set[TopicPartition]:
        """Reads these from their offsets; returns all that begin anew. They must not be read already."""
        if not self._incremental:
            begun = {start.partition for start in starts}
            others = [partition for partition in self.epochs if partition not in begun]
            starts = [*starts, *(self._restarted(others) if others else ())]
        places = [
            confluent_kafka.TopicPartition(start.partition.topic, start.partition.partition, start.offset)
            for start in starts
        ]
        if self._incremental:
            self._client.incremental_assign(places)
        else:
            self._client.assign(places)
        for start in starts:
            self.epochs[start.partition] = start.epoch
        new = {start.partition for start in starts}
        self._reading |= new
        # A pause outlives revoke and assign, within the client.
        self._client.resume(_named(new))
        self._paused -= new
        self._fresh -= new
        self._fresh |= {p for p, offset in self._positions_of(new).items() if offset < 0}
        return new

    def positions(self, but: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset that the client hands out next, where it is certain. `but`: not of these."""
        positions = self._positions_of((self._reading & self._fresh) - set(but))
        return {partition: offset for partition, offset in positions.items() if offset >= 0}

    def detach(self, partitions: Collection[TopicPartition]) -> None:
        """Stops reading these; the core still knows them, and `begin` takes them up again.

        Outside of a rebalance's callback, only when nothing waits to be polled: with a revoke in the queue the
        group would take this for its answer.
        """
        gone = self._reading & set(partitions)
        if self._incremental and gone:
            self._client.incremental_unassign(_named(gone))
        self._reading -= gone
        self._paused -= gone

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """The core does not know these any more, and what it said of them holds no longer."""
        for partition in partitions:
            self.epochs.pop(partition, None)
        self._told_to_pause -= set(partitions)

    def give_up(self, partitions: Collection[TopicPartition]) -> None:
        """Answers a revoke, or a loss: from its callback only."""
        self.forget(partitions)
        if self._incremental:
            # Called even if nothing is read: without any call, confluent_kafka gives up what it was asked to.
            self._client.incremental_unassign(_named(self._reading & set(partitions)))
        else:
            self._client.unassign()
        self._reading -= set(partitions)
        self._paused -= set(partitions)

    def tell_pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._told_to_pause |= set(partitions) & self.epochs.keys()

    def tell_resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._told_to_pause -= set(partitions)

    def apply_pauses(self, all_of_them: bool, only: Collection[TopicPartition] | None = None) -> None:
        """Makes the client pause what it should, and nothing else. `only`: looks at these alone."""
        considered = self._reading if only is None else self._reading & set(only)
        wanted = considered if all_of_them else considered & self._told_to_pause
        if pause := wanted - self._paused:
            self._client.pause(_named(pause))
        if resume := (considered & self._paused) - wanted:
            self._client.resume(_named(resume))
        self._paused = (self._paused - considered) | wanted

    def _positions_of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        answers = self._client.position(_named(partitions))
        return {TopicPartition(p.topic, p.partition): p.offset for p in answers}


def _named(partitions: Iterable[TopicPartition]) -> list[confluent_kafka.TopicPartition]:
    return [confluent_kafka.TopicPartition(*partition) for partition in sorted(partitions)]
