"""SIGTERM while the broker stands still: one deadline, whatever is held, and nothing is lost."""

import json
import time

import pytest

from connector.pipeline.deadline import GRACE_SECONDS
from connector.simulator import FaultKind
from tests.parts.conftest import StartKafka
from tests.parts.end_to_end.conftest import MakeScene
from tests.parts.end_to_end.records import turns
from tests.parts.end_to_end.scene import numbers
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(12)]
DEADLINE_SECONDS = 4.0
SETTINGS = {
    "kafka": {
        "revoke_deadline_seconds": 5,
        "properties": {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1500},
    },
    "drain_deadline_seconds": DEADLINE_SECONDS,
}
"""The group waits not long for a member that could not say that it leaves."""


@pytest.fixture(scope="module")
def cluster(start_kafka: StartKafka) -> KafkaCluster:
    """One that may be made to stand still."""
    return start_kafka(nodes=1)


@pytest.mark.parametrize("held", ["nothing", "requests", "acceptances", "dead letters"])
def test_a_stop_keeps_its_deadline_while_the_broker_stands_still(
    cluster: KafkaCluster, make_scene: MakeScene, held: str
) -> None:
    scene = make_scene(cluster)
    scene.create_topics()
    connector = scene.run(**SETTINGS)
    scene.wait_until_reading()
    published = []
    if held != "nothing":
        scene.inject(FaultKind.HANG, delay_seconds=2)
        published = scene.publish(turns(PEOPLE, 3))
        scene.wait_until(
            lambda: connector.readiness()[1].get("buffered_records") == len(published), "all are held"
        )
    cluster.nodes[0].pause()
    try:
        if held == "acceptances":
            scene.customerio.clear_faults()
            scene.wait_until(lambda: len(set(scene.accepted())) == len(published), "all is accepted")
        if held == "dead letters":
            scene.customerio.clear_faults()
            scene.inject(FaultKind.REJECT_ITEMS, share=1.0)
            pending = "a dead letter waits for the broker"
            scene.wait_until(
                lambda: connector.readiness()[1].get("dead_letters_pending") == len(published), pending
            )
        began = time.monotonic()
        code = connector.stop()
        took = time.monotonic() - began
    finally:
        cluster.heal()
    assert code == 0
    assert took < DEADLINE_SECONDS + GRACE_SECONDS
    assert "Traceback" not in connector.output()

    scene.customerio.clear_faults()
    second = scene.run(**SETTINGS)
    scene.wait_until(lambda: second.readiness()[0] == 200, "the next one is ready")
    scene.wait_until_committed()
    assert second.stop() == 0
    dead = {int(json.loads(letter.value or b"")["attributes"]["number"]) for letter in scene.dead_letters()}
    assert set(scene.accepted()) | dead == set(numbers(published))


def test_a_stop_keeps_its_deadline_before_the_groups_have_started(
    cluster: KafkaCluster, make_scene: MakeScene
) -> None:
    scene = make_scene(cluster)
    scene.create_topics()
    cluster.nodes[0].pause()
    try:
        connector = scene.run(**SETTINGS)
        scene.wait_until(lambda: connector.readiness()[0] == 503, "it waits for the broker")
        began = time.monotonic()
        code = connector.stop()
        took = time.monotonic() - began
    finally:
        cluster.heal()
    assert code == 0
    assert took < DEADLINE_SECONDS + GRACE_SECONDS
