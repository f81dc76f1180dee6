"""A core in virtual time, with small readable records, a tiny decode, and a Kafka that acknowledges what it is told to.

A record is made by `event`, `identify`, `merge`, ...; its operation's body is a JSON object whose `name` is a label, so
that what a request holds is read with `names(send)`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from zlib import crc32

import msgspec

from connector.core.admission import Decode
from connector.core.answers import Accepted, Answer, ItemError, PartlyRejected, Refused, Unavailable
from connector.core.core import Core
from connector.core.effects import (
    Cancel,
    Commit,
    CommitOffset,
    Effect,
    Ended,
    Outcome,
    Send,
    Start,
    TopicPartition,
    Trace,
    WriteDeadLetter,
)
from connector.core.inputs import Assignment, CommitFailure, PartitionSnapshot, RegionSnapshot
from connector.core.options import BatchOptions, CoreOptions, DedupOptions, EventWindowOptions
from connector.core.routing import Route
from connector.events.event import TOMBSTONE, Decoded, Event, Operation, Reason, Rejection, RequestKind
from connector.events.record import Record, StoredRecord
from connector.events.ulid import ulid_from_id, ulid_from_place

TOPIC = "events"
AT_ONCE = BatchOptions(linger_ms=0)
THROTTLED = Unavailable("429", 429)
DOWN = Unavailable("5xx", 503)
TIMEOUT = Unavailable("timeout")

_E = TypeVar("_E")


class Spec(msgspec.Struct, omit_defaults=True):
    """The value of a record in these tests."""

    name: str
    id: str = ""
    lane: str = ""
    lane_secondary: str = ""
    action: str = "person.event"
    second: str = ""
    """Name of a second operation."""
    state: str = ""
    """What an identify says."""
    region: str = ""
    reason: str = ""
    """Of a record that can never be sent."""
    anonymous: bool = False
    replayed: bool = False
    padding: str = ""


class OneByOne:
    """A decode that has no shorter way for many records."""

    def __init__(self, decode: Callable[[Record, str, str], Decoded]) -> None:
        self._decode = decode

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Decoded:
        return self._decode(record, cluster_id, ulid)

    def many(self, records: Sequence[Record], cluster_id: str) -> Sequence[Decoded]:
        return [self._decode(record, cluster_id, "") for record in records]


@OneByOne
def tiny_decode(record: Record, cluster_id: str, ulid: str) -> Decoded:
    """Reads what `event` and its like write."""
    value = record.value()
    if value is None:
        return TOMBSTONE
    spec = msgspec.json.decode(value, type=Spec)
    if spec.reason:
        return Rejection(Reason(spec.reason), "never")
    if not ulid:
        place = (record.topic() or "", record.partition() or 0, record.offset() or 0, record.timestamp()[1])
        ulid = ulid_from_id(spec.id) if spec.id else ulid_from_place(cluster_id, *place)
    kind = RequestKind.V1_EVENTS if spec.anonymous else RequestKind.V2
    lanes = spec.lane.encode(), spec.lane_secondary.encode()
    second = Operation("person.add_device", _body(spec.second, ulid, spec.padding)) if spec.second else None
    content = f"{spec.name} {spec.state} {spec.second} {spec.lane}".encode()
    state = crc32(f"{spec.lane} {spec.state}".encode()) if spec.state else None
    return Event(
        spec.id or None,
        ulid,
        crc32(content),
        spec.region or None,
        spec.action,
        _body(spec.name, ulid, spec.padding),
        *lanes,
        kind,
        second,
        state,
        spec.replayed,
    )


def _body(name: str, ulid: str, padding: str) -> bytes:
    return msgspec.json.encode({"name": name, "id": ulid, "padding": padding})


def event(
    offset: int,
    name: str = "",
    *,
    partition: int = 0,
    id: str = "",
    who: str = "ann",
    timestamp_ms: int = 1_000,
    key: bytes | None = None,
    **more: Any,
) -> StoredRecord:
    """A person's event. `name` labels its operation and is its content; by default it names its place."""
    spec = Spec(name or f"{partition}/{offset}", id, f"id:{who}", **more)
    return StoredRecord(TOPIC, partition, offset, msgspec.json.encode(spec), key, None, timestamp_ms)


def identify(offset: int, state: str, *, name: str = "", **more: Any) -> StoredRecord:
    """An identify whose attributes are `state`, which is its name too."""
    return event(offset, name or state, action="person.identify", state=state, **more)


