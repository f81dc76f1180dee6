"""Whether topics keep what is put back on them until it is read: retention goes by the records' timestamps."""

import time
from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

from connector.errors import ConfigurationError
from connector.kafka.reach import Reached, answer

ANSWER_SECONDS = 5.0
_DAY_MS = 86_400_000


def require_kept(kafka: Reached, oldest_ms: Mapping[str, int], now_ms: int) -> None:
    """Raises ConfigurationError where the oldest of the records is older than its topic keeps any."""
    for topic, retention_ms in _retention_ms(kafka, list(oldest_ms)).items():
        age_ms = now_ms - oldest_ms[topic]
        if 0 <= retention_ms < age_ms:
            raise ConfigurationError(
                f"topic {topic} keeps records for {retention_ms / _DAY_MS:.1f} days, and the oldest to go there is "
                f"{age_ms / _DAY_MS:.1f} days old: Kafka may delete it before it is read",
                "Raise the topic's retention.ms meanwhile, or give --timestamps now, whereby an event that has no "
                "timestamp of its own counts as new; --timestamps original takes the risk",
            )


def note_age(oldest_ms: dict[str, int], topic: str, timestamp_ms: int) -> None:
    """Keeps the oldest timestamp of each topic; -1 is none."""
    if timestamp_ms >= 0:
        oldest_ms[topic] = min(oldest_ms.get(topic, timestamp_ms), timestamp_ms)


def _retention_ms(kafka: Reached, topics: list[str]) -> dict[str, int]:
    """As far as these credentials may see it."""
    if not topics or not kafka.has_controller:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
    deadline = time.monotonic() + ANSWER_SECONDS
    found = {}
    for resource, future in kafka.admin.describe_configs(resources, request_timeout=ANSWER_SECONDS).items():
        try:
            config = {name: entry.value for name, entry in answer(future, deadline).items()}
        except KafkaException:
            continue
        if "delete" in (config.get("cleanup.policy") or ""):
            found[resource.name] = int(config.get("retention.ms") or -1)
    return found
