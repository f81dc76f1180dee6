"""The partitions that are ours: how each begins at assignment, and how it is given back."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from connector.core.commit_metadata import CommitMetadata, decode
from connector.core.commits import Commits
from connector.core.dedup import Memory
from connector.core.effects import (
    Effect,
    Noted,
    PartitionStopped,
    Pause,
    Released,
    Resume,
    Start,
    TopicPartition,
)
from connector.core.endings import Endings
from connector.core.inputs import Assignment
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.region import Region


class _Revoke(NamedTuple):
    partitions: tuple[TopicPartition, ...]
    ledgers: frozenset[Ledger]
    deadline: float


class Partitions:
    """Ledgers by partition, and revokes under way."""

    def __init__(
        self,
        options: CoreOptions,
        commits: Commits,
        endings: Endings,
        memories: Mapping[str, Memory],
        regions: Mapping[str, Region],
        emit: Callable[[Effect], None],
    ) -> None:
        self._options = options
        self._commits = commits
        self._endings = endings
        self._memories = memories
        self._regions = regions
        self._emit = emit
        self._epoch = 0
        self._revokes: list[_Revoke] = []
        self.ledgers: dict[TopicPartition, Ledger] = {}
        self.records_missed = 0

    # ---- assignment ----

    def assign(self, assignments: Sequence[Assignment], now: float) -> list[Start]:
        """New partitions, each in a new epoch. Where to begin reading."""
        self.lose([one.partition for one in assignments if one.partition in self.ledgers], now)
        starts = [self._begin(assignment, now) for assignment in assignments]
        self._commits.due_at = now
        return starts

    def _begin(self, assignment: Assignment, now: float) -> Start:
        self._commits.cluster_id = assignment.cluster_id
        identity = self._commits.identity(assignment.topic_id, assignment.leader_epoch)
        position = self._position(assignment)
        ledger = Ledger(assignment.partition, self._next_epoch(), position, now)
        ledger.topic_id, ledger.leader_epoch = assignment.topic_id, assignment.leader_epoch
        ledger.committed = position if position == assignment.committed else None
        ledger.committed_metadata = assignment.metadata if ledger.committed is not None else ""
        self.ledgers[assignment.partition] = ledger
        known = decode(assignment.metadata, identity, position)
        if known is None:
            # Somebody else put the offset here: who knows whether what lies before it was ever sent.
            ledger.warm_up_floor = position
        else:
            self._take_over(ledger, known, assignment.low)
        return Start(assignment.partition, min(ledger.warm_up_from, position), ledger.epoch)

    def _position(self, assignment: Assignment) -> int:
        """The first offset without an ending, as far as Kafka knows."""
        committed, low, high = assignment.committed, assignment.low, assignment.high
        reset = low if self._options.auto_offset_reset == "earliest" else high
        if committed is None:
            return reset
        name = assignment.partition.shown
        if committed < low:
            self.records_missed += low - committed
            self._note(
                "error",
                f"{name}: {low - committed} records from offset {committed} on were deleted by retention before they "
                f"were read; reading on from {low}. Raise the topic's retention or find out why delivery was down",
            )
            return low
        if committed > high:
            self._note(
                "warning",
                f"{name}: the committed offset {committed} lies beyond the end of the log, {high}: the topic was "
                f"recreated or truncated; reading from {reset}",
            )
            return reset
        return committed

    def _take_over(self, ledger: Ledger, known: CommitMetadata, low: int) -> None:
        """Go on where an earlier owner stopped: skip what it finished, warm the window, keep a stop."""
        ledger.finished = deque(known.runs)
        ledger.dead_offsets = array("q", sorted(known.dead))
        ledger.warm_up_passes = known.dead
        ledger.warm_up_floor = known.warm_up_floor
        window = self._options.dedup.events
        if window.max_entries:
            ledger.warm_up_from = max(low, ledger.position - window.warm_up_records, known.warm_up_floor)
        if known.stopped and not self._options.accept_dead_letters:
            self._stop_ledger(ledger, "an earlier run stopped it for its share of dead letters")

    def restart(self, partitions: Iterable[TopicPartition], now: float) -> list[Start]:
        """The client may have lost messages: read on where each ledger ends, in a new epoch."""
        starts = []
        for partition in partitions:
            ledger = self.ledgers.get(partition)
            if ledger is not None:
                ledger.epoch = self._next_epoch()
                starts.append(Start(partition, ledger.next_offset, ledger.epoch))
        return starts

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        """The client has read up to here: what lay between was no record (a transaction marker, a compacted one)."""
        for partition, position in positions.items():
            ledger = self.ledgers.get(partition)
            if ledger is not None and ledger.takes and position > ledger.next_offset:
                ledger.next_offset = position

    # ---- the end of an assignment ----

    def revoke(self, partitions: Sequence[TopicPartition], now: float, deadline_seconds: float) -> None:
        """Drop what is unsent; what is in flight is awaited until the deadline. `settle_revokes` ends it."""
        ledgers = frozenset(self.ledgers[one] for one in partitions if one in self.ledgers)
        self._withdraw(ledgers, now)
        self._revokes.append(_Revoke(tuple(partitions), ledgers, now + deadline_seconds))

    def hurry(self, deadline: float) -> None:
        """No revoke waits longer than this."""
        self._revokes = [revoke._replace(deadline=min(revoke.deadline, deadline)) for revoke in self._revokes]

    def lose(self, partitions: Iterable[TopicPartition], now: float) -> None:
        """They are another member's already: nothing is awaited, nothing committed."""
        ledgers = frozenset(self.ledgers[one] for one in partitions if one in self.ledgers)
        if ledgers:
            self._withdraw(ledgers, now)
            self._cancel(ledgers, now)
            self._forget(ledgers)

    def let_go(self, now: float) -> None:
        """The end has come for all: what has no ending is left to whoever reads it next."""
        ledgers = frozenset(self.ledgers.values())
        self._withdraw(ledgers, now)
        self._cancel(ledgers, now)

    def settle_revokes(self, now: float) -> None:
        """End the revokes that wait for nothing any more, or have waited long enough."""
        for revoke in list(self._revokes):
            if self._awaits(revoke.ledgers):
                if now < revoke.deadline:
                    continue
                self._cancel(revoke.ledgers, now)
            offsets = self._commits.last_offsets((one for one in revoke.ledgers if one.live), now)
            self._forget(revoke.ledgers)
            self._revokes.remove(revoke)
            self._emit(Released(revoke.partitions, offsets))

    def _awaits(self, ledgers: frozenset[Ledger]) -> bool:
        if any(region.has_in_flight(ledgers) for region in self._regions.values()):
            return True
        return self._endings.pending_of(ledgers)

    def _withdraw(self, ledgers: frozenset[Ledger], now: float) -> None:
        for ledger in ledgers:
            ledger.takes = False
        self._endings.drop_waiters()
        for region in self._regions.values():
            region.withdraw(now)

    def _cancel(self, ledgers: frozenset[Ledger], now: float) -> None:
        for region in self._regions.values():
            region.cancel(ledgers, now)

    def _forget(self, ledgers: frozenset[Ledger]) -> None:
        for memory in self._memories.values():
            memory.identifies.clear()
        for ledger in ledgers:
            ledger.live = False
            if self.ledgers.get(ledger.partition) is ledger:
                del self.ledgers[ledger.partition]

    # ---- pauses ----

    def stop_overrun(self, now: float) -> None:
        """Stop partitions whose share of dead letters says that the input as a whole is bad."""
        overrun, self._endings.overrun = self._endings.overrun, []
        for ledger in overrun:
            if ledger.live and not ledger.stopped:
                self._withdraw(frozenset((ledger,)), now)
                self._stop_ledger(
                    ledger, f"{len(ledger.dead_indexes)} of its last records became dead letters"
                )
                self._commits.due_at = now

    def _stop_ledger(self, ledger: Ledger, why: str) -> None:
        ledger.stopped, ledger.takes = True, False
        ledger.paused = "stopped_dead_letters"
        self._emit(Pause((ledger.partition,), ledger.paused))
        detail = (
            f"{why}; look with `dlq list`, then mend the input, or go on with `run --accept-dead-letters`"
        )
        self._emit(PartitionStopped(ledger.partition, ledger.watermark, detail))

    def watch_spans(self, now: float) -> None:
        """Pause what has read too far beyond its watermark, resume it at half."""
        span_max = self._options.ledger.max_span
        for ledger in self.ledgers.values():
            if not ledger.paused and ledger.span >= span_max:
                ledger.advance(now)
                if ledger.span >= span_max:
                    ledger.paused = "span_full"
                    self._emit(Pause((ledger.partition,), ledger.paused))
            elif ledger.paused == "span_full":
                ledger.advance(now)
                if ledger.span * 2 <= span_max:
                    ledger.paused = ""
                    self._emit(Resume((ledger.partition,)))

    # ---- times ----

    def wake_at(self) -> float | None:
        """When the next revoke's deadline passes."""
        return min((revoke.deadline for revoke in self._revokes), default=None)

    def _next_epoch(self) -> int:
        self._epoch += 1
        return self._epoch

    def _note(self, level: str, message: str) -> None:
        self._emit(Noted(level, message))
