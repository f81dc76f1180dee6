"""What really became of every record: the world's knowledge, which no core has."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from connector.core.effects import TopicPartition
from connector.core.options import CoreOptions
from connector.events.decode import Decoder
from connector.events.event import Decoded, Event, Operation, Reason, RequestKind
from connector.events.record import Record, StoredRecord
from tests.simulation.publisher import Draft, Flaw, Nature
from tests.simulation.scenario import DEFAULT_REGION
from tests.simulation.violation import Violation

CLUSTER_ID = "simulated"

_DEDUPLICATED = frozenset({"person.event", "person.page", "person.screen", "delivery.event"})


class PublishedRecord(StoredRecord):
    """A record that carries its number in the order of publishing, which no core looks at."""

    __slots__ = ("serial",)

    serial: int


class Published(NamedTuple):
    """A record in its log."""

    serial: int
    place: TopicPartition
    offset: int
    record: PublishedRecord
    nature: Nature
    event: Event | None
    """As decoded; None for what can never be sent and for tombstones."""

    def __str__(self) -> str:
        return f"#{self.serial} ({self.place.topic}-{self.place.partition}@{self.offset})"


class Fact(NamedTuple):
    """One operation as it is sent, and where it comes from."""

    serial: int
    index: int
    action: str
    kind: RequestKind
    orders: tuple[bytes, ...]
    """What its order is kept under: identifiers, or the record's key."""
    who: tuple[bytes, ...]
    """Whom it concerns: one identifier, or the two of a merge."""
    event_id: str
    """The ULID by which Customer.io deduplicates; empty for what is no event."""
    timestamp: int | None
    plan: object
    update_only: bool
    flaw: Flaw | None
    size: int

    @property
    def tag(self) -> str:
        return f"#{self.serial}.{self.index}"


class Letter(NamedTuple):
    """One message of the dead-letter topic."""

    serial: int
    reason: Reason
    group: int


class _Body(msgspec.Struct):
    """Of an operation, what matters here."""

    id: str = ""
    timestamp: int | None = None
    attributes: dict[str, object] = {}
    identifiers: dict[str, str] = {}
    primary: dict[str, str] = {}
    secondary: dict[str, str] = {}
    anonymous_id: str = ""


_body = msgspec.json.Decoder(_Body)


