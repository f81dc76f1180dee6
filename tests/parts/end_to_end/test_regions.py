"""Regions beside each other: one that is down, and groups that are made anew or divided otherwise."""

from itertools import pairwise
from typing import Any

import pytest

from connector.simulator import FaultKind
from tests.parts.end_to_end.records import Published, event, turns
from tests.parts.end_to_end.scene import Scene, numbers

pytestmark = pytest.mark.parts

AMERICANS = [f"us-{number}" for number in range(8)]
EUROPEANS = [f"eu-{number}" for number in range(8)]
RULES = [{"region": "eu", "id_pattern": "^eu-"}]


def publish(scene: Scene) -> list[Published]:
    """Of people in both regions, in turn."""
    return scene.publish(turns([*AMERICANS, *EUROPEANS], 3))


def run(scene: Scene, *arguments: str, rules: Any = RULES, **kafka: Any) -> Any:
    return scene.run(*arguments, kafka=kafka, routing={"rules": rules}, drain_deadline_seconds=1)


def test_a_region_that_is_down_moves_or_stalls_no_offset_of_the_other(scene: Scene) -> None:
    us, eu = scene.groups
    connector = run(scene)
    scene.wait_until_reading()
    published = publish(scene)
    scene.wait_until_committed()
    scene.inject(FaultKind.STATUS, status=503, region="eu")
    eu_before = scene.offsets(eu)
    seen = [scene.offsets(us)]

    def us_is_at_the_end() -> bool:
        seen.append(scene.offsets(us))
        return seen[-1] == scene.ends()

    for number in range(5):
        published += publish(scene)
        # Somebody who is new: whoever waits already starts no further request.
        published += scene.publish([event(f"eu-new-{number}")])
        scene.wait_until(us_is_at_the_end, "us goes on")
    for earlier, later in (*pairwise(seen), (eu_before, scene.offsets(eu))):
        assert all(later[partition] >= offset for partition, offset in earlier.items())
    assert scene.offsets(eu) != scene.ends()

    def degraded() -> list[str]:
        status, health = connector.readiness()
        assert status == 200
        return [each["part"] for each in health["degraded"] if each["part"].startswith("region")]

    scene.wait_until(lambda: degraded() == ["region eu"], "eu is said to be down, and it alone")
    scene.customerio.clear_faults()
    scene.wait_until_committed()
    assert connector.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert scene.sent_again() == 0


def test_one_group_for_all_regions_and_then_one_for_each_that_go_on_where_it_stood(scene: Scene) -> None:
    together = run(scene, group_per_region=False)
    scene.wait_until_reading(scene.group)
    published = publish(scene)
    scene.wait_until_committed(scene.group)
    assert together.stop() == 0
    assert all(scene.offsets(group) == {} for group in scene.groups)
    stood, requests = scene.offsets(scene.group), scene.requests()

    apart = run(scene)
    scene.wait_until(
        lambda: all(scene.offsets(group) == stood for group in scene.groups), "offsets are copied"
    )
    scene.wait_until(lambda: apart.readiness()[0] == 200, "it reads")
    assert scene.requests() == requests
    published += publish(scene)
    scene.wait_until_committed()
    assert apart.stop() == 0
    assert scene.offsets(scene.group) == stood
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert scene.sent_again() == 0


def test_a_process_for_each_region_starts_when_it_likes(scene: Scene) -> None:
    us, eu = scene.groups
    published = publish(scene)
    first = run(scene, "--region", "us")
    scene.wait_until_committed(us)
    second = run(scene, "--region", "eu")
    scene.wait_until_committed(eu)
    assert (first.stop(), second.stop()) == (0, 0)
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert scene.sent_again() == 0


def test_changed_routing_rules_are_refused_until_they_are_accepted(scene: Scene) -> None:
    us, eu = scene.groups
    before = run(scene)
    scene.wait_until_reading()
    scene.inject(FaultKind.STATUS, status=503, region="eu")
    published = scene.publish([event(person) for person in (*AMERICANS, *EUROPEANS)])
    scene.wait_until(lambda: scene.at_the_end(us), "us is at the end")
    assert before.stop() == 0
    assert not scene.at_the_end(eu)
    assert scene.accepted("eu") == []

    # What us has passed as another's is its own now.
    refused = run(scene, rules=[])
    assert refused.wait() == 2
    (line,) = [line for line in refused.output().splitlines() if line.startswith("error: ")]
    assert "--accept-routing-change" in line
    assert refused.output().rstrip().endswith(line)
    assert scene.at_the_end(us)

    accepted = run(scene, "--accept-routing-change", rules=[])
    scene.wait_until(lambda: len(scene.accepted("us")) == len(published), "us has everybody")
    scene.wait_until_committed()
    assert accepted.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(published))
    again = run(scene, rules=[])
    scene.wait_until(lambda: again.readiness()[0] == 200, "it asks no more")
    assert again.stop() == 0
