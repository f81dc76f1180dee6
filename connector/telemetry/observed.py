"""What snapshots say about regions and partitions, for metrics and for health."""

from collections.abc import Iterable, Mapping

from connector.core.effects import RegionState, TopicPartition
from connector.core.inputs import PartitionSnapshot, RegionSnapshot, Snapshot

_WORST_FIRST = (
    RegionState.UNAUTHORISED,
    RegionState.MISCONFIGURED,
    RegionState.OPEN,
    RegionState.THROTTLED,
    RegionState.HEALTHY,
)


def regions_of(snapshots: Iterable[tuple[str, Snapshot]]) -> dict[str, RegionSnapshot]:
    """Each region's snapshot; where several groups deliver to it, the one that is worst off."""
    worst: dict[str, RegionSnapshot] = {}
    for _, snapshot in snapshots:
        for region in snapshot.regions:
            known = worst.get(region.region)
            if known is None or _badness(region) < _badness(known):
                worst[region.region] = region
    return worst


def lag_records(partition: PartitionSnapshot, ends: Mapping[TopicPartition, int]) -> int:
    """Offsets from the first record without an ending to the log's end; where that is unknown, to what was read."""
    end = max(ends.get(partition.partition, 0), partition.next_offset)
    return max(0, end - partition.watermark)


def age_seconds(
    partition: PartitionSnapshot, ends: Mapping[TopicPartition, int], wall: float, monotonic: float
) -> float:
    """How old the record at the watermark is: `wall` in Unix seconds, `monotonic` on the clock of `progress_at`.

    Where its timestamp is not known, because it has none or is not in memory, this is the time since the partition
    last moved or had nothing to do.
    """
    if partition.oldest_timestamp_ms >= 0:
        return max(0.0, wall - partition.oldest_timestamp_ms / 1000)
    if lag_records(partition, ends) == 0:
        return 0.0
    return max(0.0, monotonic - partition.progress_at)


def _badness(region: RegionSnapshot) -> int:
    return _WORST_FIRST.index(RegionState(region.state))
