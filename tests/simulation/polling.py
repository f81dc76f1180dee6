"""A member's poll thread: takes what the core has credit for, and what may happen to it meanwhile."""

from typing import TYPE_CHECKING

from connector.core.effects import Outcome, TopicPartition
from tests.simulation.checks.endings import Trace
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.member import Member

_POLL_SECONDS = 1.0
"""A poll without records returns after this."""


class Polling:
    """Polls soon where there is something to do, and every second otherwise."""

    def __init__(self, member: "Member") -> None:
        self._member = member
        self.due_at: float | None = None
        """When it polls next."""
        self.stalled_until = 0.0
        """It stands still until then."""
        self.fails = False
        """The next poll raises, and what it would have brought is lost."""

    @property
    def stalled(self) -> bool:
        """Does it stand still?"""
        return self._member.clock.now < self.stalled_until

    def poke(self) -> None:
        """There may be something to do for the poll thread."""
        member = self._member
        self.schedule(member.random.choice((0.0001, 0.002, 0.01)))

    def schedule(self, seconds: float) -> None:
        """Poll no later than in so many seconds."""
        member = self._member
        at = member.clock.now + seconds
        if member.alive and (self.due_at is None or at < self.due_at):
            self.due_at = at
            member.clock.at(at, lambda: self._poll(at))

    def _poll(self, at: float) -> None:
        member = self._member
        if not member.alive or self.due_at != at:
            return
        self.due_at = None
        now = member.clock.now
        if now < self.stalled_until:
            self.schedule(self.stalled_until - now)
            return
        member.core.polled(now)
        member.checks.polled_at = now
        more = False
        before = len(member.traces)
        if not member.revoking:
            if not self.fails:  # or the epochs of what it was asked to commit are over before it gets there
                member.offsets.issue()
            if not member.draining:
                more = self._take()
        member.turn()
        self._check_replays(before)
        self.schedule(member.random.choice((0.0005, 0.005)) if more else _POLL_SECONDS)

    def _take(self) -> bool:
        """Take what the core has credit for. True: there is more."""
        member = self._member
        credit = member.core.credit()
        if credit.records < 0 or credit.bytes < 0:
            raise Violation(f"{credit}")
        if not credit.records or not credit.bytes:
            return False
        overtaken = member.reader.overtaken()
        if overtaken is not None:
            self._overtaken(overtaken)
            return True
        taken = member.reader.read(min(credit.records, member.world.scenario.poll_records), credit.bytes)
        if self.fails:
            self.fails = False
            self._restart()
            return True
        if not taken:
            self._tell_positions()
            return False
        traces: dict[int, object] | None = None
        if member.world.scenario.traced:
            new = [Trace(published) for published in taken]
            member.traces += new
            traces = dict(enumerate(new))
        if member.world.history.kept:
            member.note(f"takes {' '.join(str(published) for published in taken)}")
        for published in taken:
            member.checks.read_to(published.place, published.offset + 1)
        member.core.receive([published.record for published in taken], member.clock.now, traces)
        self._check_buffer()
        self._tell_positions()
        return member.reader.readable() != []

    def _check_replays(self, before: int) -> None:
        """A replayed dead letter waits for another of its id at most: it never ends as it arrives."""
        member = self._member
        if member.options.dedup.events.on_conflict == "drop":
            return
        for trace in member.traces[before:]:
            if trace.published.nature.replayed and trace.closed == Outcome.DUPLICATE:
                raise Violation(f"{trace.published} was replayed, and is taken for a duplicate")

    def _tell_positions(self) -> None:
        """Tell the core how far the client has read."""
        member = self._member
        member.reader.pass_markers()
        for place, position in member.reader.positions.items():
            member.checks.read_to(place, position)
        member.core.positioned(dict(member.reader.positions))

    def _check_buffer(self) -> None:
        """The buffer holds what was granted, and no more."""
        member = self._member
        snapshot = member.core.snapshot(member.clock.now)
        if snapshot.buffered_records > member.options.buffer.max_records:
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
        member = self._member
        member.note(f"finds {place} begin beyond its position {member.reader.positions[place]}")
        member.world.count("overtaken")
        member.forget([place])
        member.core.lose([place], member.clock.now)
        member.turn()
        if member.alive:
            member.assign([place])

    def _restart(self) -> None:
        """An error of the client: what it handed over last may be incomplete."""
        member = self._member
        places = tuple(member.reader.positions)
        if not places:
            return
        member.world.count("restart")
        member.note("reads everything again from where the core was")
        starts = member.core.restart(places, member.clock.now)
        if {start.partition for start in starts} != set(places):
            raise Violation(f"asked to restart {places}, starts {starts}")
        for start in starts:
            if start.offset > member.checks.takes.get(start.partition, start.offset):
                raise Violation(f"{start} leaves out records that were never handed over")
            member.seek(start)
