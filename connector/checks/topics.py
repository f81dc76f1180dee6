"""The topics that are read: whether they exist, may be read, and keep records long enough."""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from connector.checks.brokers import Brokers
from connector.checks.result import Check, counted, fail, failed, ok, warn
from connector.core.effects import TopicPartition
from connector.errors import ExitCode
from connector.kafka.broker_configs import topic_configs
from connector.kafka.errors import REFUSED_TOPIC, UNKNOWN_TOPIC, connector_error
from connector.kafka.missing_topic import creation
from connector.kafka.reach import patiently
from connector.kafka.topic_facts import Bounds, TopicFacts, log_bounds, topic_facts, topics_named

OUTAGE_HOURS = 72
"""Records should be kept longer than a long weekend, in which nobody mends what is down."""
PARTITIONS = 12
"""As many processes can share the work; PARTITIONS_OF_DEAD_LETTERS of them is enough for what nobody waits for."""
PARTITIONS_OF_DEAD_LETTERS = 3
_HOUR_MS = 3_600_000


class Topics(NamedTuple):
    """What was found."""

    checks: list[Check]
    bounds: dict[TopicPartition, Bounds]
    """Of the topics that can be read."""
    record_bytes_max: int
    """The largest record that one of them takes; 0: not known."""


def check_topics(brokers: Brokers, names: Sequence[str], isolation: IsolationLevel) -> Topics:
    """Looks at each topic, and at what each pattern (`^...`) matches."""
    checks: list[Check] = []
    topics: list[str] = []
    for name in names:
        matching = topics_named(brokers.kafka.metadata, name)
        if name.startswith("^"):
            checks.append(_pattern(brokers, name, matching))
        topics += [topic for topic in matching if topic not in topics]
    facts = topic_facts(brokers.kafka, topics, brokers.seconds)
    configs = topic_configs(
        brokers.kafka, [topic for topic in topics if isinstance(facts[topic], TopicFacts)], brokers.seconds
    )
    bounds: dict[TopicPartition, Bounds] = {}
    for topic in topics:
        found = facts[topic]
        config = configs.get(topic, {})
        if isinstance(found, KafkaError):
            checks.append(unusable_topic(brokers, "topic", topic, found, "Read"))
            continue
        checks += _readable(brokers, found, config, isolation, bounds)
    sizes = [int(config.get("max.message.bytes", 0)) for config in configs.values()]
    return Topics(checks, bounds, max(sizes, default=0))


def unusable_topic(brokers: Brokers, check: str, topic: str, error: KafkaError, operation: str) -> Check:
    """A topic that the brokers do not show."""
    if error.code() in REFUSED_TOPIC:
        return fail(
            check,
            topic,
            "Kafka refuses access to it, and does not say whether it exists",
            brokers.grant(operation, "topic", topic),
            ExitCode.NO_PERMISSION,
        )
    if error.code() in UNKNOWN_TOPIC:
        partitions = PARTITIONS if operation == "Read" else PARTITIONS_OF_DEAD_LETTERS
        create = creation(brokers.servers, topic, partitions, len(brokers.kafka.metadata.brokers))
        return fail(check, topic, "does not exist", create, ExitCode.UNAVAILABLE)
    return failed(check, topic, connector_error(error, brokers.servers, topic))


def hours(milliseconds: str) -> float | None:
    """How long a `retention.ms` keeps records; None: for ever, or not known."""
    try:
        number = int(milliseconds)
    except ValueError:
        return None
    return None if number < 0 else number / _HOUR_MS


def duration(hours_kept: float) -> str:
    return f"{hours_kept:g} h" if hours_kept < 48 else f"{hours_kept / 24:g} days"


def _pattern(brokers: Brokers, pattern: str, matching: list[str]) -> Check:
    if not matching:
        return fail(
            "topic_pattern",
            pattern,
            f"no topic at {brokers.servers} that may be seen matches it",
            "Create one, permit Describe on it, or mend kafka.topics",
            ExitCode.UNAVAILABLE,
        )
    return ok("topic_pattern", pattern, f"matches {', '.join(matching)}")


def _readable(
    brokers: Brokers,
    topic: TopicFacts,
    config: dict[str, str],
    isolation: IsolationLevel,
    bounds: dict[TopicPartition, Bounds],
) -> list[Check]:
    """Checks of a topic that exists. Adds to `bounds` from where to where it reaches."""
    name = topic.name
    if topic.permitted is not None and AclOperation.READ not in topic.permitted:
        refused = "exists, but may not be read"
        fix = brokers.grant("Read", "topic", name)
        return [fail("topic", name, refused, fix, ExitCode.NO_PERMISSION)]
    if topic.without_leader:
        down = f"{topic.without_leader} of {topic.partitions} partitions have no leader"
        return [fail("topic", name, down, "Bring the brokers back that hold them", ExitCode.UNAVAILABLE)]
    try:
        found = patiently(
            lambda: log_bounds(brokers.admin, topic.all_partitions, isolation, brokers.seconds),
            brokers.seconds,
        )
    except KafkaException as exception:
        return [failed("topic", name, connector_error(exception.args[0], brokers.servers, name))]
    bounds.update(found)
    records = sum(high - low for low, high, _ in found.values())
    readable = "may be read" if topic.permitted is not None else "Kafka does not say whether it may be read"
    said = f"{counted(topic.partitions, 'partition')}, {counted(records, 'record')}, {readable}"
    return [ok("topic", name, said), *_kept(name, config)]


def _kept(topic: str, config: dict[str, str]) -> list[Check]:
    """Warnings about records that may go before they are read."""
    checks = []
    policy = config.get("cleanup.policy", "")
    kept = hours(config.get("retention.ms", ""))
    if "compact" in policy:
        checks.append(
            warn(
                "retention",
                topic,
                "is compacted: of several events with the same key Kafka keeps only the last",
                "Set cleanup.policy=delete, unless records are always read before they are compacted",
            )
        )
    if kept is not None and kept < OUTAGE_HOURS and "delete" in policy:
        checks.append(
            warn(
                "retention",
                topic,
                f"records are deleted after {duration(kept)}: a longer outage loses them",
                f"Set the topic's retention.ms to {OUTAGE_HOURS} h ({OUTAGE_HOURS * _HOUR_MS}) or more",
            )
        )
    return checks
