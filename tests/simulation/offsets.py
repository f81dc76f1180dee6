"""A member's commits: made by the poll thread, which looks at the epoch just before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.core.inputs import CommitFailure
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.member import Member

_REFUSALS = ("REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "_TIMED_OUT", "_NO_OFFSET")


class Offsets:
    """Commits what the core wants committed, as long as it is this member's."""

    def __init__(self, member: "Member") -> None:
        self._member = member
        self._asked: list[Commit] = []
        self._under_way = False

    def ask(self, commit: Commit) -> None:
        """The event loop asks; the poll thread will see to it."""
        if self._under_way:
            raise Violation("a second commit while one is under way")
        if not commit.offsets:
            raise Violation("a commit of nothing")
        self._under_way = True
        self._asked.append(commit)
        self._member.polling.poke()

    def issue(self) -> None:
        """The poll thread sees to what it was asked."""
        asked, self._asked = self._asked, []
        for commit in asked:
            failures = self.write(commit.offsets)
            delay = self._member.random.choice((0.0, 0.001, 0.05))
            self._member.clock.after(delay, lambda: self._done(commit, failures))  # noqa: B023 - one at a time

    def _done(self, commit: Commit, failures: tuple[CommitFailure, ...]) -> None:
        member = self._member
        if member.drained or member.sleeps(lambda: self._done(commit, failures)):
            return
        self._under_way = False
        member.core.commit_done(commit.commit_id, failures, member.clock.now)
        member.wake()

    def write(self, offsets: Sequence[CommitOffset]) -> tuple[CommitFailure, ...]:
        """Commit now what still belongs to this member; what does not is passed over."""
        member, world = self._member, self._member.world
        code, applied = self._fate()
        failures = []
        for offset in offsets:
            place = TopicPartition(offset.topic, offset.partition)
            epoch = member.reader.epochs.get(place)
            if epoch != offset.epoch:
                if epoch is not None:
                    member.note(f"does not commit {place} {offset.offset}: epoch {offset.epoch} is over")
                    world.count("commit left out")
                continue
            error = code
            if not member.fenced:
                world.commits.committing(member.group, offset, member.reader.positions[place])
            if applied:
                refusal = world.broker.commit(member.group, place, offset.offset, offset.metadata)
                if refusal is None:
                    world.commits.rewritten.discard((member.group, place))
                error = refusal or code
            if error is not None:
                failures.append(CommitFailure(place, error))
            member.note(
                f"commits {place} {offset.offset} {offset.metadata!r}" + (f": {error}" if error else "")
            )
        if failures:
            world.count("commit refused")
        return tuple(failures)

    def _fate(self) -> tuple[str | None, bool]:
        """The error that the whole commit meets, if any, and whether it is applied: an answer may get lost."""
        member, random = self._member, self._member.random
        if member.fenced:
            return "UNKNOWN_MEMBER_ID", False
        scenario = member.world.scenario
        if member.clock.now < scenario.faults_end and random.random() < scenario.commit_failures:
            code = random.choice(_REFUSALS)
            return code, code == "_TIMED_OUT" and random.random() < 0.5
        return None, True
