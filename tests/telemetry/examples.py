"""Records, requests and snapshots as the tests need them."""

from connector.core.effects import Send, TopicPartition
from connector.core.inputs import PartitionSnapshot, RegionSnapshot, Retried, Snapshot
from connector.events.record import Headers, StoredRecord
from connector.telemetry.health import GroupHealth, HealthInputs, KafkaState
from tests.telemetry.conftest import MONOTONIC, WALL

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"


def traceparent(flags: str = "01") -> bytes:
    return f"00-{TRACE_ID}-{SPAN_ID}-{flags}".encode()


def record(offset: int = 0, *, flags: str | None = None, headers: Headers | None = None) -> StoredRecord:
    if flags is not None:
        headers = [("traceparent", traceparent(flags))]
    return StoredRecord("events", 3, offset, b"{}", headers=headers)


class Untouchable(StoredRecord):
    """A record whose headers must not be looked at."""

    def headers(self) -> Headers | None:
        raise AssertionError("its headers were looked at")


def send(
    *,
    traces: tuple[object, ...] = (),
    region: str = "us",
    attempt: int = 1,
    oldest_timestamp_ms: int = -1,
    operation: str = "batch",
    path: str = "/api/v2/batch",
) -> Send:
    return Send(
        request_id=1,
        region=region,
        operation=operation,
        path=path,
        body=b"x" * 300,
        events=2,
        attempt=attempt,
        deadline_seconds=30.0,
        oldest_timestamp_ms=oldest_timestamp_ms,
        traces=traces,
    )


def partition(
    number: int = 0,
    *,
    watermark: int = 10,
    next_offset: int = 10,
    oldest_timestamp_ms: int = -1,
    still_seconds: float = 0.0,
    waiting: str = "nothing_to_read",
) -> PartitionSnapshot:
    return PartitionSnapshot(
        partition=TopicPartition("events", number),
        epoch=1,
        watermark=watermark,
        next_offset=next_offset,
        outstanding=next_offset - watermark,
        oldest_timestamp_ms=oldest_timestamp_ms,
        progress_at=MONOTONIC - still_seconds,
        waiting=waiting,
    )


def region(
    name: str = "us", state: str = "healthy", detail: str = "", retried: tuple[Retried, ...] = ()
) -> RegionSnapshot:
    return RegionSnapshot(
        region=name,
        state=state,
        detail=detail,
        queued=0,
        in_flight_requests=0,
        concurrency=10,
        retried=retried,
    )


def retried(offset: int = 17, failing_seconds: float = 312.0) -> Retried:
    return Retried(
        TopicPartition("events", 3),
        offset,
        operations=1,
        attempts=14,
        failing_since=MONOTONIC - failing_seconds,
        why="500",
    )


def snapshot(
    *,
    partitions: tuple[PartitionSnapshot, ...] = (),
    regions: tuple[RegionSnapshot, ...] = (),
    endings: dict[tuple[str, str], int] | None = None,
    dead_letters: dict[str, int] | None = None,
    records_missed: int = 0,
    buffered_records: int = 0,
) -> Snapshot:
    return Snapshot(
        partitions=partitions,
        regions=regions or (region(),),
        buffered_records=buffered_records,
        buffered_bytes=buffered_records * 300,
        window_entries=7,
        endings=endings or {},
        dead_letters=dead_letters or {},
        conflicts=1,
        records_missed=records_missed,
        dead_letters_pending=0,
    )


def health_inputs(
    *snapshots: Snapshot,
    kafka: KafkaState = KafkaState.JOINED,
    loop_age: float = 0.1,
    poll_age: float = 0.1,
    draining: bool = False,
    ends: dict[TopicPartition, int] | None = None,
) -> HealthInputs:
    """Each snapshot is a group's of its own: `group-0`, `group-1`, ..."""
    named = tuple((f"group-{number}", each) for number, each in enumerate(snapshots or (snapshot(),)))
    return HealthInputs(
        loop_heartbeat_age_seconds=loop_age,
        groups=tuple(GroupHealth(name, kafka, poll_age, "") for name, _ in named),
        snapshots=named,
        ends=ends or {},
        wall=WALL,
        monotonic=MONOTONIC,
        draining=draining,
    )
