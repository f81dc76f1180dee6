"""librdkafka properties that are not passed through, because a setting stands for them or a promise rests
on them."""

from collections.abc import Iterator

from connector.settings.model import Settings
from connector.settings.problem import Problem

_ELSEWHERE = {
    "bootstrap.servers": "kafka.bootstrap_servers",
    "metadata.broker.list": "kafka.bootstrap_servers",
    "group.id": "kafka.group_id",
    "group.instance.id": "kafka.group_instance_id",
    "group.protocol": "kafka.group_protocol",
    "auto.offset.reset": "kafka.auto_offset_reset",
    "queued.max.messages.kbytes": "kafka.prefetch_bytes",
    "fetch.message.max.bytes": "kafka.partition_fetch_bytes",
    "max.partition.fetch.bytes": "kafka.partition_fetch_bytes",
}
_FIXED = {
    "enable.auto.commit": "offsets are committed once records have an ending",
    "auto.commit.enable": "offsets are committed once records have an ending",
    "enable.auto.offset.store": "offsets are committed once records have an ending",
    "enable.idempotence": "dead letters must not be lost or reordered",
    "acks": "a dead letter counts once Kafka has acknowledged it",
    "request.required.acks": "a dead letter counts once Kafka has acknowledged it",
    "transactional.id": "dead letters are written outside of transactions",
}
_NOT_WITH_CONSUMER_PROTOCOL = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms")
_WHOLE_NUMBERS = ("session.timeout.ms", "max.poll.interval.ms")


def owned_properties(settings: Settings) -> Iterator[Problem]:
    """Problems with properties that are passed through."""
    for path, properties in (
        (("kafka", "properties"), settings.kafka.properties),
        (("dead_letters", "properties"), settings.dead_letters.properties),
    ):
        for name, value in properties.items():
            here = (*path, name)
            if name in _ELSEWHERE:
                yield Problem(here, f"is set by {_ELSEWHERE[name]}; use that")
            elif name in _FIXED:
                yield Problem(here, f"cannot be chosen: {_FIXED[name]}")
            elif name in _NOT_WITH_CONSUMER_PROTOCOL and settings.kafka.group_protocol == "consumer":
                yield Problem(
                    here, "is the broker's to say with kafka.group_protocol: consumer; leave it out"
                )
            elif name in _WHOLE_NUMBERS and not value.isdecimal():
                yield Problem(here, "must be a whole number of milliseconds")
