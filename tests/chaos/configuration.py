"""The configuration that the connector runs with, and the memory that it may need by its documentation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector.settings.groups import consumer_groups
from connector.settings.load import load_settings

PARTITIONS = 4
SESSION_SECONDS = 6.0
"""How long a group waits for a silent member: short, so that what follows from it is seen within seconds."""
GROUP = "chaos"
IDLE_BYTES = 110_000_000
"""What the process needs before it has read anything: Python, the libraries, librdkafka, telemetry."""
LEDGER_BYTES_A_RECORD = 9
DEDUP_BYTES_AN_ENTRY = 300

CLUSTER = {
    "group.consumer.session.timeout.ms": str(int(SESSION_SECONDS * 1000)),
    "group.consumer.heartbeat.interval.ms": "1500",
    "message.max.bytes": "1048588",
}
"""Properties of every broker."""


def configuration(
    kafka: Mapping[str, Any],
    topic: str,
    dead_letter_topic: str,
    urls: Mapping[str, str],
    keys: Path,
    group_id: str,
    protocol: str,
) -> dict[str, Any]:
    """Small buffers and short waits, so that bounds are reached and recovery is seen; else the defaults.

    The API key of each region is in the file of its name in `keys`.
    """
    properties = {name: value for name, value in kafka.items() if name != "bootstrap.servers"}
    if protocol == "classic":  # in the other one brokers decide
        properties |= {"session.timeout.ms": int(SESSION_SECONDS * 1000), "heartbeat.interval.ms": 1500}
    return {
        "kafka": {
            "bootstrap_servers": kafka["bootstrap.servers"],
            "topics": [topic],
            "group_id": group_id,
            "group_protocol": protocol,
            "prefetch_bytes": 4 * 1024 * 1024,
            "revoke_deadline_seconds": 3,
            "properties": properties,
        },
        "regions": {
            region: {"site_id": f"{region}-site", "api_key_file": str(keys / region), "url": url}
            for region, url in urls.items()
        },
        "routing": {"default": "us"},
        # poison_attempts: faults here strike at random, and by bad luck one record often.
        "delivery": {
            "timeout_seconds": 3,
            "backoff_seconds_max": 2,
            "probe_seconds": 1,
            "poison_attempts": 60,
        },
        "buffer": {"max_bytes": 8 * 1024 * 1024},
        "dead_letters": {"topic": dead_letter_topic},
        "server": {"host": "127.0.0.1", "port": 0},
        "log": {"format": "json"},
        "drain_deadline_seconds": 10,
    }


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`, member by member."""
    document = dict(base)
    for name, value in changes.items():
        inner = document.get(name)
        document[name] = (
            merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
        )
    return document


def memory_bound(configuration_file: Path, records: int) -> int:
    """Bytes, as docs/architecture.md says under Memory, for one who has read so many records at most."""
    settings = load_settings(configuration_file, {})
    groups, regions = len(consumer_groups(settings)), len(settings.regions)
    # A fetch on its way comes beside what is held ahead.
    prefetch = groups * settings.kafka.prefetch_bytes * 3 // 2
    dedup = groups * min(records, settings.dedup.events.max_entries) * DEDUP_BYTES_AN_ENTRY
    ledger = groups * min(records, PARTITIONS * settings.ledger.max_span) * LEDGER_BYTES_A_RECORD
    bodies = regions * settings.delivery.concurrency * settings.batch.max_bytes
    return IDLE_BYTES + settings.buffer.max_bytes + prefetch + dedup + ledger + bodies
