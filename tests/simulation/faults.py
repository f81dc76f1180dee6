"""What happens to consumer groups besides work: each fault is a method, named in the scenario."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.kafka import Log
from tests.simulation.truth import Published

if TYPE_CHECKING:
    from tests.simulation.group import Group
    from tests.simulation.member import Member
    from tests.simulation.world import World


class Faults:
    """Applies the scenario's faults to the world."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random

    def strike(self, kind: str, group: "Group") -> None:
        """One fault, now."""
        self._world.history.note(self._world.clock.now, f"group {group.number}", f"fault: {kind}")
        self._world.count(kind)
        getattr(self, kind)(group)

    def _member(self, group: "Group") -> "Member | None":
        members = [member for member in group.members if member.alive]
        return self._random.choice(members) if members else None

    def crash(self, group: "Group") -> None:
        """A member is killed."""
        member = self._member(group)
        if member:
            member.crash()

    def crash_between_effects(self, group: "Group") -> None:
        """A member is killed after carrying out some of what its core wanted."""
        member = self._member(group)
        if member:
            member.crash_after_effects = self._random.randint(1, 20)

    def join(self, group: "Group") -> None:
        """A member more."""
        self._world.spawn(group)

    def leave(self, group: "Group") -> None:
        """A member is told to stop."""
        member = self._member(group)
        if member:
            member.drain()

    def lose(self, group: "Group") -> None:
        """A member is thrown out of the group, and notices after a while."""
        member = self._member(group)
        if member and not member.fenced:
            self._world.throw_out(member, self._random.choice((0.001, 0.1, 2.0)))

    def shuffle(self, group: "Group") -> None:
        """Partitions change hands for no reason."""
        group.rebalance(shuffle=True)

    def stall(self, group: "Group") -> None:
        """A member's poll thread stands still, or the machine it runs on is suspended."""
        member = self._member(group)
        if member:
            seconds = self._random.choice((0.1, 1.0, 5.0, 60.0))
            member.stall(seconds, whole=self._random.random() < 0.5)
            timeout = self._world.scenario.options.session_timeout_seconds
            if seconds > timeout:
                self._world.clock.after(timeout, lambda: self._throw_out(member, seconds - timeout))

    def _throw_out(self, member: "Member", notices_after: float) -> None:
        if member.alive and not member.fenced:
            self._world.throw_out(member, notices_after + 0.01)

    def poll_error(self, group: "Group") -> None:
        """The client raises, and may have lost what it was about to hand over."""
        member = self._member(group)
        if member:
            member.polling.fails = True

    def truncate(self, group: "Group") -> None:
        """Retention deletes the beginning of a log."""
        log = self._random.choice(list(self._world.broker.logs.values()))
        if log.high > log.low:
            for published in log.truncate(self._random.randint(log.low, log.high)):
                for other in self._world.groups:
                    self._world.truth.excuse(other.number, published)

    def reset_offsets(self, group: "Group") -> None:
        """All members are stopped, and an administrator sets the offsets anew."""
        self._stop_all(group)
        for place, log in self._world.broker.logs.items():
            if self._random.random() < 0.7 and log.high:
                offset = self._random.randint(log.low, log.high)
                self._world.broker.set_committed(group.number, place, offset)
                for published in log.between(0, offset):
                    self._world.truth.excuse(group.number, published)
        self._world.order.forgive()

    def forget_offsets(self, group: "Group") -> None:
        """All members are stopped, and the broker forgets what was committed."""
        self._stop_all(group)
        for place in self._world.broker.logs:
            if self._random.random() < 0.7:
                self._world.broker.set_committed(group.number, place, None)
        self._world.order.forgive()

    def recreate_topic(self, group: "Group") -> None:
        """All members are stopped; a partition begins anew, its committed offsets stay, as if mirrored."""
        if self._world.scenario.traffic.timestamps:  # or an id made of the place would name two records
            self._rewrite(lambda log: log.recreate())

    def elect_unclean_leader(self, group: "Group") -> None:
        """All members are stopped; a partition loses its end, and the offsets are used again."""
        if self._world.scenario.traffic.timestamps:
            self._rewrite(lambda log: log.lose_end(self._random.randint(log.low, log.high)))

    def _rewrite(self, rewrite: Callable[[Log], list[Published]]) -> None:
        for group in self._world.groups:
            self._stop_all(group)
        log = self._random.choice(list(self._world.broker.logs.values()))
        for published in rewrite(log):
            for group in self._world.groups:
                self._world.truth.excuse(group.number, published)
        for group in self._world.groups:
            self._world.commits.log_rewritten(group.number, log)
        self._world.order.forgive()

    def _stop_all(self, group: "Group") -> None:
        for member in list(group.members):
            member.crash()
