"""One run: everything a seed stands for, from the first record to the last ending."""

from collections import Counter
from collections.abc import Callable, Container
from random import Random
from unittest.mock import patch

import msgspec

from connector.core import channel
from connector.core.core import Core
from connector.core.options import CoreOptions
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from tests.simulation.checks.commits import CommitChecks
from tests.simulation.checks.endings import EndingChecks, FinalChecks
from tests.simulation.checks.order import OrderChecks
from tests.simulation.clock import Clock
from tests.simulation.customerio import Workspace
from tests.simulation.dead_letters import DeadLetterTopic
from tests.simulation.faults import Faults
from tests.simulation.group import Group
from tests.simulation.history import History
from tests.simulation.kafka import Broker
from tests.simulation.member import Member
from tests.simulation.publisher import Draft, Publisher
from tests.simulation.scenario import REGIONS, Fault, Scenario, draw
from tests.simulation.truth import Fact, Published, Truth
from tests.simulation.violation import Violation

CoreClass = Callable[..., Core]

_REST_SECONDS_MAX = 1800.0
"""When faults have ended and everything is published, all must have its ending within this."""
_STEPS_MAX = 400_000
_HEARTBEAT_SECONDS = 2.0
_LOOK_SECONDS = 0.5


class World:
    """Puts the parts together and runs them."""

    def __init__(self, scenario: Scenario, core_class: CoreClass = Core, keep_history: bool = False) -> None:
        self.scenario = scenario
        self.history = History(keep_history)
        self.clock = Clock()
        self.counts: Counter[str] = Counter()
        self._core_class = core_class
        self._random = random = Random(scenario.seed ^ 0x5EED)
        options = scenario.options
        decode = Decoder(EventOptions(), options.lanes.key)
        self.truth = Truth(options, decode)
        self.broker = Broker(scenario.partitions, scenario.metadata_limit)
        self.order = OrderChecks(options, self.truth, self.clock)
        self.endings = EndingChecks(options, self.truth)
        self.commits = CommitChecks(options, scenario.serves, self.truth, self.broker)
        self.workspaces = {
            region: Workspace(
                region, scenario.weather[region], scenario.faults_end, Random(random.random()), self._accepted
            )
            for region in REGIONS
        }
        self.dead_letters = DeadLetterTopic(
            self.clock,
            Random(random.random()),
            self.truth,
            scenario.dead_letter_failures,
            scenario.faults_end,
        )
        self.groups = [
            Group(number, scenario.partitions, scenario.eager, self.clock, Random(random.random()))
            for number in range(len(scenario.serves))
        ]
        self._publisher = Publisher(scenario, Random(random.random()))
        self._faults = Faults(self, Random(random.random()))
        self._applied: dict[tuple[str, bytes], list[int]] = {}
        self._spawned = 0
        self._to_publish = 0
        self._heartbeats: set[int] = set()
        self._accepts_dead_letters = False

    # --- what the parts ask for

    def make_core(self, options: CoreOptions, random: Callable[[], float], now: float) -> Core:
        """A core of the kind that is under test."""
        lanes = self.scenario.lanes
        with patch.multiple(channel, _LANES_BATCH=lanes, _LANES_ANONYMOUS=lanes):
            return self._core_class(options, self.truth, None, random, now)

    def count(self, what: str) -> None:
        """Something happened that a run should have seen."""
        self.counts[what] += 1

    def spawn(self, group: Group) -> None:
        """A new member joins the group."""
        self._spawned += 1
        options = msgspec.structs.replace(
            self.scenario.options,
            serves=self.scenario.serves[group.number],
            accept_dead_letters=self._accepts_dead_letters,
        )
        name = f"{chr(ord('a') + group.number)}{self._spawned}"
        member = Member(self, group, name, options, Random(self._random.random()))
        member.note("joins")
        group.join(member)

    def gone(self, member: Member, noticed_after: float) -> None:
        """A member has crashed or stopped. The coordinator notices, and somebody replaces it."""
        group = self.groups[member.group]

        def notice() -> None:
            if member in group.members:
                group.evict(member)
            if len(group.members) < self.scenario.members:
                self.spawn(group)

        self.clock.after(noticed_after, notice)

    def throw_out(self, member: Member, notices_after: float) -> None:
        """The coordinator gives a living member's partitions to others."""
        member.note("is thrown out of the group")
        member.fenced = True
        self.groups[member.group].evict(member)
        self.clock.after(notices_after, member.lose)

    def partition_stopped(self, member: Member) -> None:
        """A person looks at the dead letters after a while and restarts everything with leave to go on."""

        def accept() -> None:
            self._accepts_dead_letters = True
            for other in list(self.groups[member.group].members):
                other.crash()

        self.clock.after(self._random.uniform(0.5, 5), accept)

    def _accepted(self, fact: Fact, region: str, seen: bool) -> None:
        self.order.accepted(fact, region, seen)
        self.truth.operation_accepted(fact, region)
        if fact.action in ("person.identify", "person.delete"):
            self._applied.setdefault((region, fact.who[0]), []).append(fact.serial)

    # --- the run

    def run(self) -> None:
        """Run to the end. Raises `Violation`."""
        scenario, clock = self.scenario, self.clock
        drafts = self._publisher.drafts()
        for draft in drafts:
            self._publish_at(draft)
        for fault in scenario.faults:
            self._strike_at(fault)
        for group in self.groups:
            for _ in range(scenario.members):
                self.spawn(group)
        quiet = max([scenario.faults_end, *(draft.time for draft in drafts)])
        clock.at(scenario.faults_end, self._faults_end)
        if scenario.traffic.poison:
            clock.after(_HEARTBEAT_SECONDS, self._heartbeat)
        self._run_until(lambda: clock.now >= quiet and self._all_committed(), quiet + _REST_SECONDS_MAX)
        self._stop(clock.now + _REST_SECONDS_MAX)
        FinalChecks(scenario, self.truth, self.broker, self.workspaces, self.order, self.endings).check(
            self._applied
        )

    def _run_until(self, done: Callable[[], bool], limit: float) -> None:
        clock = self.clock
        look_at = 0.0
        while True:
            if clock.now >= look_at:
                if done():
                    return
                look_at = clock.now + _LOOK_SECONDS
            if not clock.step() or clock.now > limit or clock.steps > _STEPS_MAX:
                raise Violation(f"does not come to rest: {self._unended()}")

    def _stop(self, limit: float) -> None:
        """Everything has its ending: all members are told to stop, until each has done so cleanly."""
        while True:
            members = [member for group in self.groups for member in group.members if member.alive]
            for member in members:
                member.drain()
            self._run_until(lambda: all(not member.alive for member in members), limit)  # noqa: B023
            if self._all_committed():
                return
            self._run_until(lambda: all(group.live for group in self.groups), limit)
            wait_until = self.clock.now + 5
            self._run_until(lambda: self.clock.now >= wait_until, limit)  # noqa: B023

    def _publish_at(self, draft: Draft) -> None:
        self._to_publish += 1

        def publish() -> None:
            self._to_publish -= 1
            self._publish(draft)

        self.clock.at(draft.time, publish)

    def _publish(self, draft: Draft) -> Published:
        log = self.broker.logs[draft.place]
        published = self.truth.publish(draft, log.high)
        log.append(published)
        if self._random.random() < self.scenario.traffic.gaps:
            log.mark(self._random.randint(1, 3))
        if self.history.kept:
            value = (draft.value or b"")[:300]
            self.history.note(
                self.clock.now, "publisher", f"{published} {value!r} {draft.headers} {draft.nature}"
            )
        for group in self.groups:
            owner = group.owners[draft.place]
            if owner is not None:
                owner.polling.poke()
        return published

    def _strike_at(self, fault: Fault) -> None:
        self.clock.at(fault.time, lambda: self._faults.strike(fault.kind, self.groups[fault.group]))

    def _faults_end(self) -> None:
        self.history.note(self.clock.now, "world", "faults end")

    def _heartbeat(self) -> None:
        """Poison is known by others succeeding meanwhile: so let there be others, wherever it may be."""
        if self._all_committed(apart_from=self._heartbeats):
            if self.clock.now > self.scenario.faults_end:
                return
            self.clock.after(_HEARTBEAT_SECONDS, self._heartbeat)
            return
        beats = [(place, region, False) for place in self.scenario.partitions for region in REGIONS]
        # Anonymous ones go one by one, and several at a time are more than a slow region takes.
        place, region, _ = beats[int(self.clock.now / _HEARTBEAT_SECONDS) % len(beats)]
        beats.append((place, region, True))
        for beat in beats:
            draft = self._publisher.heartbeat(self.clock.now, *beat)
            self._heartbeats.add(self._publish(draft).serial)
        self.clock.after(_HEARTBEAT_SECONDS, self._heartbeat)

    # --- are we there?

    def _all_committed(self, apart_from: Container[int] = ()) -> bool:
        """Has every group committed all that was published? Then all of it has an ending: each commit is checked."""
        if self._to_publish:
            return False
        for group in self.groups:
            for place, log in self.broker.logs.items():
                committed = self.broker.committed(group.number, place)
                if (group.number, place) in self.commits.rewritten:
                    committed = None
                for published in reversed(log.records):
                    if committed is not None and published.offset < committed.offset:
                        break
                    if published.serial not in apart_from:
                        return False
        return True

    def _unended(self) -> str:
        """For the report: what has no ending, or else what is not committed."""
        unended: list[str] = []
        for group, serves in enumerate(self.scenario.serves):
            excused = self.truth.excused.get(group, ())
            for published in self.truth.published:
                if published.serial not in excused and not self.truth.ended(published, serves):
                    unended.append(f"{published} in group {group}, {published.nature}")
        return "; ".join(unended[:10]) or "all has ended, but is not committed"


def run(seed: int, core_class: CoreClass = Core, keep_history: bool = False) -> World:
    """Run one seed to its end. Raises `Violation`, or whatever the core raises."""
    world = World(draw(seed), core_class, keep_history)
    world.run()
    return world
