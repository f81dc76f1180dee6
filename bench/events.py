"""Realistic events for the benchmarks: envelopes of about 270 bytes with attributes, a few duplicates, many people."""

import json
import random
from zlib import crc32

from confluent_kafka import Message

TOPIC = "customer-events"
PARTITIONS = 8
POLL_RECORDS = 1_000
_TEXT_BYTES_MAX = 1_000
"""Of one attribute, at Customer.io."""


def event_values(
    count: int, people: int = 50_000, duplicates: float = 0.02, seed: int = 1, attribute_bytes: int = 0
) -> list[tuple[bytes, bytes]]:
    """(key, value) of `count` events, half of either vocabulary, keyed by person.

    `attribute_bytes`: as many of text besides the usual attributes.
    """
    source = random.Random(seed)
    made: list[tuple[bytes, bytes]] = []
    for number in range(count):
        if made and source.random() < duplicates:
            made.append(source.choice(made[-5_000:]))
            continue
        person = f"person-{source.randrange(people)}"
        make = _track_v2 if number % 2 else _segment
        made.append(
            (
                person.encode(),
                json.dumps(make(source, person, attribute_bytes), separators=(",", ":")).encode(),
            )
        )
    return made


def messages(count: int, **options: float) -> list[Message]:
    """The same as records that confluent-kafka would hand over: spread over partitions by key, read a few hundred
    of one partition at a time."""
    offsets = [0] * PARTITIONS
    made: list[Message] = []
    for key, value in event_values(count, **options):  # type: ignore[arg-type]
        partition = crc32(key) % PARTITIONS
        made.append(
            Message(
                topic=TOPIC,
                partition=partition,
                offset=offsets[partition],
                key=key,
                value=value,
                timestamp=(1, 1_760_000_000_000 + len(made)),
            )
        )
        offsets[partition] += 1
    return [
        record
        for begin in range(0, count, POLL_RECORDS)
        for record in sorted(made[begin : begin + POLL_RECORDS], key=lambda message: message.partition() or 0)
    ]


def _uuid(source: random.Random) -> str:
    digits = f"{source.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _attributes(source: random.Random, text_bytes: int) -> dict[str, object]:
    notes = range(0, text_bytes, _TEXT_BYTES_MAX)
    return {
        "plan": source.choice(("free", "team", "business")),
        "amount": round(source.random() * 500, 2),
        "currency": "EUR",
        "source": "checkout",
        "items": source.randrange(9),
        **{f"note_{begin}": "x" * min(_TEXT_BYTES_MAX, text_bytes - begin) for begin in notes},
    }


def _track_v2(source: random.Random, person: str, attribute_bytes: int) -> dict[str, object]:
    return {
        "event_id": _uuid(source),
        "type": "person",
        "action": "event",
        "identifiers": {"id": person},
        "name": "order_completed",
        "timestamp": 1_760_000_000 + source.randrange(10_000),
        "attributes": _attributes(source, attribute_bytes),
    }


def _segment(source: random.Random, person: str, attribute_bytes: int) -> dict[str, object]:
    return {
        "messageId": _uuid(source),
        "type": "track",
        "userId": person,
        "event": "Order Completed",
        "timestamp": "2026-10-09T08:07:06.123Z",
        "properties": _attributes(source, attribute_bytes),
    }
