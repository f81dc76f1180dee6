"""What the arguments of the `dlq` commands name."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from connector.cli.configuration import settings_in_effect
from connector.dead_letters.filters import Filters, filters_from_text
from connector.errors import ConfigurationError, UnavailableError
from connector.kafka.configuration import ConsumerOptions, ProducerOptions


class Named(NamedTuple):
    """Where dead letters are."""

    topic: str
    """Empty where none is named."""
    consumer: ConsumerOptions
    """Its group is never joined: it begins the ids of replays."""

    @property
    def servers(self) -> str:
        return self.consumer.bootstrap_servers

    @property
    def producer(self) -> ProducerOptions:
        return ProducerOptions(bootstrap_servers=self.servers, properties=self.consumer.properties)

    def require_topic(self) -> str:
        """The dead-letter topic. Raises ConfigurationError."""
        if not self.topic:
            raise ConfigurationError(
                "it is not clear which topic holds the dead letters", "Give --topic, or dead_letters.topic"
            )
        return self.topic


def named(arguments: argparse.Namespace) -> Named:
    """From the arguments and else from the settings. Raises ConfigurationError."""
    settings = settings_in_effect(arguments, ())
    servers = arguments.bootstrap_servers or settings.kafka.bootstrap_servers
    if not servers:
        raise ConfigurationError(
            "no brokers are named", "Give --bootstrap-servers, or kafka.bootstrap_servers"
        )
    topic = arguments.topic or settings.dead_letters.topic
    options = ConsumerOptions(
        bootstrap_servers=servers,
        topics=(),
        group_id=settings.kafka.group_id,
        partition_fetch_bytes=settings.kafka.partition_fetch_bytes,
        properties={**settings.kafka.properties, **dict(arguments.properties)},
    )
    return Named(topic, options)


def filters(arguments: argparse.Namespace) -> Filters:
    """Raises ConfigurationError."""
    return filters_from_text(
        arguments.reason,
        arguments.source_topic,
        arguments.since,
        arguments.until,
        arguments.place,
        datetime.now(UTC),
    )


def not_there(places: Sequence[str], topic: str) -> UnavailableError:
    """Nothing is at places that were asked for."""
    return UnavailableError(
        f"there is no dead letter {', '.join(places)} in topic {topic}",
        "dlq list shows what is there; retention may have deleted it",
    )
