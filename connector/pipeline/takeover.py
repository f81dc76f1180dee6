"""Whether the committed offsets still mean what they say, after groups or routing rules have changed. Pure.

With a consumer group for each region, each group has settled other regions' records as filtered. Under other rules a
record that one group has passed may now be its own, and nobody would send it. So where rules changed and the groups
stand at different offsets, all must begin at the lowest one; a redelivery carries the same ULID and is ignored.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from connector.core.commit_metadata import routing_digest_of
from connector.core.effects import TopicPartition
from connector.errors import ConfigurationError
from connector.kafka.group_offsets import GroupOffset

Commits = Mapping[TopicPartition, GroupOffset]


class Takeover(NamedTuple):
    """What must be committed for every group before any of them starts; empty: nothing."""

    offsets: Mapping[TopicPartition, int]
    reason: str = ""


NOTHING = Takeover({})


def takeover(
    groups: Mapping[str, Commits], other_layout: Iterable[Commits], digest: str, accept_routing_change: bool
) -> Takeover:
    """`groups`: what each group of the present settings has committed; `other_layout`: what the groups have that there
    would be with `kafka.group_per_region` the other way round. Raises ConfigurationError where a person must decide.
    """
    if not any(groups.values()):
        lowest = _lowest(other_layout)
        return (
            Takeover(lowest, "the groups are new and go on where the earlier ones stood")
            if lowest
            else NOTHING
        )
    if len(groups) == 1 or not _differ(groups, digest) or _level(groups):
        return NOTHING
    if not accept_routing_change:
        raise ConfigurationError(
            "the regions or routing rules have changed since the last run, and the groups "
            f"{', '.join(groups)} stand at different offsets: a record that one has passed may now be its own",
            "Stop every process of these groups, then start once with --accept-routing-change: all begin at the "
            "lowest offset, and Customer.io ignores what it has seen",
        )
    return Takeover(_lowest(groups.values()), "the routing rules have changed")


def _differ(groups: Mapping[str, Commits], digest: str) -> bool:
    """Was anything committed under other rules? A group that has committed nothing says nothing: its process may only
    have been started after the others'. A region that is new changes the rules.
    """
    written = {routing_digest_of(each.metadata) for commits in groups.values() for each in commits.values()}
    return bool(written - {digest, None})


def _level(groups: Mapping[str, Commits]) -> bool:
    places = [{partition: each.offset for partition, each in commits.items()} for commits in groups.values()]
    return all(place == places[0] for place in places)


def _lowest(all_commits: Iterable[Commits]) -> dict[TopicPartition, int]:
    lowest: dict[TopicPartition, int] = {}
    for commits in all_commits:
        for partition, each in commits.items():
            lowest[partition] = min(each.offset, lowest.get(partition, each.offset))
    return lowest
