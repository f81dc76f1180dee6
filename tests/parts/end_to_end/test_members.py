"""A second member joins and leaves while records keep coming."""

import pytest

from connector.simulator import FaultKind
from tests.parts.end_to_end.records import turns
from tests.parts.end_to_end.scene import Scene, numbers, out_of_order

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(12)]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_second_member_joins_and_leaves_and_nothing_is_lost_repeated_or_out_of_order(
    scene: Scene, protocol: str
) -> None:
    kafka = {"group_protocol": protocol, "group_per_region": False}
    first = scene.run(kafka=kafka)
    scene.wait_until_reading(scene.group)
    with scene.load(PEOPLE) as load:
        second = scene.run(kafka=kafka)
        scene.wait_until(lambda: first.assigned() == second.assigned() == 2, "two partitions each")
        seen = len(load.published)
        scene.wait_until(lambda: len(load.published) > seen + 200, "more records come")
        assert second.stop() == 0
        scene.wait_until(lambda: first.assigned() == 4, "the first member has all partitions again")
    scene.wait_until_committed(scene.group)
    assert first.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(load.published))
    assert scene.sent_again() == 0
    assert out_of_order(load.published, scene.accepted()) == []


def test_incident_28_a_revoke_ends_in_time_though_customerio_hangs(scene: Scene) -> None:
    settings = {
        "kafka": {"group_per_region": False, "revoke_deadline_seconds": 1},
        "delivery": {"timeout_seconds": 10},
    }
    first = scene.run(**settings)
    scene.wait_until_reading(scene.group)
    scene.inject(FaultKind.HANG)
    published = scene.publish(turns(PEOPLE, 3))
    scene.wait_until(lambda: scene.requests() > 0, "requests hang")
    second = scene.run(**settings)
    scene.wait_until(lambda: first.assigned() == second.assigned() == 2, "two partitions each")
    group = scene.cluster.admin().describe_consumer_groups([scene.group])[scene.group].result(30)
    assert len(group.members) == 2
    assert scene.accepted() == []
    scene.customerio.clear_faults()
    scene.wait_until_committed(scene.group)
    assert (first.stop(), second.stop()) == (0, 0)
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert scene.sent_again() == 0
    assert out_of_order(published, scene.accepted()) == []
