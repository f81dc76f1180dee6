from connector.core.effects import WriteDeadLetter
from connector.events.event import Reason
from connector.kafka.dead_letter_record import letter_of
from connector.kafka.headers import UNREADABLE_NAME, encodable
from tests.kafka.conftest import Consume, Publish
from tests.kafka.listening import wait_for
from tests.kafka.raw_headers import produce_raw

HOSTILE: list[tuple[bytes, bytes | None]] = [
    (b"\xff\xfe", b"unreadable"),
    (b"\xc3", None),
    (b"", b"empty"),
    (b"region", b"eu"),
    (b"region", b"us"),
    (b"none", None),
]


def test_hostile_header_names_survive(cluster: str, topic: str, publish: Publish, consume: Consume) -> None:
    publish(b"before", headers=[("a", b"1")])
    produce_raw(cluster, topic, b"hostile", HOSTILE)
    publish(b"after", headers=[("z", b"9")])
    _, listener = consume()
    wait_for(lambda: len(listener.records) == 3, "all records")
    assert [record.headers() for record in listener.records] == [
        [("a", b"1")],
        [
            (UNREADABLE_NAME, b"unreadable"),
            (UNREADABLE_NAME, None),
            ("", b"empty"),
            ("region", b"eu"),
            ("region", b"us"),
            ("none", None),
        ],
        [("z", b"9")],
    ]


def test_hostile_headers_can_be_dead_lettered(
    cluster: str, topic: str, publish: Publish, consume: Consume
) -> None:
    produce_raw(cluster, topic, b"hostile", HOSTILE)
    _, listener = consume()
    wait_for(lambda: listener.records, "the record")
    letter = letter_of(WriteDeadLetter(1, listener.records[0], Reason.INVALID, "", 0))
    publish(b"again", headers=letter.headers)
    wait_for(lambda: len(listener.records) == 2, "the dead letter")


def test_name_that_would_crash_the_producer_is_told_apart() -> None:
    assert encodable("ключ")
    assert encodable("")
    assert not encodable("\udcff")