class Truth:
    """Everything that was published, accepted and dead-lettered."""

    def __init__(self, options: CoreOptions, decode: Decoder) -> None:
        self._options = options
        self._decode = decode
        self._decoded: dict[tuple[int, str], Decoded] = {}
        self._read_together: set[int] = set()
        self.published: list[Published] = []
        self._identifies: dict[int, list[Published]] = {}
        self.facts: dict[bytes, Fact] = {}
        """The exact bytes of every operation that may be sent."""
        self.classes: dict[tuple[str, int], list[Published]] = {}
        """Records that are the same event: (ULID, digest of the content)."""
        self.ulids: dict[str, set[int]] = {}
        """ULID -> digests of the contents that were published under it."""
        self.accepted: set[int] = set()
        """Records all of whose operations Customer.io accepted."""
        self.letters: dict[int, list[Letter]] = {}
        """Dead letters that Kafka acknowledged, by the record's number."""
        self._operations_accepted: dict[int, int] = {}
        self._ended_classes: set[tuple[str, int]] = set()
        self._ended_ulids: set[str] = set()
        self._ended_identifies: set[tuple[str, int]] = set()
        self.excused: dict[int, set[int]] = {}
        """Group -> records that it may never see: deleted by retention, or before `latest`."""

    # --- publishing and decoding

    def publish(self, draft: Draft, offset: int) -> Published:
        """A record enters its log."""
        record = PublishedRecord(
            draft.place.topic,
            draft.place.partition,
            offset,
            draft.value,
            draft.key,
            draft.headers or None,
            draft.timestamp_ms,
        )
        serial = record.serial = len(self.published)
        self.published.append(Published(serial, draft.place, offset, record, draft.nature, None))
        decoded = self(record, CLUSTER_ID)
        event = decoded if isinstance(decoded, Event) else None
        reason = getattr(decoded, "reason", None)
        expected = draft.nature.reason if draft.nature.reason is not Reason.UNROUTABLE else None
        if reason is not expected or (event is None) != (expected is not None or draft.nature.tombstone):
            raise Violation(f"decoded as {decoded!r}, published as {draft.nature}: {draft.value!r}")
        published = self.published[serial] = self.published[serial]._replace(event=event)
        if event is not None:
            self.classes.setdefault((event.ulid, event.digest), []).append(published)
            self.ulids.setdefault(event.ulid, set()).add(event.digest)
            if event.identify_digest is not None:
                self._identifies.setdefault(event.identify_digest, []).append(published)
        return published

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Decoded:
        """The real decoder, whose operations are marked with the record's number. Every core decodes with it."""
        assert isinstance(record, PublishedRecord)
        known = self._decoded.get((record.serial, ulid))
        if known is None:
            known = self._decode(record, cluster_id, ulid)
            if isinstance(known, Event):
                known = self._mark(record.serial, known)
            self._decoded[record.serial, ulid] = known
        return known

    def many(self, records: Sequence[Record], cluster_id: str) -> list[Decoded]:
        """The same of each of these records. The first time it must be what the real decoder makes of them together."""
        alone = [self(record, cluster_id) for record in records]
        serials = [record.serial for record in records if isinstance(record, PublishedRecord)]
        if not self._read_together.issuperset(serials):
            self._read_together.update(serials)
            for serial, one, other in zip(
                serials, alone, self._decode.many(records, cluster_id), strict=True
            ):
                if one != (self._mark(serial, other) if isinstance(other, Event) else other):
                    raise Violation(f"decoded as {one!r} alone, and as {other!r} together with others")
        return alone

    def _mark(self, serial: int, event: Event) -> Event:
        published = self.published[serial]
        nature = published.nature
        by_key = self._options.lanes.key == "record_key"
        key = published.record.key() if by_key else None
        operations = []
        for index, operation in enumerate(event.operations):
            tagged = operation.body[:-1] + b',"$":"%d.%d"}' % (serial, index)
            marked = msgspec.structs.replace(operation, body=tagged)
            operations.append(marked)
            self.facts[tagged] = _fact(serial, index, event.kind, marked, key, nature)
        second = operations[1] if len(operations) > 1 else None
        return msgspec.structs.replace(event, body=operations[0].body, second=second)

    # --- what became of it

    def same(self, event: Event) -> list[Published]:
        """Records that come to the same: each may end with any other, and take its place."""
        same = self.classes[event.ulid, event.digest]
        if event.identify_digest is not None and self._options.dedup.identifies.max_entries:
            same = same + self._identifies[event.identify_digest]
        return same

    def speaks_for_another(self, published: Published) -> bool:
        """May it be sent, or have been sent, in the place of an identify of another partition that says the same?"""
        event = published.event
        assert event is not None
        return any(
            other.place != published.place and other.event is not None and other.event.ulid != event.ulid
            for other in self.same(event)
        )

    def operation_accepted(self, fact: Fact, region: str) -> None:
        """Customer.io has it."""
        published = self.published[fact.serial]
        assert published.event is not None
        had = self._operations_accepted.get(fact.serial, 0)
        has = self._operations_accepted[fact.serial] = had | 1 << fact.index
        if has == (1 << len(published.event.operations)) - 1:
            self.accepted.add(fact.serial)
            self._end(published.event, region)

    def letter_written(self, letter: Letter) -> None:
        """Kafka has acknowledged a dead letter."""
        self.letters.setdefault(letter.serial, []).append(letter)
        published = self.published[letter.serial]
        if published.event is not None:
            self._end(published.event, published.nature.region)

    def _end(self, event: Event, region: str) -> None:
        self._ended_classes.add((event.ulid, event.digest))
        self._ended_ulids.add(event.ulid)
        if event.identify_digest is not None:
            self._ended_identifies.add((region, event.identify_digest))

    def ulid_ended(self, event: Event, region: str) -> bool:
        """Has anything ended under this id, whatever its content?"""
        if event.ulid in self._ended_ulids:
            return True
        records = [self.classes[event.ulid, digest][0] for digest in self.ulids[event.ulid]]
        return any(record.event is not None and self.unchanged(record.event, region) for record in records)

    def class_ended(self, event: Event) -> bool:
        """Was this event, under whichever record, accepted or dead-lettered?"""
        return (event.ulid, event.digest) in self._ended_classes

    def unchanged(self, event: Event, region: str) -> bool:
        """Has the same identify been accepted or dead-lettered before?"""
        digest = event.identify_digest
        return digest is not None and (region, digest) in self._ended_identifies

    def ended(self, published: Published, serves: tuple[str, ...]) -> bool:
        """Does the record have an ending, as far as a group that serves these regions is concerned?"""
        nature, event, serial = published.nature, published.event, published.serial
        if nature.tombstone or serial in self.accepted or serial in self.letters:
            return True
        if not nature.region:
            return DEFAULT_REGION not in serves
        if nature.region not in serves:
            return True
        assert event is not None
        if self.class_ended(event):
            return True
        dedup = self._options.dedup
        if dedup.events.on_conflict == "drop" and len(self.ulids[event.ulid]) > 1:
            return True
        return dedup.identifies.max_entries > 0 and self.unchanged(event, nature.region)

    def excuse(self, group: int, published: Published) -> None:
        """The group may never see this record, through no fault of the connector."""
        self.excused.setdefault(group, set()).add(published.serial)


def _fact(
    serial: int, index: int, kind: RequestKind, operation: Operation, key: bytes | None, nature: Nature
) -> Fact:
    body = _body.decode(operation.body)
    deduplicated = kind is RequestKind.V1_EVENTS or operation.action in _DEDUPLICATED
    who = _who(body)
    return Fact(
        serial=serial,
        index=index,
        action=operation.action,
        kind=kind,
        orders=who if key is None else (f"{kind} of key ".encode() + key,),
        who=who,
        event_id=body.id if deduplicated else "",
        timestamp=body.timestamp,
        plan=body.attributes.get("plan"),
        update_only=bool(body.attributes.get("_update")),
        flaw=nature.flaw if index == nature.flawed_operation else None,
        size=len(operation.body),
    )


def _who(body: _Body) -> tuple[bytes, ...]:
    """Whom an operation concerns: one, or the two of a merge."""
    if body.anonymous_id:
        return (b"anonymous:" + body.anonymous_id.encode(),)
    parts = [part for part in (body.identifiers, body.primary, body.secondary) if part]
    return tuple(
        ",".join(f"{kind}:{value}" for kind, value in sorted(part.items())).encode() for part in parts
    )
