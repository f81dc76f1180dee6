"""The configuration that the connector runs with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PARTITIONS = 4
SESSION_SECONDS = 6.0
"""How long a group waits for a silent member: short, so that what follows from it is seen within seconds."""
GROUP = "chaos"

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
