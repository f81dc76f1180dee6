import json

import msgspec
import pytest

from connector.core.effects import TopicPartition
from connector.telemetry.health import HealthInputs, KafkaState, liveness, readiness
from tests.telemetry.conftest import MONOTONIC, WALL
from tests.telemetry.examples import health_inputs, partition, region, retried, snapshot


def degraded(inputs: HealthInputs) -> dict[str, str]:
    """part -> reason of everything that is named as degraded."""
    return {each["part"]: each["reason"] for each in readiness(inputs)[1]["degraded"]}


def test_alive_while_both_threads_turn() -> None:
    alive, details = liveness(health_inputs())
    assert alive
    assert details["standing_still"] == []


@pytest.mark.parametrize(
    ("inputs", "still"),
    [
        (health_inputs(loop_age=61), "event loop"),
        (health_inputs(poll_age=61), "poll thread of group group-0"),
    ],
)
def test_thread_that_stands_still_is_not_alive_and_not_ready(inputs: HealthInputs, still: str) -> None:
    alive, details = liveness(inputs)
    assert not alive
    assert details["standing_still"] == [still]
    ready, details = readiness(inputs)
    assert not ready
    assert details["not_ready"] == [f"{still} stands still"]


def test_outage_does_not_end_a_life() -> None:
    down = health_inputs(
        snapshot(regions=(region("us", "unauthorised"), region("eu", "open"))),
        kafka=KafkaState.UNREACHABLE,
        draining=True,
    )
    assert liveness(down)[0]


def test_ready_when_joined_even_without_a_partition() -> None:
    ready, details = readiness(health_inputs(snapshot(partitions=())))
    assert ready
    assert details["not_ready"] == []
    assert details["degraded"] == []


@pytest.mark.parametrize("kafka", [KafkaState.CONNECTING, KafkaState.UNREACHABLE, KafkaState.REFUSED])
def test_not_ready_while_kafka_is_unusable(kafka: KafkaState) -> None:
    inputs = health_inputs(kafka=kafka)
    ready, details = readiness(inputs)
    assert not ready
    assert details["not_ready"] == [f"Kafka, group group-0: {kafka.value}"]
    assert degraded(inputs) == {"group group-0": kafka.value}


def test_not_ready_before_any_group_was_started() -> None:
    assert not readiness(HealthInputs(0.0, (), (), {}, WALL, MONOTONIC))[0]


def test_not_ready_while_stopping() -> None:
    ready, details = readiness(health_inputs(draining=True))
    assert not ready
    assert details["not_ready"] == ["stopping"]


def test_one_region_that_refuses_degrades_all_of_them_make_unready() -> None:
    one = health_inputs(snapshot(regions=(region("us", "unauthorised", "401"), region("eu"))))
    assert readiness(one)[0]
    assert degraded(one) == {"region us": "unauthorised"}
    every = health_inputs(
        snapshot(regions=(region("us", "unauthorised"),)),
        snapshot(regions=(region("eu", "misconfigured"),)),
    )
    ready, details = readiness(every)
    assert not ready
    assert details["not_ready"] == ["every region refuses"]
    assert degraded(every) == {"region us": "unauthorised", "region eu": "misconfigured"}


@pytest.mark.parametrize("state", ["throttled", "open"])
def test_region_that_fails_but_does_not_refuse_degrades(state: str) -> None:
    inputs = health_inputs(snapshot(regions=(region("us", state),)))
    assert readiness(inputs)[0]
    assert degraded(inputs) == {"region us": state}


def test_a_person_whose_requests_fail_is_named_by_place_time_and_cause_while_the_region_is_well() -> None:
    inputs = health_inputs(snapshot(regions=(region(retried=(retried(), retried(18, 59.0))),)))
    ready, details = readiness(inputs)
    assert ready
    assert details["regions"]["us"]["state"] == "healthy"
    assert details["regions"]["us"]["retrying"][0] == {
        "partition": "events-3",
        "offset": 17,
        "operations": 1,
        "attempts": 14,
        "failing_seconds": 312.0,
        "why": "500",
    }
    (part,) = details["degraded"]
    assert part == {
        "part": "region us",
        "reason": "retrying",
        "detail": "offset 17 of events-3 has failed for 312 s in 14 attempts: 500",
    }


