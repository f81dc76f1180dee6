"""Kafka's brokers: whether they answer, and what the checks of topics and groups need to ask them."""

from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from connector.checks.deadline import Deadline
from connector.checks.result import Check, counted, fail, failed, ok
from connector.errors import ConnectorError, ExitCode
from connector.kafka.configuration import (
    ConsumerOptions,
    ProducerOptions,
    consumer_properties,
    made,
    producer_properties,
)
from connector.kafka.reach import Reached, reached

REACH_SECONDS = 8.0
ANSWER_SECONDS = 5.0
ADDRESSES_MAX = 5


class Brokers(NamedTuple):
    """Brokers that answer, and who asks."""

    kafka: Reached
    servers: str
    user: str
    """The principal that permissions are granted to, as far as the settings say."""
    deadline: Deadline

    @property
    def admin(self) -> AdminClient:
        return self.kafka.admin

    @property
    def seconds(self) -> float:
        """How long an answer is waited for."""
        return self.deadline.seconds(ANSWER_SECONDS)

    def grant(self, operation: str, kind: str, name: str) -> str:
        """The command that permits an operation on a `topic` or `group`."""
        return (
            f"Permit it: kafka-acls.sh --bootstrap-server {self.servers} --add --allow-principal {self.user} "
            f"--operation {operation} --{kind} {name}"
        )


def check_brokers(
    options: ConsumerOptions | ProducerOptions, what: str, deadline: Deadline
) -> tuple[Check, Brokers | None]:
    """Whether the brokers answer to these options. `what` names them."""
    servers = options.bootstrap_servers
    try:
        _check_properties(options)
    except ConnectorError as error:
        return fail(what, servers, error.what, error.fix, ExitCode.USAGE), None
    try:
        kafka = reached(options, deadline.seconds(REACH_SECONDS))
    except ConnectorError as error:
        return failed(what, servers, error), None
    return ok(what, servers, _found(kafka)), Brokers(kafka, servers, _user(options.properties), deadline)


def _found(kafka: Reached) -> str:
    """With the addresses that the brokers advertise, which everything but the first word goes to."""
    brokers = kafka.metadata.brokers
    addresses = [f"{broker.host}:{broker.port}" for _, broker in sorted(brokers.items())]
    shown = ", ".join(addresses[:ADDRESSES_MAX]) + (", ..." if len(addresses) > ADDRESSES_MAX else "")
    return f"cluster {kafka.cluster_id or 'without an id'}, {counted(len(brokers), 'broker')} at {shown}"


def _check_properties(options: ConsumerOptions | ProducerOptions) -> None:
    """Raises ConfigurationError where librdkafka refuses them together. Such clients reach for no broker yet."""

    def ignore(error: KafkaError) -> None:
        pass

    if isinstance(options, ConsumerOptions):
        made(Consumer, consumer_properties(options, ignore)).close()
    else:
        made(Producer, producer_properties(options, ignore))


def _user(properties: Mapping[str, str]) -> str:
    name = properties.get("sasl.username")
    return f"User:{name}" if name else "User:<the connector's>"
