"""Everything about Kafka, one question after the other: answers take milliseconds where there are any."""

from collections.abc import Sequence

from confluent_kafka import KafkaException

from connector.checks.brokers import Brokers, check_brokers
from connector.checks.dead_letters import CHECK as DEAD_LETTER_TOPIC
from connector.checks.dead_letters import check_dead_letters
from connector.checks.deadline import Deadline
from connector.checks.groups import check_groups
from connector.checks.result import Check, fail, skip
from connector.checks.topics import check_topics
from connector.core.routing import Route, Router
from connector.errors import ConfigurationError, ExitCode
from connector.kafka.abandon import abandon
from connector.kafka.group_offsets import group_offsets
from connector.kafka.lookup import isolation_level
from connector.pipeline.kafka_options import consumer_options, dead_letter_options
from connector.pipeline.takeover import takeover
from connector.settings.groups import ConsumerGroup
from connector.settings.model import Settings

_UNREACHED = "since Kafka cannot be used"


def check_kafka(
    settings: Settings, groups: Sequence[ConsumerGroup], route: Route | None, deadline: Deadline
) -> list[Check]:
    """Brokers, topics, groups and the dead-letter topic. Blocks until the deadline at most."""
    kafka, dead_letters = settings.kafka, settings.dead_letters
    first, brokers = check_brokers(consumer_options(settings, groups[0].group_id), "kafka", deadline)
    if brokers is None:
        return [
            first,
            *(skip("topic", name, _UNREACHED) for name in kafka.topics),
            *(skip("group", group.group_id, _UNREACHED) for group in groups),
            skip(DEAD_LETTER_TOPIC, dead_letters.topic, _UNREACHED),
        ]
    topics = check_topics(brokers, kafka.topics, isolation_level(kafka.properties))
    checks = [
        first,
        *topics.checks,
        *check_groups(brokers, kafka, groups, topics.bounds),
        *_check_takeover(brokers, settings, groups, route),
        *_check_dead_letters(brokers, settings, topics.record_bytes_max, deadline),
    ]
    _leave(brokers, checks)
    return checks


def _check_dead_letters(
    brokers: Brokers, settings: Settings, record_bytes_max: int, deadline: Deadline
) -> list[Check]:
    topic = settings.dead_letters.topic
    if not settings.dead_letters.properties:
        return check_dead_letters(brokers, topic, record_bytes_max)
    # Properties of its own may mean another user.
    first, own = check_brokers(dead_letter_options(settings).producer, "kafka_of_dead_letters", deadline)
    if own is None:
        return [first, skip(DEAD_LETTER_TOPIC, topic, _UNREACHED)]
    checks = [first, *check_dead_letters(own, topic, record_bytes_max)]
    _leave(own, checks)
    return checks


def _leave(brokers: Brokers, checks: Sequence[Check]) -> None:
    """After the last question."""
    if any(check.exit_code is ExitCode.UNAVAILABLE for check in checks):
        abandon(brokers.admin)


def _check_takeover(
    brokers: Brokers, settings: Settings, groups: Sequence[ConsumerGroup], route: Route | None
) -> list[Check]:
    """Whether `run` would refuse to start for what the groups have committed. Says nothing where it would not."""
    try:
        commits = {
            group.group_id: group_offsets(brokers.admin, group.group_id, timeout_seconds=brokers.seconds)
            for group in groups
        }
        digest = Router(settings.routing, tuple(settings.regions), route).digest
        takeover(commits, (), digest, accept_routing_change=False)
    except KafkaException:
        return []  # the group's own check has said so
    except ConfigurationError as error:
        return [fail("routing", "", error.what, error.fix)]
    return []
