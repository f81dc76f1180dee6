"""`python -m bench.part_loops PART EVENTS EVENTS_MAX`: one part of an event's path, again and again.

Its instructions are counted by `bench.parts`.
"""

import gc
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import cachetools
import msgspec

from bench.core import Bare, core_of, decoder, drain
from bench.events import POLL_RECORDS, messages
from connector.core.backoff import Backoff
from connector.core.channel import Channel, batch_channel
from connector.core.circuit import Circuit
from connector.core.dedup import IdWindow
from connector.core.effects import TopicPartition
from connector.core.entry import Entry
from connector.core.ledger import Ledger
from connector.core.options import BatchOptions, DeliveryOptions
from connector.events.event import Event

Things = Sequence[Any]


def _events(records: Things) -> list[Event]:
    events = decoder().many(records, "cluster")
    return cast("list[Event]", events)


def _ids(records: Things) -> list[tuple[str, int]]:
    return [(event.ulid, event.digest) for event in _events(records)]


def _entries(records: Things) -> list[Entry]:
    ledger = Ledger(TopicPartition("topic", 0), 1, 0, 0.0)
    return [
        Entry(record, ledger, place, event, 1, place, 0.0, 1)
        for place, (record, event) in enumerate(zip(records, _events(records), strict=True))
    ]


def _same(records: Things) -> Things:
    return records


def _bare(records: Things) -> None:
    decode = msgspec.json.Decoder(Bare).decode
    for record in records:
        decode(record.value() or b"")


def _decode(records: Things) -> None:
    decode = decoder()
    for batch in _polls(records):
        decode.many(batch, "cluster")


def _window(ids: Things) -> None:
    window = IdWindow(200_000, 600)
    for batch in _polls(ids):
        fresh = [(ulid, digest) for ulid, digest in batch if ulid not in window.digests]
        window.add([ulid for ulid, _ in fresh], [digest for _, digest in fresh], 0.0)


def _cachetools(ids: Things) -> None:
    window: cachetools.TTLCache[str, int] = cachetools.TTLCache(200_000, 600)
    for batch in _polls(ids):
        for ulid, digest in batch:
            if ulid not in window:
                window[ulid] = digest


def _channel() -> Channel:
    return batch_channel(BatchOptions(), Circuit(DeliveryOptions(), Backoff(0.5, 30.0, lambda: 1.0)))


def _lanes(entries: Things) -> None:
    channel = _channel()
    for batch in _polls(entries):
        channel.lanes.extend(batch)
        channel.lanes.release(channel.board().lanes)


def _encode(entries: Things) -> None:
    channel = _channel()
    for batch in _polls(entries):
        channel.encode([entry.event.body for entry in batch])


def _ledger(records: Things) -> None:
    ledger = Ledger(TopicPartition("topic", 0), 1, 0, 0.0)
    for batch in _polls(range(len(records))):
        first = ledger.extend(batch)
        for index in range(first, first + len(batch)):
            ledger.end(index)
        ledger.advance(0.0)


def _core(records: Things) -> None:
    drain(core_of(len(records)), records)


def _polls(things: Things) -> list[Things]:
    return [things[begin : begin + POLL_RECORDS] for begin in range(0, len(things), POLL_RECORDS)]


PARTS: dict[str, tuple[Callable[[Things], Things], Callable[[Things], None]]] = {
    "bare decoding": (_same, _bare),
    "decode": (_same, _decode),
    "dedup: the window": (_ids, _window),
    "dedup: cachetools.TTLCache": (_ids, _cachetools),
    "lanes": (_entries, _lanes),
    "encode": (_entries, _encode),
    "ledger": (_same, _ledger),
    "core: all of it": (_same, _core),
}
"""What is made ready of all records, and what is then done with those that count."""


def main(part: str, events: int, events_max: int) -> None:
    """Run the part over so many events; all else is the same whatever their number."""
    random.seed(1)
    prepare, run = PARTS[part]
    things = prepare(messages(events_max))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    run(things[:events])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