def merge(offset: int, primary: str, secondary: str, **more: Any) -> StoredRecord:
    """A merge of two people."""
    return event(offset, who=primary, lane_secondary=f"id:{secondary}", action="person.merge", **more)


def unsendable(offset: int, reason: Reason = Reason.UNDECODABLE, **more: Any) -> StoredRecord:
    """A record that can never be sent."""
    return event(offset, reason=reason.value, **more)


def tombstone(offset: int, partition: int = 0) -> StoredRecord:
    """A record without a value."""
    return StoredRecord(TOPIC, partition, offset, None, b"ann")


def names(send: Send) -> list[str]:
    """What a request holds, in order."""
    return [str(item["name"]) for item in _items(send)]


def ulids(send: Send) -> list[str]:
    """The ULIDs of what a request holds, in order."""
    return [str(item["id"]) for item in _items(send)]


def _items(send: Send) -> list[dict[str, Any]]:
    content = msgspec.json.decode(send.body)
    items: list[dict[str, Any]] = content["batch"] if send.operation == "batch" else [content]
    return items


def at(partition: int) -> TopicPartition:
    """The partition of this number."""
    return TopicPartition(TOPIC, partition)


def window(**options: Any) -> DedupOptions:
    """Options of the dedup window alone."""
    return DedupOptions(events=EventWindowOptions(**options))


