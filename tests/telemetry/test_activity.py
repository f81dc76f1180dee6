"""What the log tells of a group that works: little, and enough."""

import logging

import msgspec
import pytest

from connector.core.answers import Accepted, PartlyRejected, Unavailable
from connector.core.effects import TopicPartition
from connector.telemetry.activity import TOPICS_MAX, Activity
from tests.telemetry.examples import snapshot

Lines = list[tuple[str, str]]


class Log:
    """A group's activity, and the lines that it has written."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 0.0
        self.activity = Activity("group", lambda: self.now)
        self._caplog = caplog
        caplog.set_level(logging.INFO, "connector")

    def lines(self) -> Lines:
        lines = [(record.levelname.lower(), record.message) for record in self._caplog.records]
        self._caplog.clear()
        return lines

    def look(self, after_seconds: float, **dead_letters: int) -> None:
        self.now += after_seconds
        self.activity.looked(snapshot(dead_letters=dead_letters), False)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


def partitions(topic: str, *numbers: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in numbers]


def test_what_is_assigned_and_revoked_is_told_with_what_it_comes_to(log: Log) -> None:
    log.activity.assigned(partitions("events", 0, 1, 2, 3))
    log.activity.assigned(partitions("others", 0))
    log.activity.revoked(partitions("events", 1, 2, 3, 9))
    log.activity.revoked(partitions("events", 9))
    log.activity.revoked([*partitions("events", 0), *partitions("others", 0)])
    assert log.lines() == [
        ("info", "4 partitions assigned; now 4 of events"),
        ("info", "1 partition assigned; now 4 of events, 1 of others"),
        ("info", "3 partitions revoked; now 1 of events, 1 of others"),
        ("info", "2 partitions revoked; now none"),
    ]


def test_a_pattern_that_matches_many_topics_makes_no_long_line(log: Log) -> None:
    log.activity.assigned([TopicPartition(f"topic-{number:03}", 0) for number in range(500)])
    ((_, line),) = log.lines()
    assert line.count("topic-") == TOPICS_MAX
    assert line.endswith(", ...")


def test_the_first_acceptance_of_each_region_is_told_once(log: Log) -> None:
    for region in ("us", "us", "eu", "us"):
        log.activity.request_finished(region, Accepted())
    assert log.lines() == [
        ("info", "region us has accepted its first events"),
        ("info", "region eu has accepted its first events"),
    ]


def test_failures_that_open_no_breaker_are_told_by_region_and_cause(log: Log) -> None:
    for kind, status in (("5xx", 503), ("5xx", 500), ("timeout", None), ("cancelled", None)):
        log.activity.request_finished("us", Unavailable(kind, status))
    log.activity.request_finished("us", Unavailable("reset", reused_connection_broke=True))
    log.activity.request_finished("eu", Unavailable("429", 429))
    log.activity.request_finished("eu", PartlyRejected((), attributable=False))
    log.look(1)
    assert log.lines() == []
    log.look(3)
    assert log.lines() == [
        ("warning", "3 requests to region us failed in the last 4 s: 5xx 2, timeout 1"),
        ("warning", "2 requests to region eu failed in the last 4 s: 429 1, unreadable 1"),
    ]


def test_dead_letters_are_told_by_reason_once_a_minute(log: Log) -> None:
    log.look(0)
    log.look(1, invalid=4)
    log.look(5, invalid=4, undecodable=3)
    log.look(5, invalid=5, undecodable=3)
    assert log.lines() == [("warning", "7 dead letters in the last 5 s: invalid 4, undecodable 3")]
    log.look(60, invalid=5, undecodable=3)
    assert log.lines() == [("warning", "1 dead letter in the last minute: invalid 1")]
    log.look(600, invalid=5, undecodable=3)
    assert log.lines() == []


def test_the_last_look_tells_what_is_left(log: Log) -> None:
    log.activity.looked(msgspec.structs.replace(snapshot(), dead_letters={"poison": 2}), True)
    assert log.lines() == [("warning", "2 dead letters in the last 1 s: poison 2")]
