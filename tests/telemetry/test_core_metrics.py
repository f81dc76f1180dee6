import re

import pytest

from connector.core.answers import Accepted
from connector.core.effects import TopicPartition
from connector.core.inputs import Snapshot
from connector.telemetry.core_metrics import Clocks
from connector.telemetry.observed import age_seconds, lag_records
from connector.telemetry.setup import TelemetryShell, setup_telemetry
from tests.telemetry.conftest import MONOTONIC, WALL
from tests.telemetry.examples import partition, region, retried, send, snapshot
from tests.telemetry.page import Samples, samples, value

DOCUMENTED = {
    "cio_connector_records_total": {"outcome", "region"},
    "cio_connector_requests_total": {"region", "operation", "status"},
    "cio_connector_request_duration_seconds": {"region", "operation"},
    "cio_connector_delivery_latency_seconds": {"region"},
    "cio_connector_batch_events": {"region", "operation"},
    "cio_connector_batch_bytes": {"region", "operation"},
    "cio_connector_buffered_records": set(),
    "cio_connector_buffered_bytes": set(),
    "cio_connector_consumer_lag_records": {"topic", "partition", "group"},
    "cio_connector_oldest_record_age_seconds": {"region"},
    "cio_connector_oldest_retry_age_seconds": {"region"},
    "cio_connector_region_state": {"region", "state"},
    "cio_connector_dead_letters_total": {"reason"},
    "cio_connector_dead_letters_pending": set(),
    "cio_connector_conflicts_total": set(),
    "cio_connector_records_missed_total": set(),
    "cio_connector_partition_waiting": {"topic", "partition", "reason", "group"},
    "cio_connector_dedup_window_entries": set(),
}


def observed(
    shell: TelemetryShell, *snapshots: tuple[str, Snapshot], ends: dict[TopicPartition, int] | None = None
) -> Samples:
    shell.observe(lambda: snapshots, lambda: ends or {})
    return samples(shell)


def test_names_and_labels_are_the_documented_ones_in_both_formats(silent_shell: TelemetryShell) -> None:
    silent_shell.for_group("g").request_finished(
        None, send(oldest_timestamp_ms=int(WALL * 1000)), Accepted(), 0.1
    )
    silent_shell.observe(lambda: [("g", snapshot(partitions=(partition(),)))], dict)
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        body, content_type = silent_shell.metrics_text(accept)
        assert content_type.startswith(accept.split(";")[0])
        page = body.decode()
        assert "otel_scope" not in page
        found: dict[str, set[str]] = {}
        for name, labels in re.findall(r"^(cio_connector_\w+)(?:{(.*)})? ", page, re.MULTILINE):
            base = re.sub(r"_(bucket|count|sum|created)$", "", name)
            found.setdefault(base, set()).update(set(re.findall(r'(\w+)="', labels)) - {"le"})
        assert found == DOCUMENTED


def test_counts_are_summed_over_groups_and_begin_at_zero(silent_shell: TelemetryShell) -> None:
    us = snapshot(
        regions=(region("us"),),
        endings={("accepted", "us"): 5, ("filtered", "eu"): 2},
        dead_letters={"too_large": 1},
        buffered_records=3,
    )
    eu = snapshot(
        regions=(region("eu"),),
        endings={("accepted", "eu"): 7},
        dead_letters={"too_large": 2},
        buffered_records=4,
    )
    found = observed(silent_shell, ("g-us", us), ("g-eu", eu))
    assert value(found, "cio_connector_records_total", outcome="accepted", region="us") == 5
    assert value(found, "cio_connector_records_total", outcome="accepted", region="eu") == 7
    assert value(found, "cio_connector_records_total", outcome="filtered", region="eu") == 2
    assert value(found, "cio_connector_records_total", outcome="duplicate", region="us") == 0
    assert value(found, "cio_connector_dead_letters_total", reason="too_large") == 3
    assert value(found, "cio_connector_dead_letters_total", reason="undecodable") == 0
    assert value(found, "cio_connector_buffered_records") == 7
    assert value(found, "cio_connector_buffered_bytes") == 2100
    assert value(found, "cio_connector_conflicts_total") == 2
    assert value(found, "cio_connector_dedup_window_entries") == 14


def test_lag_counts_from_the_watermark_to_the_logs_end(silent_shell: TelemetryShell) -> None:
    one, other = partition(0, watermark=10, next_offset=15), partition(1, watermark=10, next_offset=15)
    found = observed(silent_shell, ("g", snapshot(partitions=(one, other))), ends={one.partition: 110})
    name = "cio_connector_consumer_lag_records"
    assert value(found, name, topic="events", partition="0", group="g") == 100
    assert value(found, name, topic="events", partition="1", group="g") == 5
    assert lag_records(partition(watermark=10, next_offset=10), {}) == 0
    assert lag_records(partition(watermark=10, next_offset=4), {}) == 0, "read again for warm-up"


