"""What the shells tell the core, apart from records and answers."""

import msgspec

from connector.core.effects import TopicPartition


class Assignment(msgspec.Struct, frozen=True):
    """A partition that the group has just given to this member."""

    partition: TopicPartition
    committed: int | None
    """The committed offset; None where nothing is committed."""
    metadata: str
    """The commit's metadata as read back; empty where there is none."""
    leader_epoch: int | None
    """The partition leader's present epoch, where the broker says it: another one voids the map in the metadata."""
    low: int
    """The log's first offset."""
    high: int
    """The log's end: the offset that the next record will get."""
    topic_id: str = ""
    cluster_id: str = ""


class Credit(msgspec.Struct, frozen=True):
    """How much more the core takes. Nothing at all when either is 0."""

    records: int
    bytes: int


NO_CREDIT = Credit(0, 0)


class CommitFailure(msgspec.Struct, frozen=True):
    """Why a partition's commit was refused."""

    partition: TopicPartition
    code: str
    """librdkafka's name of the error, such as `OFFSET_METADATA_TOO_LARGE` or `REBALANCE_IN_PROGRESS`."""


class PartitionSnapshot(msgspec.Struct, frozen=True):
    """How one partition is doing."""

    partition: TopicPartition
    epoch: int
    watermark: int
    """The offset that would be committed: the first without an ending."""
    next_offset: int
    """The offset that is read next."""
    outstanding: int
    """Records read that have no ending."""
    oldest_timestamp_ms: int
    """Kafka timestamp of the record at the watermark; -1: none outstanding, or no timestamp."""
    progress_at: float
    """When the watermark last moved, or when there was last nothing to do: monotonic seconds."""
    waiting: str
    """Why nothing moves: `nothing_to_read`, `delivering`, `retrying`, `breaker_open`, `unauthorised`,
    `misconfigured`, `throttled`, `buffer_full`, `span_full`, `dead_letters_pending`, `stopped_dead_letters`."""


class Retried(msgspec.Struct, frozen=True):
    """A request that fails again and again, and with it the people whose operations it holds."""

    partition: TopicPartition
    offset: int
    """Its oldest record's place."""
    operations: int
    attempts: int
    failing_since: float
    """Monotonic seconds."""
    why: str
    """What became of the last attempt."""


class RegionSnapshot(msgspec.Struct, frozen=True):
    """How one region is doing."""

    region: str
    state: str
    detail: str
    queued: int
    in_flight_requests: int
    concurrency: int
    retried: tuple[Retried, ...] = ()
    """Requests that have failed since they last succeeded, the one that has failed for longest first."""


class Snapshot(msgspec.Struct, frozen=True):
    """The core's state at one moment, for metrics, health and humans."""

    partitions: tuple[PartitionSnapshot, ...]
    regions: tuple[RegionSnapshot, ...]
    buffered_records: int
    buffered_bytes: int
    window_entries: int
    endings: dict[tuple[str, str], int]
    """(outcome, region) -> records since the start."""
    dead_letters: dict[str, int]
    """reason -> dead letters acknowledged since the start."""
    conflicts: int
    records_missed: int
    dead_letters_pending: int
