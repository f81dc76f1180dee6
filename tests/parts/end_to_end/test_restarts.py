"""A connector that was stopped or killed goes on where it was, by what its last commits say."""

from collections.abc import Callable

import pytest
from confluent_kafka import TopicCollection

from connector.core.commit_metadata import CommitMetadata, Identity, decode
from connector.core.effects import TopicPartition
from connector.core.routing import routing_digest
from connector.kafka.lookup import isolation_level
from connector.kafka.topic_facts import log_bounds
from connector.settings.load import load_settings
from connector.simulator import FaultKind
from tests.parts.end_to_end.process import Connector
from tests.parts.end_to_end.records import Published, event, identify, partition_of, turns
from tests.parts.end_to_end.scene import Scene, numbers

pytestmark = pytest.mark.parts

PEOPLE = [f"person-{number}" for number in range(20)]
HANGING = [name for number in range(50) if (name := f"hangs-{number}") and partition_of(name) == 0][:2]
"""Of one partition: what is finished lies between them and behind them."""
METADATA_CHARACTERS_MAX = 4_000
SETTINGS = {
    "kafka": {
        "group_per_region": False,
        "revoke_deadline_seconds": 5,
        "properties": {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1500},
    },
    "delivery": {"timeout_seconds": 300},
    "drain_deadline_seconds": 1,
}
"""The group waits not long for a member that was killed; a request hangs until after the test."""


def committed_maps(scene: Scene) -> dict[int, CommitMetadata | None]:
    """Partition -> what the group's commit says beside the offset, if it speaks of this very log and these rules."""
    admin = scene.cluster.admin()
    settings = load_settings(scene.configuration(scene.settings(**SETTINGS)), {})
    digest = routing_digest(settings.routing, tuple(settings.regions))
    cluster_id = admin.list_topics(timeout=10).cluster_id or ""
    topic = admin.describe_topics(TopicCollection([scene.topic]))[scene.topic].result(10)
    maps = {}
    for partition, committed in scene.committed(scene.group).items():
        place = TopicPartition(scene.topic, partition)
        epoch = log_bounds(admin, [place], isolation_level({}), 10)[place].leader_epoch
        identity = Identity(cluster_id, str(topic.topic_id), epoch, digest)
        maps[partition] = decode(committed.metadata, identity, committed.offset)
    return maps


def finished(scene: Scene) -> set[tuple[int, int]]:
    """(partition, offset) of all that the group's commits call finished, before and beyond the offset."""
    before = {(p, offset) for p, end in scene.offsets(scene.group).items() for offset in range(end)}
    beyond = {
        (partition, offset)
        for partition, known in committed_maps(scene).items()
        for run in (known.runs if known is not None else ())
        for offset in range(run.start, run.end)
    }
    return before | beyond


def hang(scene: Scene, person: str) -> list[Published]:
    """Publishes a record whose request hangs."""
    counts = scene.customerio.workspaces["us"].counts
    spoiled = counts.requests_faulted
    scene.inject(FaultKind.HANG, requests=1)
    published = scene.publish([identify(person)])
    scene.wait_until(lambda: counts.requests_faulted > spoiled, "its request hangs")
    return published


@pytest.mark.parametrize("end", [Connector.stop, Connector.kill])
def test_what_was_finished_beyond_a_hanging_record_is_not_sent_again(
    scene: Scene, end: Callable[[Connector], int | None]
) -> None:
    connector = scene.run(**SETTINGS)
    scene.wait_until_reading(scene.group)
    hanging: list[Published] = []
    flowing: list[Published] = []

    def all_others_are_delivered() -> bool:
        return len(scene.accepted()) == len(flowing)

    for person in HANGING:
        hanging += hang(scene, person)
        flowing += scene.publish(turns(PEOPLE, 3))
        scene.wait_until(all_others_are_delivered, "all others are delivered")
    scene.wait_until(
        lambda: finished(scene) == {each.place for each in flowing}, "what is finished is committed"
    )
    committed, known = scene.committed(scene.group)[0], committed_maps(scene)[0]
    assert committed.offset == hanging[0].offset
    assert 0 < len(committed.metadata) < METADATA_CHARACTERS_MAX
    assert known is not None and len(known.runs) == len(hanging)
    assert not end(connector)
    requests = scene.requests()

    second = scene.run(**SETTINGS)
    scene.wait_until_committed(scene.group)
    assert second.stop() == 0
    assert sorted(scene.accepted()[len(flowing) :]) == numbers(hanging)
    assert scene.sent_again() == 0
    assert scene.requests() - requests <= len(hanging)


def test_a_duplicate_published_after_a_restart_is_still_caught(scene: Scene) -> None:
    first = scene.run(**SETTINGS)
    originals = [event(person) for person in PEOPLE]
    scene.publish(originals)
    scene.wait_until_committed(scene.group)
    assert first.stop() == 0
    requests = scene.requests()

    second = scene.run(**SETTINGS)
    scene.publish(originals)
    scene.wait_until_committed(scene.group)
    assert second.stop() == 0
    assert scene.requests() == requests
    assert len(scene.accepted()) == len(originals)
