"""What librdkafka's errors mean to a person, and what to do about them."""

from confluent_kafka import KafkaError

from connector.errors import ConfigurationError, ConnectorError, PermissionRefusedError, UnavailableError

K = KafkaError
UNREACHABLE = frozenset(
    {
        K._ALL_BROKERS_DOWN,
        K._TRANSPORT,
        K._RESOLVE,
        K._TIMED_OUT,
        K._TIMED_OUT_QUEUE,
        K._MSG_TIMED_OUT,
        K._WAIT_COORD,
        K.REQUEST_TIMED_OUT,
        K.NETWORK_EXCEPTION,
        K.BROKER_NOT_AVAILABLE,
        K.LEADER_NOT_AVAILABLE,
        K.NOT_ENOUGH_REPLICAS,
        K.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        K.COORDINATOR_LOAD_IN_PROGRESS,
        K.COORDINATOR_NOT_AVAILABLE,
    }
)
UNKNOWN_TOPIC = frozenset({K._UNKNOWN_TOPIC, K._UNKNOWN_PARTITION, K.UNKNOWN_TOPIC_OR_PART})
REFUSED_CREDENTIALS = frozenset({K._AUTHENTICATION, K.SASL_AUTHENTICATION_FAILED})
REFUSED_MECHANISM = frozenset({K.UNSUPPORTED_SASL_MECHANISM, K.ILLEGAL_SASL_STATE})
REFUSED_TOPIC = frozenset({K.TOPIC_AUTHORIZATION_FAILED})
REFUSED_GROUP = frozenset({K.GROUP_AUTHORIZATION_FAILED})
REFUSED = REFUSED_CREDENTIALS | REFUSED_MECHANISM | REFUSED_TOPIC | REFUSED_GROUP

_BEHIND_FATAL = {
    KafkaError(code).str(): code
    for code in (
        K.FENCED_INSTANCE_ID,
        K.UNRELEASED_INSTANCE_ID,
        K.GROUP_AUTHORIZATION_FAILED,
        K.TOPIC_AUTHORIZATION_FAILED,
        K.CLUSTER_AUTHORIZATION_FAILED,
        K.GROUP_MAX_SIZE_REACHED,
        K.INVALID_REQUEST,
        K.UNSUPPORTED_ASSIGNOR,
        K.UNSUPPORTED_VERSION,
        K._UNSUPPORTED_FEATURE,
    )
}
"""What a consumer's fatal error begins with, where the client keeps the code to itself."""

_TELLING = (REFUSED_CREDENTIALS | REFUSED_MECHANISM, {K._SSL}, {K._RESOLVE}, {K._TRANSPORT})
"""Causes, the most telling first."""

_NO_CONNECTION = "Connect to "
"""What librdkafka's error begins with, after the broker's name, where not even a connection was had."""


class ErrorTrail:
    """Remembers the errors that a client reports by itself: an operation that merely timed out failed because of one
    of them. Give it to the client as `on_error`."""

    def __init__(self) -> None:
        self._errors: list[KafkaError] = []

    def __call__(self, error: KafkaError) -> None:
        self._errors = [*self._errors[-19:], error]

    def cause(self, error: KafkaError) -> KafkaError:
        """What made `error` happen, as far as it is known; else itself."""
        if error.code() in UNREACHABLE:
            for kind in _TELLING:
                for earlier in reversed(self._errors):
                    if earlier.code() in kind:
                        return earlier
        return error

    def hung_up(self, error: KafkaError) -> bool:
        """Whether connections were taken and closed: the client says that brokers are down though no attempt to
        connect failed, whichever way the operation that needed them ended with `error`."""
        cause = self.cause(error)
        if cause is not error:
            return cause.code() == K._TRANSPORT and _NO_CONNECTION not in cause.str()
        told = (earlier.code() for earlier in self._errors)
        return error.code() in UNREACHABLE and K._ALL_BROKERS_DOWN in told

    def silent(self, error: KafkaError) -> bool:
        """Whether nothing came back at all: the client itself has nothing to tell, for it still waits for the first
        answer, and `error` is only that this took too long."""
        return error.code() in (K._TRANSPORT, K._TIMED_OUT) and not self._errors


