"""Whether all librdkafka properties in the settings may be passed through."""

from collections.abc import Iterator

from connector.settings.model import Settings
from connector.settings.problem import Problem
from connector.settings.reserved import ELSEWHERE, FIXED, NOT_WITH_CONSUMER_PROTOCOL

_WHOLE_NUMBERS = ("session.timeout.ms", "max.poll.interval.ms")


def owned_properties(settings: Settings) -> Iterator[Problem]:
    """Problems with properties that are passed through."""
    for path, properties in (
        (("kafka", "properties"), settings.kafka.properties),
        (("dead_letters", "properties"), settings.dead_letters.properties),
    ):
        for name, value in properties.items():
            here = (*path, name)
            if name in ELSEWHERE:
                yield Problem(here, f"is set by {ELSEWHERE[name]}; use that")
            elif name in FIXED:
                yield Problem(here, f"cannot be chosen: {FIXED[name]}")
            elif name in NOT_WITH_CONSUMER_PROTOCOL and settings.kafka.group_protocol == "consumer":
                yield Problem(
                    here, "is the broker's to say with kafka.group_protocol: consumer; leave it out"
                )
            elif name in _WHOLE_NUMBERS and not value.isdecimal():
                yield Problem(here, "must be a whole number of milliseconds")