def test_in_an_outage_the_region_is_named_and_not_each_request() -> None:
    inputs = health_inputs(snapshot(regions=(region("us", "open", "down", (retried(),)),)))
    assert [part["reason"] for part in readiness(inputs)[1]["degraded"]] == ["open"]


def test_stopped_partition_is_named() -> None:
    stopped = partition(2, waiting="stopped_dead_letters", watermark=7)
    inputs = health_inputs(snapshot(partitions=(partition(1), stopped)))
    ready, details = readiness(inputs)
    assert ready
    assert details["stopped_partitions"] == ["events-2"]
    assert degraded(inputs) == {"partition events-2": "stopped_dead_letters"}


def test_each_partition_has_its_reason_and_the_age_of_its_progress() -> None:
    waiting = partition(
        1,
        watermark=10,
        next_offset=12,
        waiting="breaker_open",
        still_seconds=75.0,
        oldest_timestamp_ms=int((WALL - 90) * 1000),
    )
    inputs = health_inputs(
        snapshot(partitions=(partition(0), waiting)), ends={TopicPartition("events", 1): 110}
    )
    details = readiness(inputs)[1]
    assert details["partitions"][1] == {
        "partition": "events-1",
        "group": "group-0",
        "waiting": "breaker_open",
        "progress_age_seconds": 75.0,
        "oldest_record_age_seconds": 90.0,
        "watermark": 10,
        "outstanding": 2,
        "lag": 100,
    }
    assert degraded(inputs) == {"partition events-1": "breaker_open"}


def test_dead_letters_that_cannot_be_written_are_named_with_the_cause() -> None:
    (group,) = health_inputs().groups
    inputs = msgspec.structs.replace(
        health_inputs(),
        groups=(msgspec.structs.replace(group, dead_letter_error="Kafka refuses. Permit it"),),
        dead_letter_topic_missing="there is none. Create it",
    )
    ready, details = readiness(inputs)
    assert ready
    assert details["degraded"] == [
        {"part": "dead-letter topic", "reason": "missing", "detail": "there is none. Create it"},
        {
            "part": "dead letters of group group-0",
            "reason": "not_written",
            "detail": "Kafka refuses. Permit it",
        },
    ]


def test_idle_partition_is_not_degraded_however_long() -> None:
    assert degraded(health_inputs(snapshot(partitions=(partition(still_seconds=1e6),)))) == {}


def test_records_missed_are_named() -> None:
    inputs = health_inputs(snapshot(records_missed=5), snapshot(records_missed=7))
    ready, details = readiness(inputs)
    assert ready
    assert details["records_missed"] == 12
    assert degraded(inputs) == {"reading": "records_missed"}


def test_region_of_several_groups_shows_the_worst() -> None:
    inputs = health_inputs(
        snapshot(regions=(region("us", "open", "down"),)), snapshot(regions=(region("us", "healthy"),))
    )
    assert readiness(inputs)[1]["regions"]["us"]["state"] == "open"


def test_how_a_region_recovered_is_no_detail_of_one_that_is_well() -> None:
    inputs = health_inputs(
        snapshot(regions=(region("us", "healthy", "a probe was answered"), region("eu", "open", "503")))
    )
    regions = readiness(inputs)[1]["regions"]
    assert (regions["us"]["detail"], regions["eu"]["detail"]) == ("", "503")


def test_both_are_plain_json() -> None:
    inputs = health_inputs(snapshot(partitions=(partition(),)))
    for verdict in (liveness(inputs), readiness(inputs)):
        assert json.loads(json.dumps(verdict[1])) == verdict[1]
