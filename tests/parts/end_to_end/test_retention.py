"""Records that are deleted before they were read: nobody can deliver them, but somebody hears of it."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition

from connector.simulator import FaultKind
from tests.parts.end_to_end.process import Connector
from tests.parts.end_to_end.records import event, partition_of, turns
from tests.parts.end_to_end.scene import Scene, numbers

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(12)]
OF_PARTITION_0 = [person for person in PEOPLE if partition_of(person) == 0]
KAFKA = {"group_per_region": False}


def delete(scene: Scene, until: dict[int, int]) -> None:
    """As retention does: what lies before these offsets is gone."""
    places = [TopicPartition(scene.topic, partition, offset) for partition, offset in until.items()]
    for deleted in scene.cluster.admin().delete_records(places).values():
        deleted.result(30)


def says_so(connector: Connector) -> bool:
    """Readiness counts what was missed and names it, and is ready all the same."""
    status, health = connector.readiness()
    degraded = [each["reason"] for each in health.get("degraded", ())]
    return status == 200 and health["records_missed"] > 0 and "records_missed" in degraded


def test_what_was_deleted_while_nobody_read_is_counted_and_the_rest_delivered(scene: Scene) -> None:
    first = scene.run(kafka=KAFKA)
    scene.wait_until_reading(scene.group)
    delivered = scene.publish(turns(PEOPLE, 2))
    scene.wait_until_committed(scene.group)
    assert first.stop() == 0
    gone = scene.publish(turns(PEOPLE, 3))
    delete(scene, scene.ends())
    delivered += scene.publish(turns(PEOPLE, 1))

    second = scene.run(kafka=KAFKA)
    scene.wait_until_committed(scene.group)
    scene.wait_until(lambda: says_so(second), "it says what was missed")
    assert second.readiness()[1]["records_missed"] == len(gone)
    assert second.stop() == 0
    assert "deleted" in second.output()
    assert sorted(scene.accepted()) == sorted(numbers(delivered))


def test_retention_that_overtakes_a_connector_at_work_is_counted_and_the_rest_delivered(scene: Scene) -> None:
    few: dict[str, Any] = {
        "kafka": KAFKA | {"prefetch_bytes": 1_048_576, "partition_fetch_bytes": 65_536},
        "batch": {"max_events": 10},
        "buffer": {"max_records": 50},
    }
    connector = scene.run(**few)
    scene.wait_until_reading(scene.group)
    scene.inject(FaultKind.STATUS, status=503)
    # More than the client holds ahead.
    published = scene.publish(
        [
            event(OF_PARTITION_0[turn % len(OF_PARTITION_0)], attributes={"text": "x" * 900})
            for turn in range(4_000)
        ]
    )
    scene.wait_until(lambda: connector.readiness()[1]["buffered_records"] >= 50, "it is full")
    delete(scene, {0: published[-20].offset})
    scene.customerio.clear_faults()
    scene.wait_until_committed(scene.group)
    scene.wait_until(lambda: says_so(connector), "it says what was missed")
    late = scene.publish([event(person) for person in PEOPLE])
    scene.wait_until_committed(scene.group)
    assert connector.stop() == 0
    identifiers = [each.id for each in scene.customerio.workspaces["us"].operations]
    assert len(identifiers) == len(set(identifiers))
    assert len(identifiers) >= 20 + len(late)
