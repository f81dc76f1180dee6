"""Is it alive, is it ready: decided from plain data.

Alive means that both threads turn, and nothing else: an outage of Kafka or Customer.io must not restart the process.
Ready means that records can be had and delivered somewhere; whatever is worse than it should be is named either way.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from connector.core.effects import RegionState, TopicPartition
from connector.core.inputs import PartitionSnapshot, RegionSnapshot, Retried, Snapshot
from connector.telemetry.observed import age_seconds, lag_records, regions_of

HEARTBEAT_SECONDS_MAX = 60.0
"""A thread that is silent for longer stands still."""
STALLED_SECONDS = 60.0
"""A partition that has something to do and has not moved for longer is named as degraded."""

_REFUSING = (RegionState.UNAUTHORISED, RegionState.MISCONFIGURED)
_WORKING = (RegionState.HEALTHY, RegionState.THROTTLED)
STOPPED = "stopped_dead_letters"
"""`PartitionSnapshot.waiting` of a partition that was stopped for its share of dead letters."""


class KafkaState(StrEnum):
    """How a consumer group's connection to Kafka is doing."""

    CONNECTING = "connecting"
    """Not yet in the group."""
    JOINED = "joined"
    """In the group, with partitions or waiting for some."""
    UNREACHABLE = "unreachable"
    """No broker answers."""
    REFUSED = "refused"
    """Credentials or permissions are refused, or a topic is missing."""


class GroupHealth(msgspec.Struct, frozen=True):
    """One consumer group of the process."""

    group: str
    kafka: KafkaState
    poll_heartbeat_age_seconds: float
    """Since its poll thread last showed that it turns."""
    detail: str = ""
    """What Kafka said, where it is not well. No credentials."""
    dead_letter_error: str = ""
    """Why the dead letter is not written yet that could not be written last; empty once it is."""


class HealthInputs(msgspec.Struct, frozen=True):
    """All that health is decided from."""

    loop_heartbeat_age_seconds: float
    """Since the event loop last showed that it turns."""
    groups: tuple[GroupHealth, ...]
    snapshots: tuple[tuple[str, Snapshot], ...]
    """(consumer group, its core's snapshot)."""
    ends: Mapping[TopicPartition, int]
    """The ends of the logs, as far as they are known."""
    wall: float
    """Now, in Unix seconds."""
    monotonic: float
    """Now, on the clock of `PartitionSnapshot.progress_at`."""
    draining: bool = False
    """Stopping: nothing more is taken."""
    dead_letter_topic_missing: str = ""
    """That there is none, with the fix; empty as far as is known."""


Verdict = tuple[bool, dict[str, Any]]
"""Whether all is well, and the JSON object that says why."""


def liveness(inputs: HealthInputs, heartbeat_seconds_max: float = HEARTBEAT_SECONDS_MAX) -> Verdict:
    """Whether the event loop and every poll thread turn."""
    still = list(_standing_still(inputs, heartbeat_seconds_max))
    return not still, {
        "alive": not still,
        "standing_still": still,
        "loop_heartbeat_age_seconds": round(inputs.loop_heartbeat_age_seconds, 3),
        "poll_heartbeat_age_seconds": {
            g.group: round(g.poll_heartbeat_age_seconds, 3) for g in inputs.groups
        },
    }


def readiness(inputs: HealthInputs, heartbeat_seconds_max: float = HEARTBEAT_SECONDS_MAX) -> Verdict:
    """Whether records can be had and delivered: not while stopping, when a group has not joined, or when every region
    refuses."""
    regions = regions_of(inputs.snapshots)
    partitions = [(g, p) for g, snapshot in inputs.snapshots for p in snapshot.partitions]
    missed = sum(snapshot.records_missed for _, snapshot in inputs.snapshots)
    reasons = list(_not_ready(inputs, regions, heartbeat_seconds_max))
    return not reasons, {
        "ready": not reasons,
        "not_ready": reasons,
        "degraded": [
            *_degraded_groups(inputs),
            *_degraded_dead_letters(inputs),
            *_degraded_regions(inputs, regions),
            *_degraded_partitions(inputs, partitions),
            *_degraded_reading(missed),
        ],
        "groups": {g.group: {"kafka": g.kafka.value, "detail": g.detail} for g in inputs.groups},
        "regions": {name: _region(inputs, region) for name, region in regions.items()},
        "partitions": [_partition(inputs, group, partition) for group, partition in partitions],
        "stopped_partitions": [_name(p) for _, p in partitions if p.waiting == STOPPED],
        "records_missed": missed,
        "buffered_records": sum(snapshot.buffered_records for _, snapshot in inputs.snapshots),
        "dead_letters_pending": sum(snapshot.dead_letters_pending for _, snapshot in inputs.snapshots),
    }


