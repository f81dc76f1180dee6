"""What the group gives this member and takes away, from the client's callback to the core and back."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence

from connector.core.effects import CommitOffset, Start, TopicPartition
from connector.kafka.conditions import Conditions, Key
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.listener import ConsumerListener
from connector.kafka.lookup import Facts, Inquiry, Lookup
from connector.kafka.partitions import Partitions

AGAIN_SECONDS = 1.0
"""A partition that cannot be read is tried again after this."""


class Membership:
    """Used by the poll thread alone. `serve_commands` carries out what other threads asked for meanwhile."""

    def __init__(
        self,
        options: ConsumerOptions,
        partitions: Partitions,
        commit_now: Callable[[Sequence[CommitOffset]], None],
        lookup: Lookup,
        listener: ConsumerListener,
        conditions: Conditions,
        serve_commands: Callable[[], None],
    ) -> None:
        self._options = options
        self._partitions = partitions
        self._commit_now = commit_now
        self._lookup = lookup
        self._listener = listener
        self._conditions = conditions
        self._serve_commands = serve_commands
        self.joined = False
        self.leaving = False
        """Nothing is asked of the listener any more."""
        self.held = False
        """Everything is paused just now."""
        self.rebalances = 0
        """Grows with every callback."""
        self.begun_lately: set[TopicPartition] = set()
        self._unknown: dict[TopicPartition, float] = {}
        """Partitions of ours that the core does not know, for too little is known of them; when to ask again."""
        self._broken: dict[TopicPartition, float] = {}
        """Partitions whose records may have been dropped on the way; when to go on."""
        self._detaching: set[TopicPartition] = set()
        """Those of them that the client must stop reading first."""
        self._asked: tuple[int, Inquiry] | None = None

    @property
    def waiting(self) -> set[TopicPartition]:
        """Partitions of ours that are not read just now, and none of whose records may be handed over."""
        return {*self._unknown, *self._broken}

    @property
    def wants_quiet(self) -> bool:
        """Nothing must be taken until `detach` could be called."""
        return bool(self._detaching)

    def owns(self, partition: TopicPartition) -> bool:
        """Whether the core knows it."""
        return partition in self._partitions.epochs

    def current(self, offsets: Iterable[CommitOffset]) -> list[CommitOffset]:
        """Those whose partition is still in the same epoch."""
        epochs = self._partitions.epochs
        return [o for o in offsets if epochs.get(TopicPartition(o.topic, o.partition)) == o.epoch]

    # Called from within the client's callbacks

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.joined = True
        self._conditions.clear((Key.GROUP, *{Key.topic(p.topic) for p in partitions}))
        self._unknown.update(dict.fromkeys(partitions, 0.0))
        self._learnt(self._lookup.facts(self._lookup.begin(partitions, self._options.assignment_seconds)))

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._drop(partitions)
        if not self.leaving:
            known = list(filter(self.owns, partitions))
            offsets = self._listener.revoked(known) if known else ()
            # What the core said of them before it knew. Afterwards it means their next assignment.
            self._serve_commands()
            self._commit_now(offsets)
        self._partitions.give_up(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._drop(partitions)
        if not self.leaving:
            self._lose(partitions)
        self._partitions.give_up(partitions)

    # Called between polls

    def mend(self, now: float) -> None:
        """Goes on with partitions that could not be read, where it is time. `now`: monotonic seconds."""
        broken = [p for p, due in self._broken.items() if due <= now and p not in self._detaching]
        if broken:
            self._begin(broken, self._listener.restarted(broken))
        if self._asked is None:
            unknown = [p for p, due in self._unknown.items() if due <= now and p not in self._detaching]
            if unknown:
                self._asked = (
                    self.rebalances,
                    self._lookup.begin(unknown, self._options.assignment_seconds),
                )
        elif self._asked[1].answered:
            rebalances, inquiry = self._asked
            self._asked = None
            if rebalances == self.rebalances:
                self._learnt(self._lookup.facts(inquiry))

    def out_of_range(self, partition: TopicPartition) -> None:
        """Its log does not hold the position: it is assigned anew, with the log's present bounds."""
        self._lose([partition])
        self._unknown[partition] = 0.0
        self._detaching.add(partition)

    def broken(self, partitions: Collection[TopicPartition]) -> None:
        """Records of these may have been dropped on the way: they are read again from where the core is."""
        due = time.monotonic() + AGAIN_SECONDS
        self._broken.update({p: due for p in partitions if self.owns(p)})
        self._detaching.update(filter(self.owns, partitions))

    def detach(self) -> None:
        """Stops reading what is to begin anew. Only when nothing waits to be polled; see `Partitions.detach`."""
        self._partitions.detach(self._detaching)
        self._detaching.clear()

    def lose_all(self) -> None:
        """Everything is gone with the client."""
        self._lose(tuple(self._partitions.epochs))

    def _learnt(self, facts: Facts) -> None:
        """Begins with the partitions of which enough is known now."""
        again = time.monotonic() + AGAIN_SECONDS
        for partition, reason in facts.missing.items():
            if partition in self._unknown:
                self._unknown[partition] = again
                what = f"{partition.shown} is assigned, but nothing can be learnt of it: {reason}"
                self._conditions.report(Key.partition(partition), what)
        known = [a for a in facts.assignments if a.partition in self._unknown]
        for assignment in known:
            del self._unknown[assignment.partition]
        if known:
            self._conditions.clear((*Key.CONNECTION, *(Key.partition(a.partition) for a in known)))
        self._begin([a.partition for a in known], self._listener.assigned(known) if known else ())

    def _begin(self, partitions: Sequence[TopicPartition], starts: Sequence[Start]) -> None:
        if {start.partition for start in starts} != set(partitions):
            raise RuntimeError(
                f"the core has not said where to begin with {', '.join(partition.shown for partition in partitions)}"
            )
        begun = self._partitions.begin(starts)
        for partition in begun:
            self._broken.pop(partition, None)
        self._detaching -= begun
        self.begun_lately |= begun
        self._serve_commands()
        # Not of the others: a pause would move those whose records the client is just handing out.
        self._partitions.apply_pauses(self.held, only=begun)

    def _lose(self, partitions: Sequence[TopicPartition]) -> None:
        known = list(filter(self.owns, partitions))
        self._partitions.forget(known)
        if known:
            self._listener.lost(known)
            self._serve_commands()

    def _drop(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._unknown.pop(partition, None)
            self._broken.pop(partition, None)
        self._detaching.difference_update(partitions)
        self._conditions.forget(map(Key.partition, partitions))
