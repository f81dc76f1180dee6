"""Whether topics keep what is put back on them until it is read."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]

from connector.kafka.reach import Reached, answer

ANSWER_SECONDS = 5.0
_DAY_MS = 86_400_000


def outdated(kafka: Reached, oldest_ms: Mapping[str, int], now_ms: int) -> Iterator[str]:
    """A warning for each topic whose retention the oldest of its records has passed."""
    for topic, retention_ms in _retention_ms(kafka, list(oldest_ms)).items():
        if 0 <= retention_ms < now_ms - oldest_ms[topic]:
            days = (now_ms - oldest_ms[topic]) / _DAY_MS
            yield (
                f"the oldest record is {days:.1f} days old, and topic {topic} keeps records for "
                f"{retention_ms / _DAY_MS:.1f}: Kafka may delete it before it is read. Raise retention.ms meanwhile"
            )


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
