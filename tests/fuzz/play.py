"""Plays a case through the real decoder, routing and core, against the stand-in, and says what must hold.

Each record ends once: its operations are accepted by the stand-in, or it is a duplicate, unchanged or filtered, or a
dead letter that says why and can be read, exported, imported and put back. Nothing raises, nothing goes on for ever,
and what is held in memory stays within its bound and is gone in the end.
"""

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from random import Random
from typing import Any
from unittest.mock import patch

from connector.core import channel
from connector.core.answers import Answer, Unauthorised, Unavailable
from connector.core.effects import Noted, Send, WriteDeadLetter
from connector.core.options import (
    BatchOptions,
    BufferOptions,
    DeadLetterShareOptions,
    DedupOptions,
    EventWindowOptions,
    IdentifyCacheOptions,
    LanesOptions,
    RoutingOptions,
    RoutingRule,
)
from connector.customerio.answers import interpret
from connector.dead_letters.json_lines import Imported, line_of, read_lines
from connector.dead_letters.letter import DeadLetter, read_letter
from connector.dead_letters.outgoing import replayed
from connector.events.decode import Decoder
from connector.events.event import Decoded, Event, Rejection
from connector.events.options import EventOptions
from connector.events.record import Record, StoredRecord
from connector.kafka.dead_letter_record import MESSAGE_CHARACTERS_MAX, Cut, letter_of
from connector.simulator.violations import Violation
from connector.telemetry.context import parent_context, trace_parent
from tests.core.harness import TOPIC, Harness
from tests.fuzz.case import Case
from tests.simulator.conftest import EU, US, SocketlessAPI

PARTITIONS = (0, 1)
BUFFER = BufferOptions(max_records=6, max_bytes=1_000_000)
AUTH = {"us": US, "eu": EU}
_RULES = (
    RoutingRule(region="eu", attribute="country", values=("de",)),
    RoutingRule(region="eu", id_pattern="^[a-m0-4]"),
    RoutingRule(region="us", attribute="context.traits.email", values=("a@b.cc",)),
)
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {
        "lanes": LanesOptions(key="record_key"),
        "dedup": DedupOptions(
            events=EventWindowOptions(on_conflict="drop"), identifies=IdentifyCacheOptions(max_entries=10)
        ),
    },
    {
        "routing": RoutingOptions(rules=_RULES, strict=True),
        "dedup": DedupOptions(events=EventWindowOptions(on_conflict="dead_letter")),
    },
    {"routing": RoutingOptions(rules=_RULES), "serves": ("eu",)},
    {"serves": ("us",), "batch": BatchOptions(max_events=2, linger_ms=0)},
)


def play(case: Case) -> set[str]:
    """What the case has shown, in words that hold no values. Raises AssertionError where a promise is broken."""
    return _Play(case).run()


class _Heard:
    """The real decoder, whose results are told. Records together come to what they come to alone."""

    def __init__(self, decode: Decoder, hear: Callable[[Decoded], None]) -> None:
        self._decode = decode
        self._hear = hear

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Decoded:
        decoded = self._decode(record, cluster_id, ulid)
        self._hear(decoded)
        return decoded

    def many(self, records: Sequence[Record], cluster_id: str) -> list[Decoded]:
        decoded = [self(record, cluster_id) for record in records]
        assert decoded == self._decode.many(records, cluster_id)
        return decoded