def behind_fatal(error: KafkaError) -> KafkaError:
    """The error that a consumer's fatal one is about, as far as its text tells; else itself."""
    if error.code() == K._FATAL:
        text = error.str().removeprefix("Fatal error: ")
        for known, code in _BEHIND_FATAL.items():
            if text.startswith(f"{known}:"):
                return KafkaError(code, known, True)
    return error


def connector_error(
    error: KafkaError, bootstrap_servers: str, topic: str | None = None, group_id: str | None = None
) -> ConnectorError:
    """The same error in words that say what to do. `topic` and `group_id`: what was being used."""
    code = error.code()
    if code in REFUSED_CREDENTIALS:
        return PermissionRefusedError(
            f"Kafka at {bootstrap_servers} refuses the credentials",
            "Check security.protocol, sasl.mechanism, sasl.username and sasl.password in kafka.properties",
        )
    if code in REFUSED_MECHANISM:
        return PermissionRefusedError(
            f"Kafka at {bootstrap_servers} does not offer this SASL mechanism",
            "Check sasl.mechanism in kafka.properties against the listener's configuration",
        )
    if code == K._SSL:
        return UnavailableError(
            f"no TLS connection to Kafka at {bootstrap_servers}: {error.str()}",
            "Check that the listener speaks TLS, and ssl.ca.location in kafka.properties",
        )
    if code in REFUSED_TOPIC:
        return PermissionRefusedError(
            f"Kafka refuses access to {_topic(topic)}",
            "Grant it (kafka-acls.sh --add): Describe and Read on what is read, Describe and Write on what is written",
        )
    if code in REFUSED_GROUP:
        return PermissionRefusedError(
            f"Kafka refuses access to {_group(group_id)}",
            "Grant Read on the group (kafka-acls.sh --add --operation Read --group ...)",
        )
    if code == K.CLUSTER_AUTHORIZATION_FAILED:
        return PermissionRefusedError(
            "Kafka refuses an operation on the cluster", "Grant IdempotentWrite on it"
        )
    if code in UNKNOWN_TOPIC:
        return UnavailableError(
            f"{_topic(topic)} does not exist at {bootstrap_servers}",
            "Create it (kafka-topics.sh --create), or check its name",
        )
    if code == K.TOPIC_EXCEPTION:
        return ConfigurationError(
            f"{_topic(topic)} is no valid topic name", "Use letters, digits, '.', '_', '-'"
        )
    if code == K.FENCED_INSTANCE_ID:
        return ConfigurationError(
            f"another process is a member of {_group(group_id)} under the same instance id",
            "Give each process a kafka.group_instance_id of its own",
        )
    if code in (K.UNSUPPORTED_VERSION, K._UNSUPPORTED_FEATURE, K.UNSUPPORTED_ASSIGNOR):
        return ConfigurationError(
            f"Kafka at {bootstrap_servers} does not support what is configured: {error.str()}",
            "kafka.group_protocol: consumer needs brokers 4.0 or later; otherwise use classic",
        )
    if code in UNREACHABLE:
        return UnavailableError(
            f"no broker of Kafka at {bootstrap_servers} can be reached ({error.str() or error.name()})",
            "Check kafka.bootstrap_servers, and that the brokers' advertised addresses are reachable from here",
        )
    return UnavailableError(f"Kafka answers {error.name()}: {error.str()}", "")


def _topic(topic: str | None) -> str:
    return f"topic {topic}" if topic else "the topic"


def _group(group_id: str | None) -> str:
    return f"consumer group {group_id}" if group_id else "the consumer group"
