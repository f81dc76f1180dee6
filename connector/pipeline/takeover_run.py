"""Carries out a takeover before the groups start, waiting for Kafka as long as it takes."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from connector.core.routing import routing_digest
from connector.errors import ConfigurationError, ConnectorError, PermissionRefusedError, UnavailableError
from connector.kafka.abandon import abandon
from connector.kafka.configuration import admin_properties, made
from connector.kafka.errors import ErrorTrail, connector_error
from connector.kafka.group_offsets import group_offsets, set_group_offsets
from connector.pipeline.background import in_background
from connector.pipeline.kafka_options import consumer_options
from connector.pipeline.takeover import Commits, Takeover, takeover
from connector.settings.groups import consumer_groups
from connector.settings.model import Settings

logger = logging.getLogger("connector")
Answer = TypeVar("Answer")

_AGAIN_SECONDS = 1.0
_REACH_SECONDS = 2.0
_STOP_SECONDS = 2.0
"""An attempt gets so long to come to its end once all shall stop. One that does not is as if it had been killed."""


async def take_over(
    settings: Settings,
    accept_routing_change: bool,
    stop: asyncio.Event,
    waits: Callable[[ConnectorError], None],
) -> None:
    """Returns when the groups may start, or when it shall `stop`. `waits` is told why it does not yet. Raises
    ConfigurationError where a person must decide."""
    brokers = _Brokers(settings)
    said = ""
    while not stop.is_set():
        try:
            if await _unless_stopped(
                in_background(lambda: _take_over(brokers, settings, accept_routing_change)), stop
            ):
                return
        except (UnavailableError, PermissionRefusedError) as error:
            waits(error)
            if str(error) != said:
                said = str(error)
                logger.warning("waiting for Kafka before the groups start", extra={"fields": {"error": said}})
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)
    brokers.give_up()


async def _unless_stopped(attempt: "asyncio.Future[None]", stop: asyncio.Event) -> bool:
    """Whether the attempt has come to its end. Raises what it raised."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((attempt, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not attempt.done():
        await asyncio.wait((attempt,), timeout=_STOP_SECONDS)
    if attempt.done():
        attempt.result()
        return True
    attempt.cancel()
    return False


class _Brokers:
    """What is asked of Kafka. Raises ConnectorError."""

    def __init__(self, settings: Settings) -> None:
        self._options = consumer_options(settings, settings.kafka.group_id)
        self._trail = ErrorTrail()
        self._admin = self._new_client()

    def _new_client(self) -> AdminClient:
        return made(AdminClient, admin_properties(self._options, self._trail))

    def give_up(self) -> None:
        """They may not answer for as long as this process lives."""
        abandon(self._admin)

    def reach(self) -> None:
        """A first word, which does not wait as long as the others where nobody answers."""
        self._ask(lambda: self._admin.list_topics(timeout=_REACH_SECONDS))

    def committed(self, group: str) -> Commits:
        return self._ask(lambda: group_offsets(self._admin, group), group)

    def committed_if_allowed(self, group: str) -> Commits:
        """Nothing where we may not see it."""
        try:
            return self.committed(group)
        except PermissionRefusedError:
            return {}

    def commit(self, group: str, decided: Takeover) -> None:
        self._ask(lambda: set_group_offsets(self._admin, group, decided.offsets), group)

    def _ask(self, ask: Callable[[], Answer], group: str | None = None) -> Answer:
        try:
            return ask()
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
        if error.code() == KafkaError.UNKNOWN_MEMBER_ID:
            raise ConfigurationError(
                f"the offsets of group {group} must be set, but it has members",
                "Stop every process of the group and start again",
            )
        self._admin.poll(0)
        if error.code() == KafkaError.NOT_COORDINATOR:
            # A client that has once learnt who the coordinator is never asks again.
            self._admin = self._new_client()
        raise connector_error(self._trail.cause(error), self._options.bootstrap_servers, group_id=group)


def _take_over(brokers: _Brokers, settings: Settings, accept_routing_change: bool) -> None:
    brokers.reach()
    groups = [group.group_id for group in consumer_groups(settings)]
    commits = {group: brokers.committed(group) for group in groups}
    base = settings.kafka.group_id
    others = [base] if groups != [base] else [f"{base}-{region}" for region in settings.regions]
    digest = routing_digest(settings.routing, tuple(settings.regions))
    other_layout = [brokers.committed_if_allowed(other) for other in others]
    decided = takeover(commits, other_layout, digest, accept_routing_change)
    if decided.offsets:
        logger.warning(
            f"offsets of {', '.join(groups)} are set: {decided.reason}",
            extra={"fields": {"partitions": len(decided.offsets)}},
        )
        for group in groups:
            brokers.commit(group, decided)
