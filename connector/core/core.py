"""The core: a state machine without I/O, clock, threads or randomness of its own.

Records, answers, assignments and the time go in; requests, dead letters, pauses and commits come out of `advance`,
which is also what must be called by `wake_at`. One thread owns it.

    records -> Intake -> Region (lanes, flights, circuit) -> Send ... answer -> Endings -> Ledger -> Commit
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from connector.core.admission import Admission, Decode
from connector.core.answers import Answer
from connector.core.buffer import Buffer
from connector.core.commits import Commits
from connector.core.dedup import Memory
from connector.core.effects import Drained, Effect, Noted, Released, Start, TopicPartition, Trace
from connector.core.endings import Endings
from connector.core.inputs import Assignment, CommitFailure, Credit, PartitionSnapshot, Snapshot
from connector.core.intake import Intake
from connector.core.ledger import Ledger
from connector.core.options import CoreOptions
from connector.core.partitions import Partitions
from connector.core.region import Region
from connector.core.routing import Route, Router
from connector.events.record import Record


class Core:
    """One consumer group's share of the work, in one process."""

    def __init__(
        self,
        options: CoreOptions,
        decode: Decode,
        route: Route | None,
        random: Callable[[], float],
        now: float,
    ) -> None:
        self._options = options
        self._effects: list[Effect] = []
        emit = self._effects.append
        router = Router(options.routing, options.regions, route)
        self._buffer = Buffer(options.buffer)
        self._memories = {name: Memory(options.dedup, options.lanes.key) for name in options.serves}
        share = None if options.accept_dead_letters else options.dead_letter_share
        self._endings = Endings(self._memories, self._buffer, share, emit)
        request_ids = count(1).__next__
        self._regions = {
            name: Region(name, options, self._endings, emit, request_ids, random, now)
            for name in options.serves
        }
        self._commits = Commits(options.ledger, options.dedup.events.warm_up_records, router.digest, now)
        self._partitions = Partitions(
            options, self._commits, self._endings, self._memories, self._regions, emit
        )
        self._admission = Admission(
            options, decode, self._memories, self._endings, self._buffer, self._regions, emit
        )
        self._intake = Intake(
            options, router, self._admission, self._memories, self._buffer, self._regions, emit
        )
        self._polled_at = now
        self._standing_still = False
        """Polling has not been seen for so long that the partitions may be another member's: nothing is sent."""
        self._drain_deadline: float | None = None
        self._closed = False

    # ---- inputs ----

    def assign(self, assignments: Sequence[Assignment], now: float) -> list[Start]:
        """The group has given these partitions to this member. Where to begin reading each."""
        if assignments:
            self._admission.cluster_id = assignments[0].cluster_id
        return self._partitions.assign(assignments, now)

    def revoke(self, partitions: Sequence[TopicPartition], now: float, deadline_seconds: float) -> None:
        """The group wants these back. `Released` comes once what is in flight is answered, at the deadline at last."""
        if self._closed:
            self._effects.append(Released(tuple(partitions), ()))
            return
        self._partitions.revoke(partitions, now, deadline_seconds)
        if self._drain_deadline is not None:
            self._partitions.hurry(self._drain_deadline)

    def lose(self, partitions: Sequence[TopicPartition], now: float) -> None:
        """These are another member's already."""
        self._partitions.lose(partitions, now)

    def restart(self, partitions: Sequence[TopicPartition], now: float) -> list[Start]:
        """The client may have lost messages of these: where to read on, in a new epoch."""
        return self._partitions.restart(partitions, now)

    def receive(
        self, records: Sequence[Record], now: float, traces: Mapping[int, Trace] | None = None
    ) -> None:
        """A poll's records, in order. `traces`: place in this poll -> token that follows the record to its ending."""
        self._polled_at = now
        if self._drain_deadline is None:
            self._intake.receive(records, self._partitions.ledgers, now, traces)
        else:
            self._intake.ignore((traces or {}).values())

    def polled(self, now: float) -> None:
        """The poll thread is alive."""
        self._polled_at = now

    def positioned(self, positions: Mapping[TopicPartition, int]) -> None:
        """The client's positions, read after all that it brought was received."""
        if self._drain_deadline is None:
            self._partitions.positioned(positions)

    def answer(self, request_id: int, answer: Answer, now: float) -> None:
        """What became of a request."""
        for region in self._regions.values():
            region.answer(request_id, answer, now)

    def dead_letter_written(self, letter_id: int, error: str | None, now: float) -> None:
        """Kafka has acknowledged a dead letter; or (with an error) not yet, and the producer goes on trying."""
        if error is None:
            self._endings.dead_letter_written(letter_id, now)
        else:
            self._effects.append(Noted("error", f"a dead letter is not written yet: {error}"))

    def commit_done(self, commit_id: int, failures: Sequence[CommitFailure], now: float) -> None:
        """A commit has its answer."""
        for note in self._commits.done(commit_id, failures):
            self._effects.append(Noted("warning", note))

    def drain(self, now: float, deadline_seconds: float) -> None:
        """Take nothing more and send what is held. `Drained` comes at the end."""
        if self._drain_deadline is None:
            self._drain_deadline = now + deadline_seconds
            self._partitions.hurry(self._drain_deadline)

    # ---- outputs ----

    def advance(self, now: float) -> list[Effect]:
        """What is to be done now. The list is the caller's."""
        if self._closed:
            return self._taken_effects()
        if self._endings.overrun:
            self._partitions.stop_overrun(now)
        self._partitions.watch_spans(now)
        self._partitions.settle_revokes(now)
        self._standing_still = now - self._polled_at > self._options.session_timeout_seconds
        if not self._standing_still:
            for region in self._regions.values():
                region.pump(now, self._drain_deadline is not None)
        self._finish_drain(now)
        if not self._closed:
            commit = self._commits.next_commit(self._partitions.ledgers.values(), now)
            if commit is not None:
                self._effects.append(commit)
        return self._taken_effects()

    def _taken_effects(self) -> list[Effect]:
        effects = self._effects[:]
        self._effects.clear()
        return effects

    def _finish_drain(self, now: float) -> None:
        if self._drain_deadline is None or self._partitions.wake_at() is not None:
            return
        clean = self._buffer.records == 0
        if not clean and now < self._drain_deadline:
            return
        ledgers = list(self._partitions.ledgers.values())
        offsets = self._commits.last_offsets(ledgers, now)
        self._partitions.let_go(now)
        self._endings.let_go_letters()
        assert self._buffer.records == 0, "nothing is held any more"
        self._effects.append(Drained(offsets, clean))
        self._closed = True

    def wake_at(self) -> float | None:
        """Call `advance` no later than this, even if nothing comes in. None: no need."""
        if self._closed:
            return None
        revoked_at = self._partitions.wake_at()
        times = [revoked_at]
        if not self._standing_still:
            times += [region.wake_at for region in self._regions.values()]
        if revoked_at is None:
            times.append(self._drain_deadline)
        if self._partitions.ledgers:
            times.append(self._commits.wake_at)
        return min((at for at in times if at is not None), default=None)

    # ---- what can be asked ----

    def credit(self) -> Credit:
        """How much more is taken now. Once full, nothing until the buffer is down to half."""
        return self._buffer.credit()

    def snapshot(self, now: float) -> Snapshot:
        """The state at this moment, for metrics, health and humans."""
        failing: set[Ledger] = set()
        for region in self._regions.values():
            failing |= region.failing_ledgers()
        for ledger in self._partitions.ledgers.values():
            ledger.advance(now)
        return Snapshot(
            partitions=tuple(
                [self._partition(ledger, failing) for ledger in self._partitions.ledgers.values()]
            ),
            regions=tuple([region.snapshot() for region in self._regions.values()]),
            buffered_records=self._buffer.records,
            buffered_bytes=self._buffer.bytes,
            window_entries=sum([len(memory.window) for memory in self._memories.values()]),
            endings=dict(self._endings.counts),
            dead_letters=dict(self._endings.dead_letters),
            conflicts=self._admission.conflicts,
            records_missed=self._partitions.records_missed,
            dead_letters_pending=self._endings.letters_pending,
        )

    def _partition(self, ledger: Ledger, failing: set[Ledger]) -> PartitionSnapshot:
        return PartitionSnapshot(
            partition=ledger.partition,
            epoch=ledger.epoch,
            watermark=ledger.watermark,
            next_offset=ledger.next_offset,
            outstanding=ledger.outstanding,
            oldest_timestamp_ms=ledger.oldest_timestamp_ms,
            progress_at=ledger.progress_at,
            waiting=self._waiting(ledger, failing),
        )

    def _waiting(self, ledger: Ledger, failing: set[Ledger]) -> str:
        """Why a partition makes no progress, should it make none."""
        if ledger.stopped:
            return ledger.paused
        if not ledger.span:
            return "buffer_full" if self._buffer.full else "nothing_to_read"
        if ledger.paused:
            return ledger.paused
        for region in self._regions.values():
            if region.reason_waiting:
                return region.reason_waiting
        if ledger in failing:
            return "retrying"
        return "dead_letters_pending" if self._endings.pending_of((ledger,)) else "delivering"
