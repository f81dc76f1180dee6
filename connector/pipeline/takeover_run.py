"""Carries out a takeover before the groups start, waiting for Kafka as long as it takes."""

import asyncio
import logging
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from connector.core.routing import routing_digest
from connector.errors import ConfigurationError
from connector.kafka.configuration import admin_properties, made
from connector.kafka.group_offsets import group_offsets, set_group_offsets
from connector.pipeline.kafka_options import consumer_options
from connector.pipeline.takeover import Commits, Takeover, takeover
from connector.settings.groups import consumer_groups
from connector.settings.model import Settings

logger = logging.getLogger("connector")

_AGAIN_SECONDS = 5.0
_REFUSED = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)


async def take_over(settings: Settings, accept_routing_change: bool, stopped: Callable[[], bool]) -> None:
    """Returns when the groups may start, or when `stopped`. Raises ConfigurationError where a person must decide."""
    groups = [group.group_id for group in consumer_groups(settings)]
    admin = made(AdminClient, admin_properties(consumer_options(settings, groups[0]), lambda error: None))
    said = ""
    while not stopped():
        try:
            await asyncio.to_thread(_take_over, admin, settings, groups, accept_routing_change)
            return
        except KafkaException as error:
            what = str(error.args[0].str() if error.args else error)
            if what != said:
                logger.warning("waiting for Kafka before the groups start", extra={"fields": {"error": what}})
                said = what
        await asyncio.sleep(_AGAIN_SECONDS)


def _take_over(
    admin: AdminClient, settings: Settings, groups: list[str], accept_routing_change: bool
) -> None:
    commits = {group: group_offsets(admin, group) for group in groups}
    base = settings.kafka.group_id
    others = [base] if groups != [base] else [f"{base}-{region}" for region in settings.regions]
    digest = routing_digest(settings.routing, tuple(settings.regions))
    decided = takeover(commits, [_allowed(admin, other) for other in others], digest, accept_routing_change)
    if decided.offsets:
        _write(admin, groups, decided)


def _allowed(admin: AdminClient, group: str) -> Commits:
    """What a group of the other layout has committed; nothing where we may not see it."""
    try:
        return group_offsets(admin, group)
    except KafkaException as error:
        if error.args and error.args[0].code() in _REFUSED:
            return {}
        raise


def _write(admin: AdminClient, groups: list[str], decided: Takeover) -> None:
    logger.warning(
        f"offsets of {', '.join(groups)} are set: {decided.reason}",
        extra={"fields": {"partitions": len(decided.offsets)}},
    )
    for group in groups:
        try:
            set_group_offsets(admin, group, decided.offsets)
        except KafkaException as error:
            if error.args and error.args[0].code() == KafkaError.UNKNOWN_MEMBER_ID:
                raise ConfigurationError(
                    f"the offsets of group {group} must be set, but it has members",
                    "Stop every process of the group and start again",
                ) from error
            raise
