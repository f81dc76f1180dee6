"""`make bench-core`: from record bytes to encoded bodies to a settled ledger, in one process and without I/O.

Prints events a second and the ratio to msgspec merely decoding the same events, in the same run.
"""

import gc
import random
import time
from collections.abc import Sequence
from typing import cast

import msgspec
from confluent_kafka import Message

from bench.events import PARTITIONS, POLL_RECORDS, TOPIC, messages
from connector.core.answers import Accepted
from connector.core.core import Core
from connector.core.effects import Commit, Send, TopicPartition
from connector.core.inputs import Assignment
from connector.core.options import CoreOptions
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import Record

EVENTS = 200_000
ROUNDS = 5


class Bare(msgspec.Struct):
    """The envelope and nothing else: what any consumer of these events has to decode at least."""

    type: str
    event_id: str = ""
    messageId: str = ""  # noqa: N815 - Segment's name
    action: str = ""
    identifiers: msgspec.Raw = msgspec.Raw(b"")
    userId: str = ""  # noqa: N815 - Segment's name
    name: str = ""
    event: str = ""
    timestamp: msgspec.Raw = msgspec.Raw(b"")
    attributes: msgspec.Raw = msgspec.Raw(b"")
    properties: msgspec.Raw = msgspec.Raw(b"")


def _seconds_bare(values: list[bytes]) -> float:
    decode = msgspec.json.Decoder(Bare).decode
    started = time.process_time()
    for value in values:
        decode(value)
    return time.process_time() - started


def decoder() -> Decoder:
    """The decoder with its defaults."""
    return Decoder(EventOptions(), "identifier")


def _seconds_decode(records: list[Message]) -> float:
    read = cast("Sequence[Record]", records)
    decode = decoder()
    started = time.process_time()
    for begin in range(0, len(read), POLL_RECORDS):
        decode.many(read[begin : begin + POLL_RECORDS], "cluster")
    return time.process_time() - started


def core_of(records_max: int) -> Core:
    """A core that all partitions are assigned to."""
    core = Core(CoreOptions(regions=("us",), serves=("us",)), decoder(), None, random.random, 0.0)
    core.assign(
        [
            Assignment(TopicPartition(TOPIC, number), None, "", None, 0, records_max, "", "cluster")
            for number in range(PARTITIONS)
        ],
        0.0,
    )
    return core


def drain(core: Core, records: Sequence[Message]) -> None:
    """Ten requests in flight, each answered once the next is due, as a fast destination would."""
    now = 0.0
    read = cast("Sequence[Record]", records)
    for begin in range(0, len(read), POLL_RECORDS):
        now += 0.01
        core.receive(read[begin : begin + POLL_RECORDS], now)
        _answer_all(core, now)
    while core.snapshot(now).buffered_records:
        now += 0.01
        _answer_all(core, now)


def _seconds_core(records: list[Message]) -> float:
    core = core_of(len(records))
    started = time.process_time()
    drain(core, records)
    return time.process_time() - started


def _answer_all(core: Core, now: float) -> None:
    while effects := core.advance(now):
        for effect in effects:
            if isinstance(effect, Send):
                core.answer(effect.request_id, Accepted(), now)
            elif isinstance(effect, Commit):
                core.commit_done(effect.commit_id, (), now)


def main() -> None:
    """Print the table."""
    records = messages(EVENTS)
    values = [record.value() or b"" for record in records]
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    mean_bytes = sum(map(len, values)) / len(values)
    print(f"{EVENTS:,} events of {mean_bytes:.0f} bytes, best of {ROUNDS}")
    bare = min(_seconds_bare(values) for _ in range(ROUNDS))
    rows = [
        ("msgspec decodes the envelope, nothing else", bare),
        ("decode: checked, ULID, digest, encoded", min(_seconds_decode(records) for _ in range(ROUNDS))),
        ("core: record bytes to settled ledger", min(_seconds_core(records) for _ in range(ROUNDS))),
    ]
    for name, seconds in rows:
        each = seconds / EVENTS * 1e6
        print(f"  {name:<44} {EVENTS / seconds:>12,.0f} events/s {each:>7.2f} us  ratio {bare / seconds:.3f}")


if __name__ == "__main__":
    main()
