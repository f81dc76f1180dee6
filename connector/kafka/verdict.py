"""What an error that comes instead of a record means for the consumer."""

from enum import Enum

from confluent_kafka import KafkaError

from connector.kafka.errors import (
    REFUSED_CREDENTIALS,
    REFUSED_GROUP,
    REFUSED_MECHANISM,
    REFUSED_TOPIC,
    UNKNOWN_TOPIC,
)

K = KafkaError


class Verdict(Enum):
    NOTHING = "nothing"
    """No error at all."""
    FATAL = "fatal"
    """This client is of no use any more."""
    OUT_OF_RANGE = "out of range"
    """The log does not hold the position: retention overtook it, or the log was cut."""
    UNREACHABLE = "unreachable"
    """No broker can be reached."""
    CREDENTIALS = "credentials"
    """The connection is refused."""
    GROUP = "group"
    """The group is refused, or in trouble. librdkafka goes on trying."""
    TOPIC = "topic"
    """The topic is missing or refused. librdkafka goes on trying."""
    PASSING = "passing"
    """One of many attempts failed. librdkafka goes on trying."""
    DROPPED = "dropped"
    """Records of this partition may have been skipped."""


_KINDS: tuple[tuple[frozenset[int], Verdict], ...] = (
    (frozenset({K._PARTITION_EOF}), Verdict.NOTHING),
    (
        frozenset({K._AUTO_OFFSET_RESET, K._LOG_TRUNCATION, K.OFFSET_OUT_OF_RANGE}),
        Verdict.OUT_OF_RANGE,
    ),
    (frozenset({K._ALL_BROKERS_DOWN}), Verdict.UNREACHABLE),
    (REFUSED_CREDENTIALS | REFUSED_MECHANISM | {K._SSL}, Verdict.CREDENTIALS),
    (REFUSED_GROUP | {K._MAX_POLL_EXCEEDED}, Verdict.GROUP),
    (UNKNOWN_TOPIC | REFUSED_TOPIC | {K.TOPIC_EXCEPTION}, Verdict.TOPIC),
    (frozenset({K._TRANSPORT, K._RESOLVE, K._TIMED_OUT}), Verdict.PASSING),
)
_BY_CODE = {code: verdict for codes, verdict in _KINDS for code in codes}


def verdict_on(error: KafkaError, of_partition: bool) -> Verdict:
    """`of_partition`: it came in the place of a partition's records."""
    if error.fatal() or error.code() == K._FATAL:
        return Verdict.FATAL
    return _BY_CODE.get(error.code(), Verdict.DROPPED if of_partition else Verdict.GROUP)
