"""Where consumer groups stand in their partitions, looked at from outside of them."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from connector.core.commit_metadata import Identity, Run, decode
from connector.core.effects import TopicPartition
from connector.kafka.group_offsets import GroupOffset
from connector.kafka.topic_facts import Bounds


class Standing(NamedTuple):
    """Where a group stands in one partition."""

    next_offset: int
    """Where it would go on now."""
    committed: bool
    """False: nothing is committed, and it begins where the settings say."""
    missed: int = 0
    """Records that were deleted by retention before the group has read them."""
    finished: tuple[Run, ...] = ()
    """What it has finished beyond."""

    def has_finished(self, offset: int) -> bool:
        return offset < self.next_offset or any(run.start <= offset < run.end for run in self.finished)


Standings = Mapping[TopicPartition, Standing]


def standings(
    bounds: Mapping[TopicPartition, Bounds],
    commits: Mapping[TopicPartition, GroupOffset],
    auto_offset_reset: Literal["earliest", "latest"],
) -> dict[TopicPartition, Standing]:
    """For each partition with bounds, by the rules that hold when it is assigned."""
    found = {}
    for partition, (low, high, _) in bounds.items():
        reset = low if auto_offset_reset == "earliest" else high
        commit = commits.get(partition)
        if commit is None:
            found[partition] = Standing(reset, committed=False)
        elif commit.offset > high:
            found[partition] = Standing(reset, committed=True)
        else:
            missed = max(0, low - commit.offset)
            found[partition] = Standing(commit.offset + missed, committed=True, missed=missed)
    return found


def with_finished(
    before: Standings,
    commits: Mapping[TopicPartition, GroupOffset],
    identities: Mapping[TopicPartition, Identity],
) -> dict[TopicPartition, Standing]:
    """The same with what the commits say is finished beyond them."""
    after = dict(before)
    for partition, commit in commits.items():
        standing = before.get(partition)
        if standing is not None:
            known = decode(commit.metadata, identities[partition], standing.next_offset)
            after[partition] = standing._replace(finished=known.runs if known is not None else ())
    return after


def lag(where: Standings, bounds: Mapping[TopicPartition, Bounds]) -> int:
    """Records between where the group stands and the ends of the logs, gaps counted as records."""
    return sum(max(0, bounds[partition].high - each.next_offset) for partition, each in where.items())


def lowest(all_standings: Iterable[Standings], partition: TopicPartition, default: int) -> int:
    """The first offset that one of the groups has not finished."""
    return min((where[partition].next_offset for where in all_standings), default=default)
