"""A first word with the brokers, for commands that do not wait for them to come up."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]

from connector.errors import UnavailableError
from connector.kafka.abandon import abandon
from connector.kafka.configuration import ConsumerOptions, ProducerOptions, admin_properties, made
from connector.kafka.errors import REFUSED_CREDENTIALS, REFUSED_MECHANISM, ErrorTrail, connector_error

Answer = TypeVar("Answer")

ATTEMPT_SECONDS = 0.5
DOWN_SECONDS = 3.0
"""Brokers that have all refused for so long are down as far as a person who waits is concerned."""

AGAIN_SECONDS = 0.2

_NOT_YET = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    }
)
_HOPELESS = REFUSED_CREDENTIALS | REFUSED_MECHANISM
_DOWN = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._SSL})


class Reached(NamedTuple):
    """Brokers that answer."""

    admin: AdminClient
    metadata: ClusterMetadata
    """Brokers, and the topics that these credentials may see."""

    @property
    def cluster_id(self) -> str:
        return self.metadata.cluster_id or ""

    @property
    def has_controller(self) -> bool:
        """Without one, librdkafka waits in vain for whatever it asks of the controller."""
        return self.metadata.controller_id in self.metadata.brokers


def reached(options: ConsumerOptions | ProducerOptions, timeout_seconds: float) -> Reached:
    """Waits for an answer, but not longer than there is hope. Raises ConnectorError."""
    trail = ErrorTrail()
    admin = made(AdminClient, admin_properties(options, trail))
    began = time.monotonic()
    while True:
        try:
            # Of all topics: one that is asked for by its name would be created where brokers do that.
            return Reached(admin, admin.list_topics(timeout=ATTEMPT_SECONDS))
        except KafkaException as exception:
            error: KafkaError = exception.args[0]
        admin.poll(0)
        cause = trail.cause(error)
        waited = time.monotonic() - began
        hopeless = cause.code() in _HOPELESS or (cause.code() in _DOWN and waited >= DOWN_SECONDS)
        if hopeless or waited >= timeout_seconds:
            abandon(admin)
            if trail.hung_up(error):
                raise _hung_up(options.bootstrap_servers)
            if trail.silent(error):
                raise _silent(options.bootstrap_servers)
            raise connector_error(cause, options.bootstrap_servers)


def patiently(ask: Callable[[], Answer], timeout_seconds: float) -> Answer:
    """Asks again while the brokers say that they are only not ready yet, as a new cluster's coordinators do when they
    are first needed. Raises KafkaException."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return ask()
        except KafkaException as exception:
            if exception.args[0].code() not in _NOT_YET or time.monotonic() >= deadline:
                raise
        time.sleep(AGAIN_SECONDS)


def _hung_up(bootstrap_servers: str) -> UnavailableError:
    """What librdkafka does not name: neither a connection that fails nor an answer."""
    return UnavailableError(
        f"Kafka at {bootstrap_servers} takes connections and closes them at once",
        "Check security.protocol in kafka.properties: the listener may want TLS or SASL; or the port",
    )


def _silent(bootstrap_servers: str) -> UnavailableError:
    """Connections that are taken and lead nowhere, or are never refused: the client does not tell these apart."""
    return UnavailableError(
        f"Kafka at {bootstrap_servers} does not answer: it neither refuses connections nor closes them",
        "Check the port in kafka.bootstrap_servers, whether the brokers are stopped or overloaded, and firewalls",
    )


def answer(future: "Future[Answer]", deadline: float) -> Answer:
    """What the brokers answer until `deadline` (monotonic seconds). Raises KafkaException."""
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
