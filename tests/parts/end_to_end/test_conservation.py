"""Every published record has one ending, seen from outside: all of the demo's traffic, in both group protocols."""

import time
from zlib import crc32

import pytest

from connector.demo.accounting import DeadLetter, Evidence, account
from connector.demo.expectations import acceptances, publications
from connector.demo.people import EU_ID_PREFIX
from connector.demo.publishing import TrafficPublisher
from connector.demo.traffic import traffic
from tests.parts.end_to_end.scene import Scene

pytestmark = pytest.mark.parts

EVENTS = 3_000
RULES = [{"region": "eu", "id_pattern": f"^{EU_ID_PREFIX}"}]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_published_is_accepted_and_duplicates_and_dead_letters_and_all_is_committed(
    scene: Scene, protocol: str
) -> None:
    connector = scene.run(kafka={"group_protocol": protocol}, routing={"rules": RULES})
    publisher = TrafficPublisher(scene.cluster, scene.topic)
    for record in traffic(11, EVENTS, int(time.time())):
        assert publisher.publish(record)
    publisher.flush(60)
    scene.wait_until_committed()
    assert connector.stop() == 0

    workspaces = scene.customerio.workspaces.values()
    cluster_id = scene.cluster.admin().list_topics(timeout=10).cluster_id
    letters = [
        DeadLetter(
            int(letter.header("dead-letter.partition")),
            int(letter.header("dead-letter.offset")),
            letter.header("dead-letter.reason"),
            crc32(letter.value or b"", crc32(letter.key or b"")),
        )
        for letter in scene.dead_letters()
    ]
    found = account(
        Evidence(
            list(publications(publisher.published, scene.topic, cluster_id)),
            list(acceptances(workspaces)),
            letters,
            scene.ends(),
            {group: scene.offsets(group) for group in scene.groups},
            ignored=sum(workspace.counts.operations_duplicate for workspace in workspaces),
            ignored_wrongly=sum(workspace.counts.operations_conflicting for workspace in workspaces),
        )
    )
    assert found.complaints == ()
    assert found.published == EVENTS == found.accepted + found.duplicates + found.dead_lettered
    assert min(found.accepted, found.duplicates, found.dead_lettered) > 0
    assert set(found.accepted_by_region) == {"us", "eu"}
    assert [each for each in scene.customerio.violations.kept if not each.in_attributes] == []
