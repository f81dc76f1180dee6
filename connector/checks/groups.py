"""The consumer groups: whether they may be joined, and where they stand. None is joined."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupType, KafkaError, KafkaException
from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from connector.checks.brokers import Brokers
from connector.checks.deadline import Deadline
from connector.checks.result import Check, counted, fail, failed, ok, warn
from connector.core.effects import TopicPartition
from connector.errors import ExitCode
from connector.kafka.broker_configs import broker_config
from connector.kafka.errors import REFUSED_GROUP, connector_error
from connector.kafka.group_offsets import group_offsets
from connector.kafka.reach import answer, patiently
from connector.kafka.topic_facts import Bounds
from connector.pipeline.standing import lag, standings
from connector.settings.groups import ConsumerGroup
from connector.settings.model import KafkaSettings

PROTOCOLS = "group.coordinator.rebalance.protocols"
_NOT_TOLD = frozenset({KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION})


def check_groups(
    brokers: Brokers,
    kafka: KafkaSettings,
    groups: Sequence[ConsumerGroup],
    bounds: Mapping[TopicPartition, Bounds],
) -> list[Check]:
    """`bounds`: of the partitions that are read, as far as they are known."""
    checks = [check for group in groups for check in _group(brokers, kafka, group.group_id, bounds)]
    if kafka.group_protocol == "consumer":
        checks.append(_protocol(brokers))
    return checks


def _group(
    brokers: Brokers, kafka: KafkaSettings, group_id: str, bounds: Mapping[TopicPartition, Bounds]
) -> list[Check]:
    try:
        described = patiently(lambda: _described(brokers, group_id), brokers.seconds)
        commits = patiently(
            lambda: group_offsets(brokers.admin, group_id, bounds, brokers.seconds), brokers.seconds
        )
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() in REFUSED_GROUP:
            return [_refused(brokers, group_id)]
        return [failed("group", group_id, connector_error(error, brokers.servers, group_id=group_id))]
    operations = described and described.authorized_operations
    if operations is not None and AclOperation.READ not in operations:
        return [_refused(brokers, group_id)]
    parts = ["may be joined" if operations is not None else "Kafka does not say whether it may be joined"]
    members = len(described.members) if described is not None else 0
    if members:
        parts.append(f"{counted(members, 'member')} now")
    where = standings(bounds, commits, kafka.auto_offset_reset)
    committed = sum(each.committed for each in where.values())
    if where and not committed:
        parts.append(f"nothing is committed yet: it begins with the {kafka.auto_offset_reset} record")
    elif where:
        parts.append(f"offsets are committed in {committed} of {len(where)} partitions")
    if where:
        parts.append(f"{counted(lag(where, bounds), 'record')} to read")
    checks = [ok("group", group_id, ", ".join(parts))]
    missed = sum(each.missed for each in where.values())
    if missed:
        gone = f"retention has deleted {counted(missed, 'record')} that it had not read"
        checks.append(
            warn("group", group_id, gone, "Raise retention.ms of the topics; find out why it was down")
        )
    return checks


def _described(brokers: Brokers, group_id: str) -> Any:
    """None where the brokers do not describe groups so far."""
    deadline = Deadline.after(brokers.seconds)
    asked = brokers.admin.describe_consumer_groups(
        [group_id], include_authorized_operations=True, request_timeout=brokers.seconds
    )
    try:
        return answer(asked[group_id], deadline.at)
    except KafkaException as exception:
        if exception.args[0].code() in _NOT_TOLD:
            return None
        raise


def _refused(brokers: Brokers, group_id: str) -> Check:
    fix = brokers.grant("Read", "group", group_id)
    return fail("group", group_id, "Kafka refuses access to it", fix, ExitCode.NO_PERMISSION)


def _protocol(brokers: Brokers) -> Check:
    """Whether the brokers know KIP-848. Only a broker's configuration says so to somebody who joins no group."""
    check, name = "group_protocol", "consumer"
    config = broker_config(brokers.kafka, brokers.seconds)
    fix = "Use brokers 4.0 or later with it, or set kafka.group_protocol: classic"
    if PROTOCOLS in config:
        protocols = [protocol.strip() for protocol in config[PROTOCOLS].split(",")]
        if name in protocols:
            return ok(check, name, "the brokers support it")
        return fail(check, name, f"the brokers have only {config[PROTOCOLS]} in {PROTOCOLS}", fix)
    if config or not _lists_by_type(brokers):
        return fail(check, name, "the brokers do not know it", fix)
    return warn(
        check,
        name,
        "whether the brokers support it cannot be told without DescribeConfigs on the cluster",
        "Brokers 4.0 and later do, unless it is switched off",
    )


def _lists_by_type(brokers: Brokers) -> bool:
    """Whether groups can be listed by their type, which is as old as the protocol's first release."""
    deadline = Deadline.after(brokers.seconds)
    asked = brokers.admin.list_consumer_groups(
        types={ConsumerGroupType.CONSUMER}, request_timeout=brokers.seconds
    )
    try:
        answer(asked, deadline.at)
    except KafkaException as exception:
        return exception.args[0].code() not in _NOT_TOLD
    return True
