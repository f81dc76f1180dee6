"""librdkafka's properties: what a person passes through, what is set here and why, and what is refused."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from confluent_kafka import KafkaError, KafkaException

from connector.errors import ConfigurationError
from connector.kafka.client_log import ClientLog
from connector.settings.reserved import ELSEWHERE, FIXED, NOT_WITH_CONSUMER_PROTOCOL

Client = TypeVar("Client")
ErrorCallback = Callable[[KafkaError], None]

CLIENT_ID = "cio-connector"


class ConsumerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the poll thread is told when it is made."""

    bootstrap_servers: str
    topics: tuple[str, ...]
    """Names; one that begins with `^` is a regular expression."""
    group_id: str
    group_protocol: Literal["classic", "consumer"] = "classic"
    """`consumer` is KIP-848, for brokers 4.0 and later."""
    group_instance_id: str | None = None
    prefetch_bytes: int = 16 * 1024 * 1024
    """Bytes that librdkafka holds ahead at most, all partitions together, beside one fetch on its way."""
    partition_fetch_bytes: int = 1024 * 1024
    """Bytes asked of a partition in one fetch. A larger record is still read."""
    records_per_poll_max: int = 1000
    """Records handed over at a time at most: keeps the turns of both threads short."""
    ends_seconds: float = 5.0
    """How often the ends of the logs are asked for."""
    assignment_seconds: float = 10.0
    """How long an assignment waits for what must be known of its partitions; the others follow by themselves."""
    properties: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Any other librdkafka property."""


class ProducerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a producer reaches Kafka."""

    bootstrap_servers: str
    properties: Mapping[str, str] = msgspec.field(default_factory=dict)


FETCH_WAIT_MS = 10
"""So an idle client asks each broker 100 times a second."""
FETCH_BYTES_MIN = 256 * 1024

_MESSAGE_BYTES_DEFAULT = 1_000_000
"""librdkafka's."""


def consumer_properties(options: ConsumerOptions, on_error: ErrorCallback) -> dict[str, Any]:
    """The poll thread's client. Raises ConfigurationError for a property that would break a promise."""
    refuse(options.properties)
    properties = _common(options.bootstrap_servers, on_error) | {
        "group.id": options.group_id,
        "group.protocol": options.group_protocol,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A position that the log no longer has is ours to deal with: any other value moves it without a word.
        "auto.offset.reset": "error",
        "queued.max.messages.kbytes": max(1, options.prefetch_bytes // 1024),
        # A partition's share at most; small records weigh more in memory than their bytes say.
        "queued.min.messages": 20_000,
        # With the default of a second, a queue that was full stays empty for most of one.
        "fetch.queue.backoff.ms": 20,
        "fetch.max.bytes": max(
            options.partition_fetch_bytes, options.prefetch_bytes // 2, _message_bytes(options.properties)
        ),
        "fetch.message.max.bytes": options.partition_fetch_bytes,
        "max.poll.interval.ms": 300_000,
        "statistics.interval.ms": 0,
    }
    if "fetch.wait.max.ms" not in options.properties:
        # A fetch that is answered as soon as there is a single record costs broker and client more than the record
        # does: at 10,000 events/s all of a core. So the broker gathers for a moment, or until there is plenty: of a
        # single partition, too, which gives no more than is asked of it.
        properties["fetch.wait.max.ms"] = FETCH_WAIT_MS
        properties["fetch.min.bytes"] = max(1, min(FETCH_BYTES_MIN, options.partition_fetch_bytes // 4))
    if options.group_instance_id:
        properties["group.instance.id"] = options.group_instance_id
    if options.group_protocol == "classic":
        properties["partition.assignment.strategy"] = "cooperative-sticky"
    else:
        for name in NOT_WITH_CONSUMER_PROTOCOL:
            if name in options.properties:
                raise ConfigurationError(
                    f"the librdkafka property {name} does not go with the consumer group protocol",
                    "The broker decides it; leave it out",
                )
    return properties | dict(options.properties)


def reader_properties(options: ConsumerOptions, on_error: ErrorCallback) -> dict[str, Any]:
    """A client without a group that reads up to where logs end, and is told at once that it is there."""
    alone = msgspec.structs.replace(options, group_instance_id=None)
    return consumer_properties(alone, on_error) | {
        "enable.partition.eof": True,
        "fetch.wait.max.ms": FETCH_WAIT_MS,
        "fetch.min.bytes": 1,
    }


def _message_bytes(properties: Mapping[str, str]) -> int:
    """`message.max.bytes`, than which librdkafka lets no fetch be smaller. What is no number it refuses itself."""
    chosen = properties.get("message.max.bytes", "")
    return int(chosen) if chosen.isdecimal() else _MESSAGE_BYTES_DEFAULT


def admin_properties(options: ConsumerOptions | ProducerOptions, on_error: ErrorCallback) -> dict[str, Any]:
    """A client that asks and administrates."""
    refuse(options.properties)
    return _common(options.bootstrap_servers, on_error) | dict(options.properties)


def producer_properties(options: ProducerOptions, on_error: ErrorCallback) -> dict[str, Any]:
    """A producer that loses and reorders nothing."""
    refuse(options.properties)
    return (
        _common(options.bootstrap_servers, on_error)
        | {"enable.idempotence": True, "acks": "all", "compression.type": "zstd", "linger.ms": 5}
        | dict(options.properties)
    )


def refuse(properties: Mapping[str, str]) -> None:
    """Raises ConfigurationError for a property that would break a promise."""
    for name in properties:
        fix = f"Set {ELSEWHERE[name]}" if name in ELSEWHERE else FIXED.get(name)
        if fix is not None:
            raise ConfigurationError(
                f"the librdkafka property {name} cannot be set", fix[0].upper() + fix[1:]
            )


def is_incremental(options: ConsumerOptions) -> bool:
    """Whether a rebalance moves single partitions (cooperative, KIP-848), or takes all and deals them out anew."""
    strategy = options.properties.get("partition.assignment.strategy", "cooperative-sticky")
    return options.group_protocol == "consumer" or "cooperative" in strategy


def made(kind: Callable[[dict[str, Any]], Client], properties: dict[str, Any]) -> Client:
    """A client of this kind. Raises ConfigurationError for what librdkafka does not understand."""
    try:
        return kind(properties)
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        raise ConfigurationError(
            f"librdkafka refuses the configuration: {error.str()}",
            "Its properties are listed at https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md",
        ) from None


def _common(bootstrap_servers: str, on_error: ErrorCallback) -> dict[str, Any]:
    return {
        "bootstrap.servers": bootstrap_servers,
        "client.id": CLIENT_ID,
        "error_cb": on_error,
        "logger": ClientLog(),
        "log.connection.close": False,
    }
