"""One process of a consumer group: the shells around a core, reduced to what they mean for it."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

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
from connector.core.inputs import Assignment, CommitFailure
from connector.core.options import CoreOptions
from tests.simulation.checks.endings import Trace
from tests.simulation.checks.requests import RequestChecks
from tests.simulation.kafka import Committed, Log
from tests.simulation.truth import CLUSTER_ID, Fact, Published
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.group import Group
    from tests.simulation.world import World

_POLL_SECONDS = 1.0
"""A poll without records returns after this."""
_SPINS_MAX = 200
"""Wake-ups at one moment of virtual time: more is a busy loop."""
_LATE_SECONDS = 0.001


class _Request:
    """One request on its way."""

    __slots__ = ("answered", "cancelled", "facts", "send")

    def __init__(self, send: Send, facts: tuple[Fact, ...]) -> None:
        self.send = send
        self.facts = facts
        self.answered = False
        self.cancelled = False


class Member:
    """Polls, hands records to its core, and carries out what the core wants."""

    def __init__(
        self, world: "World", group: "Group", name: str, options: CoreOptions, random: Random
    ) -> None:
        self.name = name
        self.group = group.number
        self.alive = True
        self.fenced = False
        """The coordinator has given its partitions to others, and it does not know yet."""
        self.draining = False
        self.revoking: tuple[TopicPartition, ...] = ()
        self.crash_after_effects: int | None = None
        self.poll_fails = False
        self._world = world
        self._clock = world.clock
        self._group = group
        self._options = options
        self._random = random
        now = self._clock.now
        self.core: Core = world.make_core(options, random.random, now)
        self.checks = RequestChecks(options, world.truth, now)
        self._positions: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._requests: dict[int, _Request] = {}
        self._commits: list[Commit] = []
        self._commit_under_way = False
        self._drained = False
        self._traces: list[Trace] = []
        self._revoke_started = -1.0
        self._stalled_until = 0.0
        self._suspended_until = 0.0
        self._poll_at: float | None = None
        self._wake_at: float | None = None
        self._spins = (0.0, 0)
        self._dispatch = {
            Send: self._send,
            Cancel: self._cancel,
            WriteDeadLetter: self._write_dead_letter,
            Pause: self._pause,
            Resume: self._resume,
            Commit: self._commit,
            Released: self._release,
            Drained: self._close,
            Ended: self._ended,
            Dropped: self._dropped,
            RegionChanged: self._region_changed,
            PartitionStopped: self._partition_stopped,
            Noted: self._noted,
        }
        self._schedule_poll(0.0)

    @property
    def busy(self) -> bool:
        """Is the poll thread blocked, so that no partitions can be given to it?"""
        return bool(self.revoking) or self._clock.now < self._stalled_until

    def note(self, what: str) -> None:
        """Tell the history."""
        self._world.history.note(self._clock.now, self.name, what)

    # --- what the group and the faults do

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """The group gives partitions to this member."""
        world = self._world
        assignments = []
        for place in places:
            log = world.broker.logs[place]
            committed = world.broker.committed(self.group, place)
            for published in log.between(0, self._begins_at(log, committed)):
                world.truth.excuse(self.group, published)
            assignments.append(
                Assignment(
                    place,
                    committed.offset if committed else None,
                    committed.metadata if committed else "",
                    log.leader_epoch,
                    log.low,
                    log.high,
                    log.topic_id,
                    CLUSTER_ID,
                )
            )
        self.note(
            f"is assigned {[(a.partition, a.committed, a.low, a.high, a.metadata) for a in assignments]}"
        )
        starts = self.core.assign(assignments, self._clock.now)
        if {start.partition for start in starts} != set(places):
            raise Violation(f"asked to start {places}, starts {starts}")
        for assignment, start in zip(assignments, starts, strict=True):
            place = start.partition
            self._paused.discard(place)
            self.checks.assigned(place, max(start.offset, assignment.committed or 0))
            if not assignment.low <= start.offset <= assignment.high:
                raise Violation(
                    f"starts {place} at {start.offset}, log is {assignment.low}..{assignment.high}"
                )
            self._seek(start)
        self._turn()

    def _begins_at(self, log: Log, committed: Committed | None) -> int:
        """What lies before this offset need not be read, whatever became of it."""
        if committed is None or committed.offset > log.high:
            return log.high if self._options.auto_offset_reset == "latest" else 0
        rewritten = self._world.commits.rewritten
        if (self.group, log.place) in rewritten:
            # As far as anybody can tell, the committed offset speaks of this log.
            rewritten.remove((self.group, log.place))
            return committed.offset
        return 0

    def _seek(self, start: Start) -> None:
        self.note(f"starts {start.partition} at {start.offset} in epoch {start.epoch}")
        self._positions[start.partition] = start.offset
        self._epochs[start.partition] = start.epoch
        self.poke()

    def revoke(self, places: tuple[TopicPartition, ...]) -> None:
        """The group wants partitions back."""
        self.revoking = places
        self._clock.after(self._random.uniform(0, 0.02), self._begin_revoke)

    def _begin_revoke(self) -> None:
        if not self.alive:
            return
        now = self._clock.now
        if now < self._stalled_until:
            self._clock.at(self._stalled_until, self._begin_revoke)
            return
        self._poll_thread_works()
        held = tuple(place for place in self.revoking if place in self._positions)
        deadline_seconds = self._random.choice((0.05, 0.5, 5.0))
        if not held:
            self._given_back(())
            return
        self.note(f"is asked for {held} within {deadline_seconds} s")
        for place in held:
            self.checks.revoked(place)
        self.core.revoke(held, now, deadline_seconds)
        self._revoke_started = now
        limit = now + deadline_seconds + self._world.scenario.lateness_seconds + _LATE_SECONDS
        self._clock.at(limit, lambda: self._expect_released(now))
        self._turn()

    def _expect_released(self, started: float) -> None:
        if self._clock.now < self._suspended_until:
            self._clock.at(self._suspended_until + 1, lambda: self._expect_released(started))
        elif self.alive and self.revoking and self._revoke_started == started:
            raise Violation(f"{self.name} has not released {self.revoking} by the deadline")

    def _given_back(self, places: tuple[TopicPartition, ...]) -> None:
        given = self.revoking
        self.revoking = ()
        self._revoke_started = -1.0
        self._group.released(self, given)
        self.poke()

    def lose(self) -> None:
        """The coordinator has thrown this member out, and now it notices."""
        if not self.alive:
            return
        if self.busy:
            self._clock.after(0.05, self.lose)
            return
        places = tuple(self._positions)
        self.note(f"has lost {places}")
        if places:
            self._forget(places)
            self.core.lose(places, self._clock.now)
        self.fenced = False
        self._turn()
        if self.alive and not self.draining:
            self._group.join(self)

    def _forget(self, places: Sequence[TopicPartition]) -> None:
        for place in places:
            self.checks.revoked(place)
            self._positions.pop(place, None)
            self._epochs.pop(place, None)

    def drain(self) -> None:
        """SIGTERM."""
        if self.draining or not self.alive:
            return
        seconds = self._random.choice((0.1, 2.0, 30.0))
        self.note(f"is told to stop within {seconds} s")
        self.draining = True
        self.core.drain(self._clock.now, seconds)
        started = self._clock.now
        limit = started + seconds + self._world.scenario.lateness_seconds + _LATE_SECONDS
        self._clock.at(limit, self._expect_drained)
        self._turn()

    def _expect_drained(self) -> None:
        if self._clock.now < self._suspended_until:
            self._clock.at(self._suspended_until + 1, self._expect_drained)
        elif self.alive and not self._drained:
            raise Violation(f"{self.name} has not drained by the deadline")

    def crash(self) -> None:
        """kill -9."""
        if self.alive:
            self.note("crashes")
            self._world.count("crash")
            self.alive = False
            self._world.gone(self, self._random.choice((0.01, 0.5, 3.0)))

    def stall(self, seconds: float, whole: bool) -> None:
        """The poll thread, or the whole process, stands still."""
        self.note(f"stands still for {seconds:.2f} s" + (" as a whole" if whole else ""))
        until = self._clock.now + seconds
        self._stalled_until = max(self._stalled_until, until)
        if whole:
            self._suspended_until = max(self._suspended_until, until)

    # --- the poll thread

    def poke(self) -> None:
        """There may be something to do for the poll thread."""
        self._schedule_poll(self._random.choice((0.0001, 0.002, 0.01)))

    def _schedule_poll(self, seconds: float) -> None:
        at = self._clock.now + seconds
        if self.alive and (self._poll_at is None or at < self._poll_at):
            self._poll_at = at
            self._clock.at(at, lambda: self._poll(at))

    def _poll(self, at: float) -> None:
        if not self.alive or self._poll_at != at:
            return
        self._poll_at = None
        now = self._clock.now
        if now < self._stalled_until:
            self._schedule_poll(self._stalled_until - now)
            return
        self.core.polled(now)
        self.checks.polled_at = now
        more = False
        if not self.revoking:
            self._poll_thread_works()
            if not self.draining:
                more = self._take()
        self._turn()
        self._schedule_poll(self._random.choice((0.0005, 0.005)) if more else _POLL_SECONDS)

    def _poll_thread_works(self) -> None:
        commits, self._commits = self._commits, []
        for commit in commits:
            self._issue(commit)

    def _take(self) -> bool:
        """Take what the core has credit for. True: there is more."""
        credit = self.core.credit()
        if credit.records < 0 or credit.bytes < 0:
            raise Violation(f"{credit}")
        logs = self._world.broker.logs
        if not credit.records or not credit.bytes:
            return False
        for place, position in list(self._positions.items()):
            if position < logs[place].low:
                self._overtaken(place)
                return True
        taken = self._read(min(credit.records, self._world.scenario.poll_records), credit.bytes)
        if self.poll_fails:
            self.poll_fails = False
            self._restart()
            return True
        if not taken:
            self._tell_positions()
            return False
        traces: dict[int, object] | None = None
        if self._world.scenario.traced:
            new = [Trace(published) for published in taken]
            self._traces += new
            traces = dict(enumerate(new))
        if self._world.history.kept:
            self.note(f"takes {' '.join(str(published) for published in taken)}")
        for published in taken:
            self.checks.read_to(published.place, published.offset + 1)
        self.core.receive([published.record for published in taken], self._clock.now, traces)
        self._check_buffer()
        self._tell_positions()
        return self._readable() != []

    def _tell_positions(self) -> None:
        """The client passes what is no record."""
        positions = self._positions
        for place, log in self._world.broker.logs.items():
            if place in positions and place not in self._paused and not log.has_more(positions[place]):
                positions[place] = max(positions[place], log.high)
                self.checks.read_to(place, positions[place])
        self.core.positioned(dict(positions))

    def _readable(self) -> list[TopicPartition]:
        logs = self._world.broker.logs
        return [
            place
            for place, position in self._positions.items()
            if place not in self._paused and logs[place].has_more(position)
        ]

    def _read(self, records_max: int, bytes_max: int) -> list[Published]:
        """Records of all readable partitions, mixed, each partition's in order."""
        random, logs = self._random, self._world.broker.logs
        taken: list[Published] = []
        readable = self._readable()
        while readable and len(taken) < records_max and bytes_max > 0:
            place = random.choice(readable)
            for published in logs[place].read(
                self._positions[place], random.randint(1, records_max - len(taken))
            ):
                taken.append(published)
                bytes_max -= len(published.record.value() or b"")
                self._positions[place] = published.offset + 1
                if bytes_max <= 0:
                    break
            readable = self._readable()
        return taken

    def _check_buffer(self) -> None:
        """The buffer holds what was granted, and no more."""
        snapshot = self.core.snapshot(self._clock.now)
        if snapshot.buffered_records > self._options.buffer.max_records:
            raise Violation(f"{snapshot.buffered_records} records buffered")
        outstanding = sum(
            partition.outstanding
            for partition in snapshot.partitions
            if partition.waiting != "stopped_dead_letters"
        )
        if outstanding > snapshot.buffered_records:
            raise Violation(f"{outstanding} records without an ending, {snapshot.buffered_records} counted")

    def _overtaken(self, place: TopicPartition) -> None:
        """Retention has deleted what was to be read next."""
        self.note(f"finds {place} begin beyond its position {self._positions[place]}")
        self._world.count("overtaken")
        self._forget([place])
        self.core.lose([place], self._clock.now)
        self._turn()
        if self.alive:
            self.assign([place])

    def _restart(self) -> None:
        """An error of the client: what it handed over last may be incomplete."""
        places = tuple(self._positions)
        if not places:
            return
        self._world.count("restart")
        self.note("reads everything again from where the core was")
        starts = self.core.restart(places, self._clock.now)
        if {start.partition for start in starts} != set(places):
            raise Violation(f"asked to restart {places}, starts {starts}")
        for start in starts:
            if start.offset > self.checks.takes.get(start.partition, start.offset):
                raise Violation(f"{start} leaves out records that were never handed over")
            self._seek(start)

    # --- the event loop

    def _turn(self) -> None:
        """Let the core say at once what it wants, as the shells do after whatever the poll thread tells it."""
        if self.alive:
            self._wake_at = self._clock.now
            self._advance(self._clock.now)

    def _wake(self) -> None:
        """Let the core say soon what it wants."""
        self._schedule_advance(self._clock.now)

    def _schedule_advance(self, at: float) -> None:
        if self.alive and (self._wake_at is None or at < self._wake_at):
            self._wake_at = at
            self._clock.at(at, lambda: self._advance(at))

    def _advance(self, at: float) -> None:
        if not self.alive or self._wake_at != at:
            return
        self._wake_at = None
        now = self._clock.now
        if now < self._suspended_until:
            self._schedule_advance(self._suspended_until)
            return
        self._count_spins(now)
        self._world.current = self
        effects = self.core.advance(now)
        for effect in effects:
            if isinstance(
                effect, RegionChanged
            ):  # states change before requests start, wherever the list tells of it
                self.checks.state_changed(effect.region, effect.state)
        for effect in effects:
            self._perform(effect)
            if not self.alive:
                return
        at_next = self.core.wake_at()
        if at_next is not None:
            late = self._world.scenario.lateness_seconds
            self._schedule_advance(max(at_next, now) + (self._random.uniform(0, late) if late else 0.0))
        if (
            self._poll_at is not None
            and self._poll_at - now > 0.05
            and not self.draining
            and not self.revoking
        ):
            credit = self.core.credit()
            if credit.records and credit.bytes and self._readable():
                self.poke()

    def _count_spins(self, now: float) -> None:
        moment, spins = self._spins
        self._spins = (now, spins + 1) if moment == now else (now, 0)
        if spins > _SPINS_MAX and moment == now:
            raise Violation(f"{self.name} wakes up again and again at {now}")

    def _perform(self, effect: Effect) -> None:
        if self._drained:
            raise Violation(f"{type(effect).__name__} after the core has drained")
        self._dispatch[type(effect)](effect)
        if self.crash_after_effects is not None:
            self.crash_after_effects -= 1
            if self.crash_after_effects <= 0:
                self.crash()

    # --- requests

    def _send(self, send: Send) -> None:
        world, now = self._world, self._clock.now
        facts = self.checks.sent(send, now)
        if world.history.kept:
            what = " ".join(fact.tag for fact in facts)
            self.note(f"sends {send.request_id} (attempt {send.attempt}) to {send.region}: {what}")
        request = self._requests[send.request_id] = _Request(send, facts)
        latency = world.workspaces[send.region].latency_seconds()
        self._clock.at(now + latency, lambda: self._arrive(request))
        self._clock.at(now + send.deadline_seconds, lambda: self._answer(request, Unavailable("timeout")))

    def _arrive(self, request: _Request) -> None:
        world, now = self._world, self._clock.now
        if (not self.alive or request.cancelled) and self._random.random() < 0.5:
            return
        workspace = world.workspaces[request.send.region]
        answer = workspace.handle(request.facts, len(request.send.body), now)
        if answer is not None:
            world.count(type(answer).__name__)
            self._clock.after(workspace.latency_seconds(), lambda: self._answer(request, answer))

    def _answer(self, request: _Request, answer: Answer) -> None:
        if request.answered or not self.alive:
            return
        now = self._clock.now
        if now < self._suspended_until:
            self._clock.at(self._suspended_until, lambda: self._answer(request, answer))
            return
        request.answered = True
        request_id = request.send.request_id
        del self._requests[request_id]
        if self._drained or (request.cancelled and self._random.random() < 0.5):
            return
        self.note(f"is answered {request_id}: {answer}")
        self.checks.answered(request_id, answer, now)
        self.core.answer(request_id, answer, now)
        self._wake()

    def _cancel(self, effect: Cancel) -> None:
        self.note(f"cancels {effect.request_id}")
        self._world.count("cancel")
        self.checks.cancelled(effect.request_id)
        self._requests[effect.request_id].cancelled = True

    # --- dead letters

    def _write_dead_letter(self, effect: WriteDeadLetter) -> None:
        if self._world.history.kept:
            self.note(f"dead-letters #{effect.record.serial} as {effect.reason}: {effect.message}")
        self._world.endings.writing(effect, self._options.serves)
        self._world.dead_letters.write(self, effect)

    def letter_written(self, letter_id: int, error: str | None) -> None:
        """The dead-letter topic says how it went."""
        if not self.alive or self._drained:
            return
        if self._clock.now < self._suspended_until:
            self._clock.at(self._suspended_until, lambda: self.letter_written(letter_id, error))
            return
        self.core.dead_letter_written(letter_id, error, self._clock.now)
        self._wake()

    # --- partitions and commits

    def _pause(self, effect: Pause) -> None:
        self.note(f"pauses {effect.partitions}: {effect.reason}")
        self._paused.update(place for place in effect.partitions if place in self._positions)

    def _resume(self, effect: Resume) -> None:
        self.note(f"resumes {effect.partitions}")
        self._paused.difference_update(effect.partitions)
        self.poke()

    def _commit(self, commit: Commit) -> None:
        if self._commit_under_way:
            raise Violation("a second commit while one is under way")
        if not commit.offsets:
            raise Violation("a commit of nothing")
        self._commit_under_way = True
        self._commits.append(commit)
        self.poke()

    def _issue(self, commit: Commit) -> None:
        failures = self._write_offsets(commit.offsets)
        delay = self._random.choice((0.0, 0.001, 0.05))
        self._clock.after(delay, lambda: self._commit_done(commit, failures))

    def _commit_done(self, commit: Commit, failures: tuple[CommitFailure, ...]) -> None:
        if not self.alive or self._drained:
            return
        if self._clock.now < self._suspended_until:
            self._clock.at(self._suspended_until, lambda: self._commit_done(commit, failures))
            return
        self._commit_under_way = False
        self.core.commit_done(commit.commit_id, failures, self._clock.now)
        self._wake()

    def _write_offsets(self, offsets: Sequence[CommitOffset]) -> tuple[CommitFailure, ...]:
        """Commit what still belongs to this member."""
        world, random = self._world, self._random
        faulty = self._clock.now < world.scenario.faults_end
        code: str | None = None
        lost_answer = False
        if self.fenced:
            code = "UNKNOWN_MEMBER_ID"
        elif faulty and random.random() < world.scenario.commit_failures:
            code = random.choice(("REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "_TIMED_OUT", "_NO_OFFSET"))
            lost_answer = code == "_TIMED_OUT" and random.random() < 0.5
        failures = []
        for offset in offsets:
            place = TopicPartition(offset.topic, offset.partition)
            if self._epochs.get(place) != offset.epoch:
                continue
            error = code
            if not self.fenced:
                world.commits.committing(self.group, offset, self._positions[place])
            if code is None or lost_answer:
                refusal = world.broker.commit(self.group, place, offset.offset, offset.metadata)
                if refusal is None:
                    world.commits.rewritten.discard((self.group, place))
                error = refusal or code
            if error is not None:
                failures.append(CommitFailure(place, error))
            self.note(
                f"commits {place} {offset.offset} {offset.metadata!r}" + (f": {error}" if error else "")
            )
        if failures:
            world.count("commit refused")
        return tuple(failures)

    def _release(self, effect: Released) -> None:
        held = tuple(place for place in self.revoking if place in self._positions)
        if not held or set(effect.partitions) != set(held):
            raise Violation(f"releases {effect.partitions}, was asked for {held}")
        if not {(offset.topic, offset.partition) for offset in effect.offsets} <= set(effect.partitions):
            raise Violation(f"releases {effect.partitions} with offsets of others: {effect.offsets}")
        self._world.count("released")
        if not self.fenced:
            self._write_offsets(effect.offsets)
        self._forget(effect.partitions)
        self._given_back(effect.partitions)

    def _close(self, effect: Drained) -> None:
        self.note(f"has drained: {effect}")
        self._world.count("drained clean" if effect.clean else "drained")
        if effect.clean and self.checks.flying:
            raise Violation("drained clean with requests in flight")
        self._write_offsets(effect.offsets)
        self._drained = True
        for _ in range(3):
            if self.core.advance(self._clock.now):
                raise Violation("effects after the core has drained")
        for trace in self._traces:
            if effect.clean and not trace.closed:
                raise Violation(f"drained, but never said what became of {trace.published}")
        self.alive = False
        self._world.gone(self, 0.0)

    # --- what is only told

    def _ended(self, effect: Ended) -> None:
        self._world.count(str(effect.outcome))
        if self._world.history.kept:
            assert isinstance(effect.trace, Trace)
            self.note(f"{effect.trace.published} is {effect.outcome}")
        self._world.endings.ended(effect, self._options.serves)

    def _dropped(self, effect: Dropped) -> None:
        self._world.endings.dropped(effect)

    def _region_changed(self, effect: RegionChanged) -> None:
        self.note(f"finds {effect.region} {effect.state}: {effect.detail}")
        self._world.count(str(effect.state))

    def _partition_stopped(self, effect: PartitionStopped) -> None:
        self.note(f"stops {effect.partition} at {effect.offset}: {effect.detail}")
        self._world.count("stopped")
        self.checks.revoked(effect.partition)
        self._world.partition_stopped(self)

    def _noted(self, effect: Noted) -> None:
        self.note(f"{effect.level}: {effect.message}")
