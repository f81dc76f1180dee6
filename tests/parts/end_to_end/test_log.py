"""What a person sees who only looks at the log."""

import json

import pytest

from connector.simulator import FaultKind
from tests.parts.end_to_end.records import PARTITIONS, Record, turns
from tests.parts.end_to_end.scene import Scene

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(8)]


def test_the_log_tells_of_partitions_first_deliveries_failures_and_dead_letters_and_not_of_events(
    scene: Scene,
) -> None:
    scene.inject(FaultKind.STATUS, status=500, region="us", requests=2)
    scene.publish([*turns(PEOPLE, 6), *turns([f"eu-{name}" for name in PEOPLE], 6, region="eu")])
    scene.publish([Record(b"key", b"no JSON"), Record(b"key", b"{}")])
    connector = scene.run()
    scene.wait_until_committed()
    assert connector.stop() == 0
    lines = [json.loads(line) for line in connector.output().splitlines()]
    told = [(line["level"], line["message"], line.get("group")) for line in lines]
    us, eu = scene.groups
    for group, region in ((us, "us"), (eu, "eu")):
        assigned = f"{PARTITIONS} partitions assigned; now {PARTITIONS} of {scene.topic}"
        assert told.count(("info", assigned, group)) == 1
        assert told.count(("info", f"region {region} has accepted its first events", group)) == 1
    warnings = [(message, group) for level, message, group in told if level == "warning"]
    failed = [message for message, group in warnings if group == us and message.endswith(": 5xx 2")]
    assert len(failed) == 1 and failed[0].startswith("2 requests to region us failed in the last ")
    dead = [message for message, group in warnings if group == us and "dead letters in the last" in message]
    assert len(dead) == 1 and dead[0].endswith("invalid 1, undecodable 1")
    assert len(lines) < 20
    assert "person-" not in connector.output()
