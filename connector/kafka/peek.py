"""Records read without joining a group and without committing anything."""

import time
from collections.abc import Iterator, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaTopicPartition
from msgspec.structs import replace

from connector.core.effects import TopicPartition
from connector.errors import UnavailableError
from connector.events.record import Record
from connector.kafka.abandon import abandon
from connector.kafka.configuration import ConsumerOptions, made, reader_properties
from connector.kafka.errors import ErrorTrail, connector_error
from connector.kafka.headers import read_headers
from connector.kafka.verdict import Verdict, verdict_on

POLL_SECONDS = 0.2
PREFETCH_BYTES = 4 * 1024 * 1024

_SILENT = (Verdict.NOTHING, Verdict.GROUP, Verdict.PASSING, Verdict.UNREACHABLE)
"""Errors that end nothing: the end of a partition, whatever concerns the group that is not joined, and attempts that
librdkafka makes again."""


def peek(
    options: ConsumerOptions, starts: Mapping[TopicPartition, int], timeout_seconds: float
) -> Iterator[Record]:
    """Records from these offsets on, each partition's in order, until every log has come to its end or the time is
    up. Raises ConnectorError where nothing can be read."""
    trail = ErrorTrail()
    little = replace(options, prefetch_bytes=PREFETCH_BYTES)
    client = made(Consumer, reader_properties(little, trail))
    unfinished = set(starts)
    deadline = time.monotonic() + timeout_seconds
    answered = False
    try:
        client.assign([KafkaTopicPartition(*partition, offset) for partition, offset in starts.items()])
        while unfinished and (remaining := deadline - time.monotonic()) > 0:
            message = client.poll(min(POLL_SECONDS, remaining))
            if message is None:
                continue
            error = message.error()
            answered = answered or error is None or error.code() == KafkaError._PARTITION_EOF
            if error is None:
                read_headers([message])
                yield cast(Record, message)
            elif error.code() == KafkaError._PARTITION_EOF:
                unfinished.discard(_partition(message))
            elif verdict_on(error, of_partition=message.topic() is not None) not in _SILENT:
                raise connector_error(error, options.bootstrap_servers, message.topic())
        if unfinished and not answered:
            raise _nothing(trail, options.bootstrap_servers, timeout_seconds)
    except KafkaException as exception:
        raise connector_error(exception.args[0], options.bootstrap_servers) from None
    finally:
        if answered:
            client.close()
        else:
            abandon(client)


def _nothing(trail: ErrorTrail, bootstrap_servers: str, seconds: float) -> UnavailableError:
    timed_out = KafkaError(KafkaError._TIMED_OUT)
    cause = trail.cause(timed_out)
    if cause is not timed_out:
        told = connector_error(cause, bootstrap_servers)
        if isinstance(told, UnavailableError):
            return told
    return UnavailableError(
        f"Kafka at {bootstrap_servers} has handed over no record in {seconds:g} s", "Try a longer --timeout"
    )


def _partition(message: Message) -> TopicPartition:
    return TopicPartition(message.topic() or "", message.partition() or 0)
