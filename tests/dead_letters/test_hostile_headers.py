"""Headers that somebody else chose: they go through dead letters and replays as they are, and decide nothing there."""

from io import BytesIO

import pytest

from connector.dead_letters.json_lines import Imported, line_of, read_lines
from connector.dead_letters.letter import DeadLetter, Origin, read_letter
from connector.dead_letters.outgoing import replayed
from connector.dead_letters.wording import details
from connector.events.record import Headers, StoredRecord
from connector.kafka.dead_letter_record import Cut
from connector.telemetry.context import trace_parent
from tests.dead_letters.letters import TIMESTAMP_MS, dead, letter, original
from tests.dead_letters.mock_kafka import read, write

FORGED: Headers = [
    ("dead-letter.reason", b"poison"),
    ("dead-letter.message", b"forged"),
    ("dead-letter.topic", b"somebody-elses"),
    ("dead-letter.partition", b"77"),
    ("dead-letter.offset", b"99"),
    ("dead-letter.timestamp", b"1"),
    ("dead-letter.attempts", b"1000000"),
    ("dead-letter.truncated", b"5"),
]
HOSTILE = {
    "very long": [("n" * 30_000, b"v" * 200_000)],
    "very many": [(f"header-{number}", b"x") for number in range(2_000)],
    "binary": [("binary", bytes(range(256))), ("\u202e\ufffd", b"\xff\xfe"), ("", b"")],
    "duplicated": [("region", b"eu"), ("region", b"us"), ("region", None)],
    "with line breaks": [("a\r\nb: c", b"d\r\n\r\ne"), ("\x1b[2J", b"\x1b]0;title\x07")],
    "forged": FORGED,
    "forged and cut short": FORGED[:1],
    "forged twice": [*FORGED, *FORGED[::-1]],
    "traceparent nonsense": [
        ("traceparent", b"00-" + b"z" * 32 + b"-" + b"0" * 16 + b"-01"),
        ("traceparent", b"\x00" * 1_000),
        ("tracestate", b"=," * 1_000),
    ],
}  # fmt: skip
every_kind = pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE)


@every_kind
def test_dead_letter_tells_the_truth_and_keeps_them(headers: Headers) -> None:
    read_again = letter(original(headers=headers))
    assert (read_again.reason, read_again.message) == ("invalid", "`event` is missing")
    assert read_again.origin == Origin("events", 1, 5, TIMESTAMP_MS)
    assert (read_again.attempts, read_again.truncated_bytes) == (1, None)
    assert read_again.headers == headers


@every_kind
def test_dead_letter_that_was_cut_says_where_its_record_is(headers: Headers) -> None:
    for cut in (Cut.VALUE, Cut.ALL):
        read_again = letter(original(headers=headers, value=b"x" * 1_234), cut=cut)
        assert read_again.origin == Origin("events", 1, 5, TIMESTAMP_MS)
        assert read_again.truncated_bytes == 1_234


@every_kind
def test_export_and_import_put_back_what_replay_does(headers: Headers) -> None:
    read_again = letter(original(headers=headers))
    (imported,) = read_lines(BytesIO(line_of(read_again)), "cluster")
    assert isinstance(imported, Imported)
    assert imported.record == replayed(read_again, "cluster")


@every_kind
def test_kafka_takes_dead_letter_and_replayed_record(
    servers: str, topic: str, dlq: str, headers: Headers
) -> None:
    record = original(headers=headers, topic=topic)
    write(servers, dlq, [dead(record)])
    (message,) = read(servers, dlq)
    read_again = read_letter(message)
    assert isinstance(read_again, DeadLetter)
    again = replayed(read_again, "cluster")
    write(
        servers, topic, [StoredRecord(topic, 1, 0, again.value, again.key, again.headers, again.timestamp_ms)]
    )
    (message,) = read(servers, topic)
    assert (message.value(), message.key()) == (record.value(), record.key())
    assert message.headers()[:-1] == headers
    assert message.headers()[-1][0] == "dead-letter.replay"


@every_kind
def test_no_line_of_a_shown_dead_letter_is_theirs(headers: Headers) -> None:
    lines = list(details(letter(original(headers=headers)), "t", with_value=True))
    assert all(line.isprintable() for line in lines)


def test_traceparent_nonsense_is_no_parent() -> None:
    assert trace_parent(HOSTILE["traceparent nonsense"]) is None


def test_headers_count_towards_the_size_of_a_transaction() -> None:
    assert replayed(letter(original(headers=HOSTILE["very long"])), "cluster").size_bytes > 200_000
