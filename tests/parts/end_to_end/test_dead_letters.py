"""What can never be delivered is in the dead-letter topic: unchanged, once, and it says why and whence."""

import pytest

from tests.parts.end_to_end.records import Record, event, identify
from tests.parts.end_to_end.scene import Scene

pytestmark = pytest.mark.parts

HEADERS = [("region", b"eu"), ("origin", b"\xff\x00 not text"), ("origin", b"twice"), ("nothing", None)]
TOO_LONG = "x" * 40_000

MISTAKES = {
    "undecodable": Record(b"\x00key", b"\x00\x01 no JSON", HEADERS, partition=0),
    "empty": Record(None, b"", HEADERS, partition=1),
    "invalid": Record(
        b"k", b'{"type":"person","action":"event","identifiers":{"id":"p"}}', HEADERS, partition=2
    ),
    "too_large": event("person-1", attributes={"text": TOO_LONG})._replace(headers=HEADERS),
    "unroutable": event("person-2", region="mars")._replace(headers=[("origin", b"far away")]),
    # Only Customer.io looks into attributes.
    "rejected": identify("person-3", attributes={"text": "x" * 1_001})._replace(headers=HEADERS),
}


def test_dead_letters_are_the_records_as_they_were_with_why_and_whence(scene: Scene) -> None:
    connector = scene.run()
    published = scene.publish(MISTAKES.values())
    places = {each.place: each for each in published}
    scene.publish([event("well"), Record(b"deleted", None)])
    scene.wait_until_committed()
    assert connector.stop() == 0
    assert len(scene.accepted()) == 1

    letters = {letter.header("dead-letter.reason"): letter for letter in scene.dead_letters()}
    assert letters.keys() == MISTAKES.keys()
    assert len(scene.dead_letters()) == len(MISTAKES)
    for reason, letter in letters.items():
        record = MISTAKES[reason]
        assert (letter.key, letter.value) == (record.key, record.value)
        assert letter.headers[: len(record.headers)] == record.headers
        added = dict(letter.headers[len(record.headers) :])
        assert added.keys() == {
            f"dead-letter.{name}"
            for name in ("reason", "message", "topic", "partition", "offset", "timestamp", "attempts")
        }
        place = int(letter.header("dead-letter.partition")), int(letter.header("dead-letter.offset"))
        assert places[place].record is record
        assert letter.header("dead-letter.topic") == scene.topic
        assert letter.header("dead-letter.timestamp") == str(places[place].timestamp_ms)
        assert letter.header("dead-letter.attempts") == ("1" if reason == "rejected" else "0")
        assert letter.header("dead-letter.message")
        assert TOO_LONG not in letter.header("dead-letter.message")


def test_incident_18_a_wholly_bad_input_stops_its_partition_until_somebody_accepts_it(scene: Scene) -> None:
    settings = {
        "kafka": {"group_per_region": False},
        "dead_letters": {"share": {"window_records": 40, "min_records": 20}},
    }
    connector = scene.run(**settings)
    scene.wait_until_reading(scene.group)
    scene.publish([Record(b"key", b"no JSON", partition=0) for _ in range(200)])
    good = scene.publish(event(f"person-{number}")._replace(partition=1) for number in range(20))
    stopped = f"{scene.topic}-0"
    scene.wait_until(lambda: connector.readiness()[1]["stopped_partitions"] == [stopped], "it has stopped")
    scene.wait_until(lambda: len(scene.accepted()) == len(good), "the other partition goes on")
    assert connector.stop() == 0
    letters = scene.ends(scene.dead_letter_topic, 1)[0]
    assert 20 <= letters < 200
    assert "--accept-dead-letters" in connector.output()

    again = scene.run(**settings)
    scene.wait_until(
        lambda: again.readiness()[1].get("stopped_partitions") == [stopped], "it is still stopped"
    )
    assert again.stop() == 0
    assert scene.ends(scene.dead_letter_topic, 1)[0] == letters

    accepting = scene.run("--accept-dead-letters", **settings)
    scene.wait_until_committed(scene.group)
    assert accepting.stop() == 0
    assert len({letter.header("dead-letter.offset") for letter in scene.dead_letters()}) == 200
    assert len(scene.accepted()) == len(good)
