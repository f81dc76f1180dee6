"""What may come back is waited for, and /readyz says what that is."""

import pytest

from tests.parts.conftest import StartKafka
from tests.parts.end_to_end.conftest import MakeScene
from tests.parts.end_to_end.records import Record, turns
from tests.parts.end_to_end.scene import Scene, numbers
from tests.parts.provision.kafka import KafkaCluster

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


def test_missing_dead_letter_topic_is_told_at_once_and_its_letter_is_written_once_it_is_there(
    kafka: KafkaCluster, make_scene: MakeScene
) -> None:
    scene = make_scene(kafka)
    scene.create_topics(dead_letters=False)
    connector = scene.run()

    def degraded() -> dict[str, str]:
        return {each["part"]: each["detail"] for each in connector.readiness()[1].get("degraded", ())}

    create = f"--create --topic {scene.dead_letter_topic}"
    scene.wait_until(lambda: create in degraded().get("dead-letter topic", ""), "it names the topic")
    scene.wait_until(lambda: connector.readiness()[0] == 200, "it is ready all the same")
    (warning,) = [line for line in connector.output().splitlines() if create in line]
    assert '"level":"warning"' in warning
    scene.publish([Record(b"key", b"no JSON")])
    letters = f"dead letters of group {scene.groups[0]}"
    scene.wait_until(lambda: "does not exist" in degraded().get(letters, ""), "it says why a letter waits")
    kafka.create_topic(scene.dead_letter_topic, 1)
    scene.wait_until_committed()
    scene.wait_until(lambda: degraded() == {}, "it has nothing to complain about")
    assert connector.stop() == 0
    assert len(scene.dead_letters()) == 1
