"""How brokers and topics are configured."""

import time
from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]  # its stubs lack it

from connector.kafka.reach import Reached, answer


def topic_configs(kafka: Reached, topics: Sequence[str], seconds: float) -> dict[str, dict[str, str]]:
    """Topic -> its configuration, as far as these credentials may see it. Blocks for so many seconds at most."""
    if not topics or not kafka.has_controller:
        return {}
    return _configs(kafka, [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics], seconds)


def broker_config(kafka: Reached, seconds: float) -> dict[str, str]:
    """That of one of the brokers; empty where these credentials may not see it. Blocks for so many seconds at most."""
    broker = next(iter(kafka.metadata.brokers), None)
    if broker is None:
        return {}
    name = str(broker)
    return _configs(kafka, [ConfigResource(ConfigResource.Type.BROKER, name)], seconds).get(name, {})


def _configs(kafka: Reached, resources: list[ConfigResource], seconds: float) -> dict[str, dict[str, str]]:
    deadline = time.monotonic() + seconds
    configs = {}
    for resource, future in kafka.admin.describe_configs(resources, request_timeout=seconds).items():
        try:
            entries = answer(future, deadline)
        except KafkaException:
            continue
        configs[resource.name] = {name: entry.value or "" for name, entry in entries.items()}
    return configs