def _standing_still(inputs: HealthInputs, seconds_max: float) -> Iterator[str]:
    if inputs.loop_heartbeat_age_seconds > seconds_max:
        yield "event loop"
    for group in inputs.groups:
        if group.poll_heartbeat_age_seconds > seconds_max:
            yield f"poll thread of group {group.group}"


def _not_ready(
    inputs: HealthInputs, regions: Mapping[str, RegionSnapshot], heartbeat_seconds_max: float
) -> Iterator[str]:
    if inputs.draining:
        yield "stopping"
    for still in _standing_still(inputs, heartbeat_seconds_max):
        yield f"{still} stands still"
    if not inputs.groups:
        yield "no consumer group has been started yet"
    for group in inputs.groups:
        if group.kafka is not KafkaState.JOINED:
            yield f"Kafka, group {group.group}: {group.kafka.value}"
    if regions and all(region.state in _REFUSING for region in regions.values()):
        yield "every region refuses"


def _degraded_groups(inputs: HealthInputs) -> Iterator[dict[str, str]]:
    for group in inputs.groups:
        if group.kafka is not KafkaState.JOINED:
            yield {"part": f"group {group.group}", "reason": group.kafka.value, "detail": group.detail}


def _degraded_dead_letters(inputs: HealthInputs) -> Iterator[dict[str, str]]:
    if inputs.dead_letter_topic_missing:
        yield {
            "part": "dead-letter topic",
            "reason": "missing",
            "detail": inputs.dead_letter_topic_missing,
        }
    for group in inputs.groups:
        if group.dead_letter_error:
            part = f"dead letters of group {group.group}"
            yield {"part": part, "reason": "not_written", "detail": group.dead_letter_error}


def _degraded_regions(
    inputs: HealthInputs, regions: Mapping[str, RegionSnapshot]
) -> Iterator[dict[str, str]]:
    """A region that works may still not work for some people."""
    for name, region in regions.items():
        if region.state != RegionState.HEALTHY:
            yield {"part": f"region {name}", "reason": region.state, "detail": region.detail}
        for retried in region.retried:
            failing_seconds = inputs.monotonic - retried.failing_since
            if region.state in _WORKING and failing_seconds > STALLED_SECONDS:
                detail = (
                    f"offset {retried.offset} of {_place(retried.partition)} has failed for {failing_seconds:.0f} s "
                    f"in {retried.attempts} attempts: {retried.why}"
                )
                yield {"part": f"region {name}", "reason": "retrying", "detail": detail}


def _degraded_partitions(
    inputs: HealthInputs, partitions: Sequence[tuple[str, PartitionSnapshot]]
) -> Iterator[dict[str, str]]:
    for group, partition in partitions:
        part = f"partition {_name(partition)}"
        still_seconds = inputs.monotonic - partition.progress_at
        if partition.waiting == STOPPED:
            detail = "too many dead letters; see the log for what to do"
            yield {"part": part, "reason": STOPPED, "detail": detail}
        elif lag_records(partition, inputs.ends) and still_seconds > STALLED_SECONDS:
            detail = f"group {group}: no progress for {still_seconds:.0f} s"
            yield {"part": part, "reason": partition.waiting, "detail": detail}


def _degraded_reading(missed: int) -> Iterator[dict[str, str]]:
    if missed:
        detail = f"{missed} records were deleted by retention before they were read"
        yield {"part": "reading", "reason": "records_missed", "detail": detail}


def _region(inputs: HealthInputs, region: RegionSnapshot) -> dict[str, Any]:
    return {
        "state": region.state,
        "detail": region.detail if region.state != RegionState.HEALTHY else "",
        "queued": region.queued,
        "in_flight_requests": region.in_flight_requests,
        "concurrency": region.concurrency,
        "retrying": [_retried(inputs, retried) for retried in region.retried],
    }


def _retried(inputs: HealthInputs, retried: Retried) -> dict[str, Any]:
    return {
        "partition": _place(retried.partition),
        "offset": retried.offset,
        "operations": retried.operations,
        "attempts": retried.attempts,
        "failing_seconds": round(max(0.0, inputs.monotonic - retried.failing_since), 3),
        "why": retried.why,
    }


def _partition(inputs: HealthInputs, group: str, partition: PartitionSnapshot) -> dict[str, Any]:
    age = age_seconds(partition, inputs.ends, inputs.wall, inputs.monotonic)
    return {
        "partition": _name(partition),
        "group": group,
        "waiting": partition.waiting,
        "progress_age_seconds": round(max(0.0, inputs.monotonic - partition.progress_at), 3),
        "oldest_record_age_seconds": round(age, 3),
        "watermark": partition.watermark,
        "outstanding": partition.outstanding,
        "lag": lag_records(partition, inputs.ends),
    }


def _name(partition: PartitionSnapshot) -> str:
    return _place(partition.partition)


def _place(partition: TopicPartition) -> str:
    """`topic-0`, as Kafka's own tools write it."""
    return f"{partition.topic}-{partition.partition}"
