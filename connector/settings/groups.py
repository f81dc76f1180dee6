"""Which consumer groups the settings mean, and what the core of each is told."""

from typing import NamedTuple

from connector.core.options import BufferOptions, CoreOptions
from connector.errors import ConfigurationError
from connector.settings.model import KafkaSettings, Settings

SESSION_TIMEOUT_MS = 45_000
"""librdkafka's and the brokers' default."""


class ConsumerGroup(NamedTuple):
    """One consumer group and the regions whose records it delivers."""

    group_id: str
    serves: tuple[str, ...]


def consumer_groups(settings: Settings, region: str | None = None) -> tuple[ConsumerGroup, ...]:
    """The groups that this process runs: all, or only that of `region`.

    Raises ConfigurationError for a region that is not configured, or that has no group of its own.
    """
    regions = tuple(settings.regions)
    if region is not None and region not in regions:
        raise ConfigurationError(
            f"there is no region {region}", f"Configured are: {', '.join(regions) or 'none'}"
        )
    kafka = settings.kafka
    each = kafka.group_per_region if kafka.group_per_region is not None else len(regions) > 1
    if not each:
        if region is not None and len(regions) > 1:
            raise ConfigurationError(
                f"region {region} has no consumer group of its own", "Set kafka.group_per_region: true"
            )
        return (ConsumerGroup(kafka.group_id, regions),)
    return tuple(
        ConsumerGroup(f"{kafka.group_id}-{name}", (name,)) for name in regions if region in (None, name)
    )


def core_options(
    settings: Settings, serves: tuple[str, ...], *, groups: int = 1, accept_dead_letters: bool = False
) -> CoreOptions:
    """What the core of the group that serves these regions is told. `groups` run in this process and share
    its buffer."""
    assert serves, "a group serves a region"
    assert set(serves) <= set(settings.regions), "a group serves configured regions"
    buffer = BufferOptions(
        max_bytes=max(1, settings.buffer.max_bytes // groups),
        max_records=max(1, settings.buffer.max_records // groups),
    )
    return CoreOptions(
        regions=tuple(settings.regions),
        serves=serves,
        batch=settings.batch,
        delivery=settings.delivery,
        dedup=settings.dedup,
        buffer=buffer,
        lanes=settings.lanes,
        ledger=settings.ledger,
        dead_letter_share=settings.dead_letters.share,
        routing=settings.routing,
        auto_offset_reset=settings.kafka.auto_offset_reset,
        session_timeout_seconds=session_timeout_seconds(settings.kafka),
        accept_dead_letters=accept_dead_letters,
    )


def session_timeout_seconds(kafka: KafkaSettings) -> float:
    """How long the group waits for a member that is silent, as far as the settings say."""
    return int(kafka.properties.get("session.timeout.ms", SESSION_TIMEOUT_MS)) / 1000
