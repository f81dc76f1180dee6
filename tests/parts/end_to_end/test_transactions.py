"""A topic that is written in transactions: their markers take offsets and are no records."""

import pytest
from confluent_kafka import Producer

from tests.parts.end_to_end.records import event, publish
from tests.parts.end_to_end.scene import Scene, numbers

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(20)]


def test_aborted_records_are_passed_over_and_the_end_of_the_log_is_committed(scene: Scene) -> None:
    producer = Producer(
        scene.cluster.client_properties() | {"transactional.id": scene.topic, "log_level": "0"}
    )
    producer.init_transactions(30)
    committed = []
    for commits in (True, False, True, False):
        producer.begin_transaction()
        published = publish(producer, scene.topic, [event(person) for person in PEOPLE])
        if commits:
            producer.commit_transaction(30)
            committed += published
        else:
            producer.abort_transaction(30)
    connector = scene.run(kafka={"properties": {"isolation.level": "read_committed"}})
    scene.wait_until_committed()
    assert sum(scene.ends().values()) > 4 * len(PEOPLE)
    scene.wait_until(
        lambda: {each["lag"] for each in connector.readiness()[1]["partitions"]} == {0}, "it says so too"
    )
    assert connector.stop() == 0
    assert sorted(scene.accepted()) == sorted(numbers(committed))
