"""What may come back is waited for, and /readyz says what that is."""

import pytest

from tests.parts.conftest import StartKafka
from tests.parts.end_to_end.conftest import MakeScene
from tests.parts.end_to_end.records import turns
from tests.parts.end_to_end.scene import Scene, numbers

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(8)]


def test_run_waits_for_a_broker_and_delivers_once_it_is_there(
    start_kafka: StartKafka, make_scene: MakeScene
) -> None:
    cluster = start_kafka(nodes=1)
    scene = make_scene(cluster)
    scene.create_topics()
    published = scene.publish(turns(PEOPLE, 2))
    cluster.nodes[0].kill()
    connector = scene.run()
    why = (scene.group, "unreachable", cluster.bootstrap_servers)
    scene.wait_until(lambda: connector.waits(*why), "it says why it is not ready")
    cluster.start()
    scene.wait_until_committed()
    scene.wait_until(lambda: connector.readiness()[0] == 200, "it is ready")
    assert connector.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(published))


def test_run_waits_for_refused_credentials_and_delivers_once_the_key_is_replaced(scene: Scene) -> None:
    for region in ("us", "eu"):
        scene.write_key(region, "a-wrong-key")
    published = scene.publish([*turns(PEOPLE, 2), *turns([f"eu-{name}" for name in PEOPLE], 2, region="eu")])

    stopped = scene.run(drain_deadline_seconds=1)
    scene.wait_until(lambda: stopped.waits("every region refuses"), "it says that every region refuses")
    assert stopped.stop() == 0
    patient = scene.run()
    scene.wait_until(lambda: patient.waits("every region refuses"), "it says that every region refuses")
    regions = patient.readiness()[1]["regions"]
    assert {region["state"] for region in regions.values()} == {"unauthorised"}
    assert all("401" in region["detail"] for region in regions.values())
    assert scene.accepted() == []
    for region in ("us", "eu"):
        scene.write_key(region, f"{region}-key")
    scene.wait_until_committed()
    scene.wait_until(lambda: patient.readiness()[0] == 200, "it is ready")
    assert patient.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(published))
    assert "a-wrong-key" not in patient.output() + stopped.output()
