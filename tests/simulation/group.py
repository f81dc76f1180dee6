"""A consumer group's coordinator: who owns which partition, and how that changes."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from connector.core.effects import TopicPartition
from tests.simulation.clock import Clock

if TYPE_CHECKING:
    from tests.simulation.member import Member

_ASSIGN_SECONDS = (0.001, 0.02, 0.2)


class Group:
    """Gives each partition to one member. Under the eager protocol everybody gives up everything first."""

    def __init__(
        self, number: int, places: tuple[TopicPartition, ...], eager: bool, clock: Clock, random: Random
    ) -> None:
        self.number = number
        self.members: list[Member] = []
        self.owners: dict[TopicPartition, Member | None] = dict.fromkeys(places)
        self._targets: dict[TopicPartition, Member | None] = dict.fromkeys(places)
        self._to_release: set[TopicPartition] = set()
        self._grants: dict[TopicPartition, int] = dict.fromkeys(places, 0)
        self._eager = eager
        self._clock = clock
        self._random = random

    @property
    def live(self) -> list["Member"]:
        """Members that take part."""
        return [member for member in self.members if not member.fenced and not member.draining]

    def join(self, member: "Member") -> None:
        """A new member, or one that had been thrown out."""
        if member not in self.members:
            self.members.append(member)
        self.rebalance()

    def rebalance(self, shuffle: bool = False) -> None:
        """Decide anew who gets what."""
        live = self.live
        loads: dict[Member, int] = dict.fromkeys(live, 0)
        fair = -(-len(self.owners) // max(1, len(live)))
        for place, owner in self.owners.items():
            if owner is not None and owner.draining:
                target: Member | None = owner
            elif not live:
                target = None
            elif shuffle:
                target = self._random.choice(live)
            elif owner in loads and loads[owner] < fair:
                target = owner
            else:
                target = min(live, key=lambda member: loads[member])
            self._targets[place] = target
            if target in loads:
                loads[target] += 1
        for place, owner in self.owners.items():
            if (
                owner is not None
                and not owner.draining
                and (self._eager or self._targets[place] is not owner)
            ):
                self._to_release.add(place)
        self._proceed()

    def released(self, member: "Member", places: tuple[TopicPartition, ...]) -> None:
        """A member has given partitions back."""
        for place in places:
            if self.owners[place] is member:
                self._free(place)
        self._proceed()

    def evict(self, member: "Member") -> None:
        """A member is gone, or counts as gone: its partitions are given to others at once."""
        self.members.remove(member)
        for place, owner in self.owners.items():
            if owner is member:
                self._free(place)
        self.rebalance()

    def _free(self, place: TopicPartition) -> None:
        self.owners[place] = None
        self._to_release.discard(place)
        self._grants[place] += 1

    def _proceed(self) -> None:
        for member in list(self.members):
            places = tuple(place for place in self._to_release if self.owners[place] is member)
            if places and not member.revoking:
                member.revoke(tuple(sorted(places)))
        if self._eager and self._to_release:
            return
        for member in self.live:
            if member.revoking:
                continue
            granted = [
                place
                for place, owner in self.owners.items()
                if owner is None and self._targets[place] is member
            ]
            if granted:
                self._grant(member, granted)

    def _grant(self, member: "Member", places: list[TopicPartition]) -> None:
        grants = []
        for place in places:
            self.owners[place] = member
            self._grants[place] += 1
            grants.append((place, self._grants[place]))
        self._clock.after(self._random.choice(_ASSIGN_SECONDS), self._hand_over(member, grants))

    def _hand_over(self, member: "Member", grants: list[tuple[TopicPartition, int]]) -> Callable[[], None]:
        def hand_over() -> None:
            places = [place for place, grant in grants if self._grants[place] == grant]
            if member.alive and not member.fenced and places:
                if member.busy:
                    self._clock.after(0.01, hand_over)
                else:
                    member.assign(places)

        return hand_over