class Harness:
    """A core, its clock, and what came out of it so far."""

    def __init__(
        self,
        *,
        partitions: Sequence[int] = (0,),
        regions: tuple[str, ...] = ("us",),
        serves: tuple[str, ...] | None = None,
        decode: Decode = tiny_decode,
        route: Route | None = None,
        random: Callable[[], float] = lambda: 1.0,
        batch: BatchOptions = AT_ONCE,
        **options: Any,
    ) -> None:
        self.now = 100.0
        self.effects: list[Effect] = []
        """All that ever came out."""
        self.broker: dict[TopicPartition, CommitOffset] = {}
        """What is committed."""
        self.refusals: dict[TopicPartition, str] = {}
        """Partitions whose commits the broker refuses, and the error."""
        self.commits_answered = True
        self.letters: list[WriteDeadLetter] = []
        """Dead letters that Kafka has not acknowledged."""
        self._unanswered: dict[int, Send] = {}
        self.core = Core(
            CoreOptions(
                regions=regions,
                serves=regions if serves is None else serves,
                batch=batch,
                **options,
            ),
            decode,
            route,
            random,
            self.now,
        )
        for partition in partitions:
            self.assign(partition)

    # ---- what happens to it ----

    def assign(
        self,
        partition: int = 0,
        committed: int | None = None,
        metadata: str = "",
        *,
        low: int = 0,
        high: int = 1_000_000,
        leader_epoch: int | None = 1,
        topic_id: str = "topic",
        cluster_id: str = "cluster",
    ) -> Start:
        """The group gives it a partition. By default what was committed here is found again."""
        known = self.broker.get(at(partition))
        if committed is None and known is not None:
            committed, metadata = known.offset, known.metadata
        assignment = Assignment(
            at(partition), committed, metadata, leader_epoch, low, high, topic_id, cluster_id
        )
        (start,) = self.core.assign([assignment], self.now)
        return start

    def receive(self, *records: Record, traces: Mapping[int, Trace] | None = None) -> None:
        """A poll brings these."""
        self.core.receive(records, self.now, traces)

    def advance(self) -> list[Effect]:
        """Let it act. What came out now."""
        new = self.core.advance(self.now)
        self.effects += new
        for effect in new:
            match effect:
                case Send():
                    self._unanswered[effect.request_id] = effect
                case Cancel():
                    self._unanswered.pop(effect.request_id, None)
                case WriteDeadLetter():
                    self.letters.append(effect)
                case Commit() if self.commits_answered:
                    self.answer_commit(effect)
        return new

    def answer_commit(self, commit: Commit) -> None:
        """The broker takes it, but for what it refuses."""
        failures = []
        for offset in commit.offsets:
            partition = TopicPartition(offset.topic, offset.partition)
            if partition in self.refusals:
                failures.append(CommitFailure(partition, self.refusals[partition]))
            else:
                self.broker[partition] = offset
        self.core.commit_done(commit.commit_id, failures, self.now)

    def take(self, *records: Record) -> list[Send]:
        """A poll brings these. The requests that follow."""
        self.receive(*records)
        return self.sends()

    def sends(self) -> list[Send]:
        """Let it act. The requests that it makes now."""
        return [effect for effect in self.advance() if isinstance(effect, Send)]

    def send(self) -> Send:
        """Let it act. The one request that it makes now."""
        (send,) = self.sends()
        return send

    def in_flight(self) -> list[Send]:
        """Requests without an answer."""
        return list(self._unanswered.values())

    def answer(self, send: Send, answer: Answer) -> None:
        """What became of a request."""
        self._unanswered.pop(send.request_id, None)
        self.core.answer(send.request_id, answer, self.now)

    def accept(self, *sends: Send) -> None:
        """Customer.io accepts these whole."""
        for send in sends:
            self.answer(send, Accepted())

    def reject(self, send: Send, *refused: str) -> None:
        """Customer.io rejects the named items and accepts the others."""
        errors = [ItemError(place, "invalid") for place, name in enumerate(names(send)) if name in refused]
        self.answer(send, PartlyRejected(tuple(errors)))

    def written(self) -> None:
        """Kafka acknowledges the dead letters that wait."""
        letters, self.letters = self.letters, []
        for letter in letters:
            self.core.dead_letter_written(letter.letter_id, None, self.now)

    def wait(self, seconds: float) -> list[Effect]:
        """Time passes. What came out on the way, as its own clock wanted; polling goes on."""
        until = self.now + seconds
        new: list[Effect] = []
        for _ in range(100_000):
            wake_at = self.core.wake_at()
            if wake_at is None or wake_at > until:
                break
            self.now = max(self.now, wake_at)
            self.core.polled(self.now)
            new += self.advance()
        else:
            raise AssertionError("it wants to be woken for ever")
        self.now = until
        self.core.polled(self.now)
        return new + self.advance()

    def run(
        self, judge: Callable[[Send], Answer], seconds: float = 0.0, answer_seconds: float = 0.01
    ) -> None:
        """Answer every request by `judge` and acknowledge dead letters until nothing is left, or the time is over."""
        until = self.now + (seconds or 3_600.0)
        while self.now < until:
            self.advance()
            self.written()
            sends = self.in_flight()
            if not sends and not seconds and not self.core.snapshot(self.now).buffered_records:
                return
            self.now += answer_seconds
            if not sends:
                wake_at = self.core.wake_at()
                self.now = max(self.now, until if wake_at is None else min(until, wake_at))
            self.core.polled(self.now)
            for send in sends:
                self.answer(send, judge(send))
        if not seconds:
            raise AssertionError("it never came to an end")

    def settle(self) -> None:
        """Accept all, acknowledge all, commit all."""
        self.run(lambda send: Accepted())
        self.wait(2.0)

    # ---- what can be seen ----

    def seen(self, kind: type[_E]) -> list[_E]:
        """All that ever came out of this kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def delivered(self) -> list[str]:
        """The names of all that was ever sent, in order."""
        return [name for send in self.seen(Send) for name in names(send)]

    def partition(self, number: int = 0) -> PartitionSnapshot:
        """How a partition is doing."""
        found = [one for one in self.core.snapshot(self.now).partitions if one.partition == at(number)]
        return found[0]

    def region(self, name: str = "us") -> RegionSnapshot:
        """How a region is doing."""
        return next(one for one in self.core.snapshot(self.now).regions if one.region == name)

    def watermark(self, partition: int = 0) -> int:
        """The first offset without an ending."""
        return self.partition(partition).watermark

    def committed(self, partition: int = 0) -> int:
        """The committed offset, once its time has come."""
        self.wait(1.0)
        return self.broker[at(partition)].offset

    def endings(self, region: str = "us") -> dict[str, int]:
        """Outcome -> records."""
        counts = self.core.snapshot(self.now).endings
        return {outcome: count for (outcome, where), count in counts.items() if where == region and count}

    def outcomes(self) -> list[tuple[Trace, Outcome]]:
        """Traces that have ended, and how."""
        return [(ended.trace, ended.outcome) for ended in self.seen(Ended)]

    def is_empty(self) -> bool:
        """Is nothing held?"""
        snapshot = self.core.snapshot(self.now)
        return snapshot.buffered_records == 0 and snapshot.buffered_bytes == 0


def refuse_those_with(*poison: str) -> Callable[[Send], Answer]:
    """A judge that refuses whole what holds any of these."""
    return lambda send: Refused(400, "malformed") if set(names(send)) & set(poison) else Accepted()


def fail_those_with(*poison: str) -> Callable[[Send], Answer]:
    """A judge for whom what holds any of these times out."""
    return lambda send: TIMEOUT if set(names(send)) & set(poison) else Accepted()
