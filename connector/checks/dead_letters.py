"""The dead-letter topic: whether it exists, may be written, and keeps dead letters until somebody looks at them."""

from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from connector.checks.brokers import Brokers
from connector.checks.result import Check, counted, fail, ok, warn
from connector.checks.topics import duration, hours, unusable_topic
from connector.errors import ExitCode
from connector.kafka.broker_configs import topic_configs
from connector.kafka.topic_facts import TopicFacts, topic_facts

CHECK = "dead_letter_topic"
LOOK_DAYS = 7
"""Somebody looks at dead letters within so many days."""
_DAY_MS = 86_400_000


def check_dead_letters(brokers: Brokers, topic: str, record_bytes_max: int) -> list[Check]:
    """`record_bytes_max`: the largest record that may become a dead letter; 0: not known."""
    facts = topic_facts(brokers.kafka, [topic], brokers.seconds)[topic]
    if isinstance(facts, KafkaError):
        return [unusable_topic(brokers, CHECK, topic, facts, "Write")]
    return [_writable(brokers, facts), *_kept(brokers, topic, record_bytes_max)]


def _writable(brokers: Brokers, topic: TopicFacts) -> Check:
    # Writing to it would be the only proof, and would leave a record behind.
    name = topic.name
    if topic.permitted is None:
        return ok(CHECK, name, "exists; Kafka does not say whether it may be written")
    if AclOperation.WRITE not in topic.permitted:
        refused = "exists, but may not be written"
        return fail(CHECK, name, refused, brokers.grant("Write", "topic", name), ExitCode.NO_PERMISSION)
    if topic.without_leader:
        down = f"{topic.without_leader} of {topic.partitions} partitions have no leader"
        return fail(CHECK, name, down, "Bring the brokers back that hold them", ExitCode.UNAVAILABLE)
    return ok(CHECK, name, f"{counted(topic.partitions, 'partition')}, may be written")


def _kept(brokers: Brokers, topic: str, record_bytes_max: int) -> list[Check]:
    config = topic_configs(brokers.kafka, [topic], brokers.seconds).get(topic, {})
    checks = []
    kept = hours(config.get("retention.ms", ""))
    policy = config.get("cleanup.policy", "")
    if "compact" in policy:
        lost = "is compacted: of several dead letters with the same key Kafka keeps only the last"
        checks.append(warn("retention", topic, lost, "Set its cleanup.policy=delete"))
    if kept is not None and kept < LOOK_DAYS * 24 and "delete" in policy:
        lost = f"dead letters are deleted after {duration(kept)}: look at them sooner, or they are gone"
        fix = f"Set its retention.ms to {LOOK_DAYS} days ({LOOK_DAYS * _DAY_MS}) or more"
        checks.append(warn("retention", topic, lost, fix))
    bytes_max = int(config.get("max.message.bytes", 0))
    if 0 < bytes_max < record_bytes_max:
        cut = f"takes records of {bytes_max:,} bytes, the topics that are read {record_bytes_max:,}: larger ones lose"
        fix = f"Set its max.message.bytes to more than {record_bytes_max}"
        checks.append(warn("size", topic, f"{cut} their value as dead letters", fix))
    return checks
