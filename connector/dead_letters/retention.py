"""Whether topics keep what is put back on them until it is read: retention goes by the records' timestamps."""

from collections.abc import Mapping

from connector.errors import ConfigurationError
from connector.kafka.broker_configs import topic_configs
from connector.kafka.reach import Reached

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
    configs = topic_configs(kafka, topics, ANSWER_SECONDS)
    return {
        topic: int(config.get("retention.ms") or -1)
        for topic, config in configs.items()
        if "delete" in config.get("cleanup.policy", "")
    }