@pytest.mark.parametrize(
    ("timestamp_ms", "next_offset", "end", "age"),
    [
        pytest.param(int((WALL - 90) * 1000), 12, 12, 90.0, id="its timestamp is known"),
        pytest.param(int((WALL + 90) * 1000), 12, 12, 0.0, id="its timestamp is ahead"),
        pytest.param(-1, 12, 12, 30.0, id="it has no timestamp"),
        pytest.param(-1, 10, 12, 30.0, id="nothing in memory, but more in the log"),
        pytest.param(-1, 10, 10, 0.0, id="nothing to do"),
    ],
)
def test_age_of_the_oldest_record(timestamp_ms: int, next_offset: int, end: int, age: float) -> None:
    waiting = partition(
        watermark=10, next_offset=next_offset, oldest_timestamp_ms=timestamp_ms, still_seconds=30.0
    )
    assert age_seconds(waiting, {waiting.partition: end}, WALL, MONOTONIC) == pytest.approx(age)


def test_age_is_the_worst_partitions_and_counts_for_each_region_of_the_group(
    silent_shell: TelemetryShell,
) -> None:
    old = partition(0, next_offset=11, oldest_timestamp_ms=int((WALL - 50) * 1000))
    young = partition(1, next_offset=11, oldest_timestamp_ms=int((WALL - 5) * 1000))
    both = snapshot(partitions=(old, young), regions=(region("us"), region("eu")))
    idle = snapshot(partitions=(partition(2),), regions=(region("ap"),))
    found = observed(silent_shell, ("g", both), ("g-ap", idle))
    name = "cio_connector_oldest_record_age_seconds"
    assert value(found, name, region="us") == pytest.approx(50)
    assert value(found, name, region="eu") == pytest.approx(50)
    assert value(found, name, region="ap") == 0


def test_age_of_the_oldest_retry_is_the_worst_of_the_region(silent_shell: TelemetryShell) -> None:
    failing = snapshot(
        regions=(
            region("us", retried=(retried(failing_seconds=40), retried(failing_seconds=9))),
            region("eu"),
        )
    )
    found = observed(silent_shell, ("g", failing))
    name = "cio_connector_oldest_retry_age_seconds"
    assert value(found, name, region="us") == pytest.approx(40)
    assert value(found, name, region="eu") == 0


def test_region_state_is_one_for_the_present_state_alone(silent_shell: TelemetryShell) -> None:
    regions = (region("us", "open"), region("eu"))
    found = observed(silent_shell, ("g", snapshot(regions=regions)))
    states = {
        dict(labels)["state"]: number
        for (name, labels), number in found.items()
        if name == "cio_connector_region_state" and ("region", "us") in labels
    }
    assert states == {"healthy": 0, "throttled": 0, "open": 1, "unauthorised": 0, "misconfigured": 0}
    assert value(found, "cio_connector_region_state", region="eu", state="healthy") == 1


def test_partition_waiting_shows_the_present_reason_alone(silent_shell: TelemetryShell) -> None:
    current = [snapshot(partitions=(partition(waiting="breaker_open"),))]
    silent_shell.observe(lambda: [("g", current[0])], dict)
    labels = {"topic": "events", "partition": "0", "group": "g"}
    name = "cio_connector_partition_waiting"
    assert value(samples(silent_shell), name, **labels, reason="breaker_open") == 1
    current[0] = snapshot(partitions=(partition(waiting="delivering"),))
    found = samples(silent_shell)
    assert value(found, name, **labels, reason="delivering") == 1
    assert value(found, name, **labels, reason="breaker_open") is None


def test_thousands_of_partitions_are_told_apart(silent_shell: TelemetryShell) -> None:
    partitions = tuple(partition(number) for number in range(3000))
    found = observed(silent_shell, ("g", snapshot(partitions=partitions)))
    lags = [labels for name, labels in found if name == "cio_connector_consumer_lag_records"]
    assert len(lags) == 3000


def test_two_setups_in_one_process_do_not_mix(silent_shell: TelemetryShell, clocks: Clocks) -> None:
    other = setup_telemetry(region_urls={}, clocks=clocks)
    other.observe(lambda: [("g", snapshot(buffered_records=9))], dict)
    assert value(samples(silent_shell), "cio_connector_buffered_records") is None
    assert value(samples(other), "cio_connector_buffered_records") == 9
    other.shutdown()


def test_page_names_the_service_and_the_process(silent_shell: TelemetryShell) -> None:
    silent_shell.observe(lambda: [("g", snapshot())], dict)
    page = silent_shell.metrics_text()[0].decode()
    assert 'service_name="cio-connector"' in page
    assert "process_resident_memory_bytes" in page
