"""SIGTERM while records keep coming; and again, when that takes too long."""

import pytest

from connector.simulator import FaultKind
from tests.parts.end_to_end.records import turns
from tests.parts.end_to_end.scene import Scene, numbers, out_of_order

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(12)]


def test_sigterm_under_load_commits_all_that_was_delivered(scene: Scene) -> None:
    kafka = {"group_per_region": False}
    connector = scene.run(kafka=kafka)
    scene.wait_until_reading(scene.group)
    with scene.load(PEOPLE) as load:
        scene.wait_until(lambda: len(scene.accepted()) > 300, "records are delivered")
        assert connector.stop() == 0
    late = scene.publish(turns(PEOPLE, 1))
    delivered = set(scene.accepted())
    offsets = scene.offsets(scene.group)
    committed = {
        each.record.number for each in load.published if each.offset < offsets[each.record.partition]
    }
    assert delivered == committed

    second = scene.run(kafka=kafka)
    scene.wait_until_committed(scene.group)
    assert second.stop() == 0
    published = [*load.published, *late]
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert scene.sent_again() == 0
    assert out_of_order(published, scene.accepted()) == []


def test_a_second_signal_ends_it_at_once_and_loses_nothing(scene: Scene) -> None:
    settings = {"kafka": {"group_per_region": False}, "drain_deadline_seconds": 300}
    connector = scene.run(**settings)
    scene.wait_until_reading(scene.group)
    scene.inject(FaultKind.HANG)
    published = scene.publish(turns(PEOPLE, 3))
    scene.wait_until(lambda: scene.requests() > 0, "a request hangs")
    connector.signal()
    scene.wait_until(lambda: "stopping" in connector.output(), "it is stopping")
    connector.signal()
    assert connector.wait() == 130
    assert "Traceback" not in connector.output()
    # It has left: nobody waits for its session to time out.
    group = scene.cluster.admin().describe_consumer_groups([scene.group])[scene.group].result(30)
    assert list(group.members) == []

    scene.customerio.clear_faults()
    second = scene.run(**settings)
    scene.wait_until_committed(scene.group)
    assert second.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(published))


BUG = """
from connector.core.core import Core

Core.answer = lambda *_: 1 / 0
"""
"""A `sitecustomize` with which no answer of Customer.io can be dealt with."""


def test_a_bug_ends_it_and_loses_nothing(scene: Scene) -> None:
    (scene.folder / "sitecustomize.py").write_text(BUG)
    settings = {"kafka": {"group_per_region": False}}
    connector = scene.run(variables={"PYTHONPATH": str(scene.folder)}, **settings)
    scene.wait_until_reading(scene.group)
    before = scene.offsets(scene.group)
    published = scene.publish(turns(PEOPLE, 3))
    assert connector.wait() == 70
    assert "ZeroDivisionError" in connector.output()
    assert scene.offsets(scene.group) == before
    group = scene.cluster.admin().describe_consumer_groups([scene.group])[scene.group].result(30)
    assert list(group.members) == []

    second = scene.run(**settings)
    scene.wait_until_committed(scene.group)
    assert second.stop() == 0
    assert sorted(set(scene.accepted())) == sorted(numbers(published))
