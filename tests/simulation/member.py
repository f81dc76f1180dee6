"""One process of a consumer group: the shells around a core, reduced to what they mean for it."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from connector.core.core import Core
from connector.core.effects import (
    Cancel,
    Commit,
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
from connector.core.inputs import Assignment
from connector.core.options import CoreOptions
from tests.simulation.checks.endings import Trace
from tests.simulation.checks.requests import RequestChecks
from tests.simulation.deliveries import Deliveries
from tests.simulation.kafka import Committed, Log
from tests.simulation.offsets import Offsets
from tests.simulation.polling import Polling
from tests.simulation.reader import Reader
from tests.simulation.truth import CLUSTER_ID
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.group import Group
    from tests.simulation.world import World

_SPINS_MAX = 200
"""Wake-ups at one moment of virtual time: more is a busy loop."""
_LATE_SECONDS = 0.001


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
        self.world = world
        self.clock = world.clock
        self._group = group
        self.options = options
        self.random = random
        now = self.clock.now
        self.core: Core = world.make_core(options, random.random, now)
        self.checks = RequestChecks(options, world.truth, world.scenario.lanes, now)
        self.reader = Reader(world.broker.logs, random)
        self.offsets = Offsets(self)
        self.deliveries = Deliveries(self)
        self.polling = Polling(self)
        self.drained = False
        self.traces: list[Trace] = []
        self._revoke_started = -1.0
        self._suspended_until = 0.0
        self._wake_at: float | None = None
        self._spins = (0.0, 0)
        self._dispatch = {
            Send: self.deliveries.send,
            Cancel: self.deliveries.cancel,
            WriteDeadLetter: self._write_dead_letter,
            Pause: self._pause,
            Resume: self._resume,
            Commit: self.offsets.ask,
            Released: self._release,
            Drained: self._close,
            Ended: self._ended,
            Dropped: self._dropped,
            RegionChanged: self._region_changed,
            PartitionStopped: self._partition_stopped,
            Noted: self._noted,
        }
        self.polling.schedule(0.0)

    @property
    def busy(self) -> bool:
        """Is the poll thread blocked, so that no partitions can be given to it?"""
        return bool(self.revoking) or self.polling.stalled

    def note(self, what: str) -> None:
        """Tell the history."""
        self.world.history.note(self.clock.now, self.name, what)

    # --- what the group and the faults do

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """The group gives partitions to this member."""
        world = self.world
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
        starts = self.core.assign(assignments, self.clock.now)
        if {start.partition for start in starts} != set(places):
            raise Violation(f"asked to start {places}, starts {starts}")
        for assignment, start in zip(assignments, starts, strict=True):
            place = start.partition
            self.reader.resume((place,))
            self.checks.assigned(place, max(start.offset, assignment.committed or 0))
            if not assignment.low <= start.offset <= assignment.high:
                raise Violation(
                    f"starts {place} at {start.offset}, log is {assignment.low}..{assignment.high}"
                )
            self.seek(start)
        self.turn()

    def _begins_at(self, log: Log, committed: Committed | None) -> int:
        """What lies before this offset need not be read, whatever became of it."""
        if committed is None or committed.offset > log.high:
            return log.high if self.options.auto_offset_reset == "latest" else 0
        rewritten = self.world.commits.rewritten
        if (self.group, log.place) in rewritten:
            # As far as anybody can tell, the committed offset speaks of this log.
            rewritten.remove((self.group, log.place))
            return committed.offset
        return 0

    def seek(self, start: Start) -> None:
        """Read on where the core says."""
        self.note(f"starts {start.partition} at {start.offset} in epoch {start.epoch}")
        self.reader.seek(start)
        self.polling.poke()

    def revoke(self, places: tuple[TopicPartition, ...]) -> None:
        """The group wants partitions back."""
        self.revoking = places
        self.clock.after(self.random.uniform(0, 0.02), self._begin_revoke)

    def _begin_revoke(self) -> None:
        if not self.alive:
            return
        now = self.clock.now
        if self.polling.stalled:
            self.clock.at(self.polling.stalled_until, self._begin_revoke)
            return
        self.offsets.issue()
        held = tuple(place for place in self.revoking if place in self.reader.positions)
        deadline_seconds = self.random.choice((0.05, 0.5, 5.0))
        if not held:
            self._given_back(())
            return
        self.note(f"is asked for {held} within {deadline_seconds} s")
        for place in held:
            self.checks.revoked(place)
        self.core.revoke(held, now, deadline_seconds)
        self._revoke_started = now
        limit = now + deadline_seconds + self.world.scenario.lateness_seconds + _LATE_SECONDS
        self.clock.at(limit, lambda: self._expect_released(now))
        self.turn()

    def _expect_released(self, started: float) -> None:
        if self.clock.now < self._suspended_until:
            self.clock.at(self._suspended_until + 1, lambda: self._expect_released(started))
        elif self.alive and self.revoking and self._revoke_started == started:
            raise Violation(f"{self.name} has not released {self.revoking} by the deadline")

    def _given_back(self, places: tuple[TopicPartition, ...]) -> None:
        given = self.revoking
        self.revoking = ()
        self._revoke_started = -1.0
        self._group.released(self, given)
        self.polling.poke()

    def lose(self) -> None:
        """The coordinator has thrown this member out, and now it notices."""
        if not self.alive:
            return
        if self.busy:
            self.clock.after(0.05, self.lose)
            return
        places = tuple(self.reader.positions)
        self.note(f"has lost {places}")
        if places:
            self.forget(places)
            self.core.lose(places, self.clock.now)
        self.fenced = False
        self.turn()
        if self.alive and not self.draining:
            self._group.join(self)

    def forget(self, places: Sequence[TopicPartition]) -> None:
        """These are no longer this member's."""
        for place in places:
            self.checks.revoked(place)
            self.reader.forget(place)

    def drain(self) -> None:
        """SIGTERM."""
        if self.draining or not self.alive:
            return
        seconds = self.random.choice((0.1, 2.0, 30.0))
        self.note(f"is told to stop within {seconds} s")
        self.draining = True
        self.core.drain(self.clock.now, seconds)
        started = self.clock.now
        limit = started + seconds + self.world.scenario.lateness_seconds + _LATE_SECONDS
        self.clock.at(limit, self._expect_drained)
        self.turn()

    def _expect_drained(self) -> None:
        if self.clock.now < self._suspended_until:
            self.clock.at(self._suspended_until + 1, self._expect_drained)
        elif self.alive and not self.drained:
            raise Violation(f"{self.name} has not drained by the deadline")

    def crash(self) -> None:
        """kill -9."""
        if self.alive:
            self.note("crashes")
            self.world.count("crash")
            self.alive = False
            self.world.gone(self, self.random.choice((0.01, 0.5, 3.0)))

    def stall(self, seconds: float, whole: bool) -> None:
        """The poll thread, or the whole process, stands still."""
        self.note(f"stands still for {seconds:.2f} s" + (" as a whole" if whole else ""))
        until = self.clock.now + seconds
        self.polling.stalled_until = max(self.polling.stalled_until, until)
        if whole:
            self._suspended_until = max(self._suspended_until, until)

    # --- the event loop

    def sleeps(self, later: Callable[[], None]) -> bool:
        """Is nobody there to be told? If the machine is only suspended, it happens later."""
        if not self.alive:
            return True
        if self.clock.now < self._suspended_until:
            self.clock.at(self._suspended_until, later)
            return True
        return False

    def turn(self) -> None:
        """Let the core say at once what it wants, as the shells do after whatever the poll thread tells it."""
        if self.alive:
            self._wake_at = self.clock.now
            self._advance(self.clock.now)

    def wake(self) -> None:
        """Let the core say soon what it wants."""
        self._schedule_advance(self.clock.now)

    def _schedule_advance(self, at: float) -> None:
        if self.alive and (self._wake_at is None or at < self._wake_at):
            self._wake_at = at
            self.clock.at(at, lambda: self._advance(at))

    def _advance(self, at: float) -> None:
        if not self.alive or self._wake_at != at:
            return
        self._wake_at = None
        now = self.clock.now
        if now < self._suspended_until:
            self._schedule_advance(self._suspended_until)
            return
        self._count_spins(now)
        effects = self.core.advance(now)
        for effect in effects:
            if isinstance(effect, RegionChanged):
                # States change before requests start, wherever the list tells of it.
                self.checks.state_changed(effect.region, effect.operation, effect.state)
        for effect in effects:
            self._perform(effect)
            if not self.alive:
                return
        at_next = self.core.wake_at()
        if at_next is not None:
            late = self.world.scenario.lateness_seconds
            self._schedule_advance(max(at_next, now) + (self.random.uniform(0, late) if late else 0.0))
        if (
            self.polling.due_at is not None
            and self.polling.due_at - now > 0.05
            and not self.draining
            and not self.revoking
        ):
            credit = self.core.credit()
            if credit.records and credit.bytes and self.reader.readable():
                self.polling.poke()

    def _count_spins(self, now: float) -> None:
        moment, spins = self._spins
        self._spins = (now, spins + 1) if moment == now else (now, 0)
        if spins > _SPINS_MAX and moment == now:
            raise Violation(f"{self.name} wakes up again and again at {now}")

    def _perform(self, effect: Effect) -> None:
        if self.drained:
            raise Violation(f"{type(effect).__name__} after the core has drained")
        self._dispatch[type(effect)](effect)
        if self.crash_after_effects is not None:
            self.crash_after_effects -= 1
            if self.crash_after_effects <= 0:
                self.crash()

    # --- dead letters

    def _write_dead_letter(self, effect: WriteDeadLetter) -> None:
        if self.world.history.kept:
            self.note(f"dead-letters #{effect.record.serial} as {effect.reason}: {effect.message}")
        published = self.world.endings.writing(effect, self.options.serves)
        self.checks.dead_lettered(published.serial)
        self.world.dead_letters.write(self, effect)

    def letter_written(self, letter_id: int, error: str | None) -> None:
        """The dead-letter topic says how it went."""
        if self.drained or self.sleeps(lambda: self.letter_written(letter_id, error)):
            return
        self.core.dead_letter_written(letter_id, error, self.clock.now)
        self.wake()

    # --- partitions and commits

    def _resume(self, effect: Resume) -> None:
        self.note(f"resumes {effect.partitions}")
        self.reader.resume(effect.partitions)
        self.polling.poke()

    def _pause(self, effect: Pause) -> None:
        self.note(f"pauses {effect.partitions}: {effect.reason}")
        self.reader.pause(effect.partitions)

    def _release(self, effect: Released) -> None:
        held = tuple(place for place in self.revoking if place in self.reader.positions)
        if not held or set(effect.partitions) != set(held):
            raise Violation(f"releases {effect.partitions}, was asked for {held}")
        if not {(offset.topic, offset.partition) for offset in effect.offsets} <= set(effect.partitions):
            raise Violation(f"releases {effect.partitions} with offsets of others: {effect.offsets}")
        self.world.count("released")
        if not self.fenced:
            self.offsets.write(effect.offsets)
        self.forget(effect.partitions)
        self._given_back(effect.partitions)

    def _close(self, effect: Drained) -> None:
        self.note(f"has drained: {effect}")
        self.world.count("drained clean" if effect.clean else "drained")
        if effect.clean and self.checks.flying:
            raise Violation("drained clean with requests in flight")
        self.offsets.write(effect.offsets)
        self.drained = True
        for _ in range(3):
            if self.core.advance(self.clock.now):
                raise Violation("effects after the core has drained")
        for trace in self.traces:
            if not trace.closed:
                raise Violation(f"drained, but never said what became of {trace.published}")
        self.alive = False
        self.world.gone(self, 0.0)

    # --- what is only told

    def _ended(self, effect: Ended) -> None:
        self.world.count(str(effect.outcome))
        if self.world.history.kept:
            assert isinstance(effect.trace, Trace)
            self.note(f"{effect.trace.published} is {effect.outcome}")
        self.world.endings.ended(effect, self.options.serves)

    def _dropped(self, effect: Dropped) -> None:
        self.world.endings.dropped(effect)

    def _region_changed(self, effect: RegionChanged) -> None:
        self.note(f"finds {effect.region} {effect.operation} {effect.state}: {effect.detail}")
        self.world.count(str(effect.state))

    def _partition_stopped(self, effect: PartitionStopped) -> None:
        self.note(f"stops {effect.partition} at {effect.offset}: {effect.detail}")
        self.world.count("stopped")
        self.checks.revoked(effect.partition)
        self.world.partition_stopped(self)

    def _noted(self, effect: Noted) -> None:
        self.note(f"{effect.level}: {effect.message}")