class _Play:
    def __init__(self, case: Case) -> None:
        self._random = Random(case.seed)
        self._seen: set[str] = set()
        self._customerio = SocketlessAPI()
        settings = SETTINGS[case.seed % len(SETTINGS)]
        self._decode = Decoder(EventOptions(), settings.get("lanes", LanesOptions()).key)
        with patch.multiple(channel, _LANES_BATCH=16, _LANES_ANONYMOUS=4):  # many take long to make
            self._harness = Harness(
                decode=_Heard(self._decode, self._hear),
                partitions=PARTITIONS,
                random=self._random.random,
                buffer=BUFFER,
                regions=("us", "eu"),
                dead_letter_share=DeadLetterShareOptions(max_share=1.0),
                **settings,
            )
        self._records = self._placed(case)

    def run(self) -> set[str]:
        harness = self._harness
        waiting = list(self._records)
        while waiting:
            credit = harness.core.credit()
            if credit.records:
                poll = waiting[: min(credit.records, self._random.randint(1, 4))]
                del waiting[: len(poll)]
                self._receive(poll)
            if not credit.records or self._random.random() < 0.5:
                harness.run(self._answer, seconds=1.0)
        harness.run(self._answer)
        self._settled()
        return self._seen

    def _placed(self, case: Case) -> list[StoredRecord]:
        """Where they stand, in the order in which they are read."""
        ends = dict.fromkeys(PARTITIONS, 0)
        placed = []
        for record in case.records:
            partition = self._random.choice(PARTITIONS)
            placed.append(record.at(TOPIC, partition, ends[partition]))
            ends[partition] += 1
        self._ends = ends
        return placed

    def _receive(self, poll: list[StoredRecord]) -> None:
        before = self._harness.core.snapshot(self._harness.now)
        for record in poll:
            parent_context(trace_parent(record.headers()), record.headers())
        self._harness.receive(*poll)
        after = self._harness.core.snapshot(self._harness.now)
        assert after.buffered_records <= BUFFER.max_records
        assert after.buffered_records - before.buffered_records <= len(poll)

    def _hear(self, decoded: Decoded) -> None:
        if isinstance(decoded, Event):
            kinds = ", ".join(f"{decoded.kind} {operation.action}" for operation in decoded.operations)
            self._seen.add(f"decoded: {kinds}")
            if decoded.replayed:
                self._seen.add("decoded: replayed")
        elif isinstance(decoded, Rejection):
            self._seen.add(f"{decoded.reason}: {re.sub('[0-9]+', 'N', decoded.message)}")

    def _answer(self, send: Send) -> Answer:
        """Usually the stand-in's. It has always judged what was sent, also where its answer is lost."""
        chance = self._random.random()
        if chance < 0.05:
            return Unavailable("429", 429, 2.0)
        if chance < 0.07:
            return Unauthorised(401)
        reply = self._customerio.ask("POST", send.path, send.body, host=send.region, auth=AUTH[send.region])
        for violation in self._customerio.violations.kept:
            assert _passed_through(violation), violation
        if chance < 0.15:
            return Unavailable("timeout")
        return interpret(reply.status, reply.headers, reply.body, send.events, "http://stand-in", 0.0)

    def _settled(self) -> None:
        harness = self._harness
        snapshot = harness.core.snapshot(harness.now)
        assert harness.is_empty()
        assert sum(snapshot.endings.values()) == len(self._records)
        assert {number: harness.watermark(number) for number in PARTITIONS} == self._ends
        self._seen |= {f"ended: {outcome}" for (outcome, _), count in snapshot.endings.items() if count}
        letters = harness.seen(WriteDeadLetter)
        assert len(letters) == sum(snapshot.dead_letters.values())
        for letter in letters:
            self._seen.add(f"dead letter: {letter.reason}")
            _judge_letter(letter)
        assert not [note for note in harness.seen(Noted) if note.level == "error"]


def _passed_through(violation: Violation) -> bool:
    """Customer.io's limits on attributes, and on numbers in them, are its own to enforce."""
    return violation.in_attributes or "out of range" in violation.message


def _judge_letter(letter: WriteDeadLetter) -> None:
    """Whatever the record and its headers hold, it comes back as it was."""
    assert 0 < len(letter.message) <= MESSAGE_CHARACTERS_MAX
    record = letter.record
    own = record.headers() or []
    for cut in Cut:
        written = letter_of(letter, cut)
        read = read_letter(StoredRecord("dead", 0, 0, written.value, written.key, written.headers))
        assert isinstance(read, DeadLetter)
        assert (read.origin.topic, read.origin.partition, read.origin.offset) == (
            record.topic(),
            record.partition(),
            record.offset(),
        )
        assert (read.truncated_bytes is None) is (cut is Cut.NOTHING)
        if cut is Cut.NOTHING:
            assert (read.key, read.value, read.headers) == (record.key(), record.value(), own)
            again = replayed(read, "cluster")
            assert (again.key, again.value) == (record.key(), record.value())
            if not any("\0" in name for name, _ in own):
                (imported,) = read_lines(BytesIO(line_of(read)), "cluster")
                assert isinstance(imported, Imported) and imported.record == again
