"""What is published: people of both regions, every kind of call, duplicates, conflicts and whatever cannot be sent."""

from enum import StrEnum
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from connector.core.effects import TopicPartition
from connector.events.event import Reason
from connector.events.record import Headers
from tests.simulation.scenario import DEFAULT_REGION, REGIONS, RULED_TOPIC, Scenario

EPOCH_SECONDS = 1_767_225_600
"""Unix time at which virtual time begins."""

_ATTRIBUTES = ("attributes", "traits", "properties")


class Flaw(StrEnum):
    """What Customer.io has against an operation."""

    REJECTED = "rejected"
    """Named in a 207; 400 where it is a request of its own."""
    MALFORMED = "malformed"
    """400 for the whole batch."""
    HUGE = "huge"
    """413 for the whole batch."""
    UNPROCESSABLE = "unprocessable"
    """422 for the whole batch."""
    POISON = "poison"
    """500 for the whole batch, always."""


class Nature(NamedTuple):
    """What ought to become of a record."""

    region: str = ""
    """Where it belongs; empty where it can never be sent, or is a tombstone."""
    reason: Reason | None = None
    """Why it can never be sent: what decoding or routing says."""
    flaw: Flaw | None = None
    flawed_operation: int = 0
    """Which of its operations has the flaw."""
    tombstone: bool = False
    replayed: bool = False


class Draft(NamedTuple):
    """One record to be published."""

    time: float
    place: TopicPartition
    key: bytes | None
    value: bytes | None
    headers: Headers
    nature: Nature
    timestamp_ms: int


class _Person(NamedTuple):
    name: str
    region: str
    explicit: str
    """Where the region is said: `body`, `header` or, where no rule and no strictness forbids it, nowhere."""


_Call = tuple[dict[str, object], bool]
"""A call's fields without id and region, and whether it is of the Segment vocabulary."""


class Publisher:
    """Draws what is published from the scenario and a source of randomness of its own."""

    def __init__(self, scenario: Scenario, random: Random) -> None:
        self._scenario = scenario
        self._traffic = scenario.traffic
        self._random = random
        self._published = 0
        self._copyable: list[Draft] = []
        """Drafts with an id."""
        self._strict = scenario.options.routing.strict
        self._ruled = bool(scenario.options.routing.rules)
        self._people = [
            self._person(region, number) for region in REGIONS for number in range(self._traffic.people)
        ]

    def drafts(self) -> list[Draft]:
        """Everything that is published, in order of time."""
        traffic, random = self._traffic, self._random
        times = sorted(random.uniform(0, traffic.seconds) for _ in range(traffic.records))
        return [self._draft(time) for time in times]

    def heartbeat(self, time: float, place: TopicPartition, region: str, anonymous: bool) -> Draft:
        """An event of a person of its own, that nothing is wrong with."""
        self._published += 1
        call = {
            "type": "person",
            "action": "event",
            "identifiers": {"anonymous_id" if anonymous else "id": f"heartbeat-{self._published}"},
            "name": "Heartbeat",
            "region": region,
        }
        return Draft(
            time, place, None, msgspec.json.encode(call), [], Nature(region), self._timestamp_ms(time)
        )

    def _person(self, region: str, number: int) -> _Person:
        ways = ["body", "header"]
        if region == DEFAULT_REGION and not self._strict and not self._ruled:
            ways.append("")
        return _Person(f"{region}-{number}", region, self._random.choice(ways))

    def _timestamp_ms(self, time: float) -> int:
        return EPOCH_SECONDS * 1000 + int(time * 1000) if self._traffic.timestamps else -1

    def _draft(self, time: float) -> Draft:
        random, traffic = self._random, self._traffic
        self._published += 1
        chance = random.random()
        if chance < traffic.unreadable_records:
            return self._unreadable(time)
        if self._copyable and random.random() < traffic.duplicates:
            return self._copy(time)
        person = random.choice(self._people)
        place = self._place(person)
        if self._copyable and random.random() < traffic.conflicts:
            draft = self._conflict(time)
            if draft is not None:
                return draft
        fields, segment = self._call(person)
        return self._finish(time, person, place, fields, segment)

    def _place(self, person: _Person) -> TopicPartition:
        partitions = self._scenario.partitions
        if self._random.random() < self._traffic.wanderers:
            return self._random.choice(partitions)
        return partitions[crc32(person.name.encode()) % len(partitions)]

    def _finish(
        self, time: float, person: _Person, place: TopicPartition, fields: dict[str, object], segment: bool
    ) -> Draft:
        random = self._random
        headers: Headers = []
        fields = dict(fields)
        named = self._identify_event(fields, segment, headers)
        if person.explicit == "body":
            fields["region"] = person.region
        elif person.explicit == "header":
            headers.append(("region", person.region.encode()))
        nature = self._nature(person, fields)
        key = person.name.encode() if random.random() < 0.9 or self._keyed() else None
        draft = Draft(
            time, place, key, msgspec.json.encode(fields), headers, nature, self._timestamp_ms(time)
        )
        if named:
            self._copyable.append(draft)
        return draft

    def _keyed(self) -> bool:
        return self._scenario.options.lanes.key == "record_key"

    def _identify_event(self, fields: dict[str, object], segment: bool, headers: Headers) -> bool:
        """Give the event an id, one way or another. False: it has none."""
        name = f"event-{self._published}"
        way = self._random.choice(("body", "body", "body", "header", "cloudevents", "none"))
        if way == "body":
            fields["messageId" if segment else "event_id"] = name
        elif way == "header":
            headers.append(("event_id", name.encode()))
        elif way == "cloudevents":
            headers.append(("ce_id", name.encode()))
        return way != "none"

    def _nature(self, person: _Person, fields: dict[str, Any]) -> Nature:
        """Whether Customer.io has something against it, which then shows in its content."""
        random, traffic = self._random, self._traffic
        flaw: Flaw | None = None
        flawed_operation = 0
        if random.random() < traffic.flaws:
            flaw = random.choice(
                (Flaw.REJECTED, Flaw.REJECTED, Flaw.MALFORMED, Flaw.HUGE, Flaw.UNPROCESSABLE)
            )
        elif traffic.poison and random.random() < 2 / traffic.records:
            flaw = Flaw.POISON
        if flaw is not None:
            if "device" in fields.get("context", {}):
                flawed_operation = random.randrange(2)
            for part in _ATTRIBUTES:
                if part in fields:
                    fields[part] = {**fields[part], "flaw": f"{flaw} {self._published}"}
        return Nature(person.region, flaw=flaw, flawed_operation=flawed_operation)

    def _copy(self, time: float) -> Draft:
        """The same record again, in the same partition or in another of its topic."""
        random = self._random
        original = random.choice(self._copyable[-20:] if random.random() < 0.7 else self._copyable)
        places = [place for place in self._scenario.partitions if place.topic == original.place.topic]
        place = original.place if random.random() < 0.5 else random.choice(places)
        headers = original.headers
        replayed = random.random() < 0.05
        if replayed:
            headers = [*headers, ("dead-letter.replay", b"1")]
        return original._replace(
            time=time,
            place=place,
            headers=headers,
            timestamp_ms=self._timestamp_ms(time),
            nature=original.nature._replace(replayed=replayed),
        )

    def _conflict(self, time: float) -> Draft | None:
        """Another content under an id that was published before."""
        original = self._random.choice(self._copyable)
        if not original.value:
            return None
        fields = msgspec.json.decode(original.value)
        for part in _ATTRIBUTES:
            if part in fields:
                fields[part] = {**fields[part], "changed": self._published}
                return original._replace(
                    time=time, value=msgspec.json.encode(fields), timestamp_ms=self._timestamp_ms(time)
                )
        return None

    def _unreadable(self, time: float) -> Draft:
        random = self._random
        place = random.choice(self._scenario.partitions)
        person = random.choice(self._people)
        event = {"type": "person", "action": "event", "identifiers": {"id": person.name}, "name": "Odd"}
        value: bytes | None
        nature = Nature(reason=Reason.INVALID)
        kind = random.choice(
            (
                "tombstone",
                "tombstone",
                "empty",
                "undecodable",
                "undecodable",
                "nameless",
                "long_id",
                "region",
                "large",
            )
        )
        if kind == "tombstone":
            value, nature = None, Nature(tombstone=True)
        elif kind == "empty":
            value, nature = b"", Nature(reason=Reason.EMPTY)
        elif kind == "undecodable":
            value = random.choice((b"{", b"\xff\xfe", b'{"type": "person"', b"not json at all"))
            nature = Nature(reason=Reason.UNDECODABLE)
        elif kind == "nameless":
            value = msgspec.json.encode({**event, "name": ""})
        elif kind == "long_id":
            value = msgspec.json.encode({**event, "identifiers": {"id": "x" * 151}})
        elif kind == "region" and not (self._ruled and place.topic == RULED_TOPIC):
            if self._strict and random.random() < 0.5:
                value = msgspec.json.encode(event)
            else:
                value = msgspec.json.encode({**event, "region": "mars"})
            nature = Nature(reason=Reason.UNROUTABLE)
        else:
            value = msgspec.json.encode({**event, "attributes": {"text": "x" * 32_000}})
            nature = Nature(reason=Reason.TOO_LARGE)
        return Draft(time, place, person.name.encode(), value, [], nature, self._timestamp_ms(time))

    # --- calls

    def _call(self, person: _Person) -> _Call:
        random = self._random
        if random.random() < self._traffic.merges:
            return self._merge(person)
        kind = random.choices(
            (
                self._identify,
                self._segment_identify,
                self._event,
                self._track,
                self._page,
                self._delete,
                self._device,
                self._track_with_device,
                self._anonymous,
                self._object,
                self._relate,
            ),
            (20, 6, 25, 10, 4, 4, 4, 6, 8, 3, 3),
        )[0]
        return kind(person)

    def _identifiers(self, person: _Person) -> dict[str, str]:
        if self._random.random() < 0.2:
            return {"email": f"{person.name}@example.com"}
        return {"id": person.name}

    def _attributes(self) -> dict[str, object]:
        random = self._random
        attributes: dict[str, object] = {"plan": f"plan-{random.randrange(self._traffic.plans)}"}
        if self._traffic.padding_bytes and random.random() < 0.3:
            attributes["text"] = "x" * self._traffic.padding_bytes
        return attributes

    def _identify(self, person: _Person) -> _Call:
        attributes = self._attributes()
        if self._random.random() < 0.1:
            attributes["_update"] = True
        call: dict[str, object] = {
            "type": "person",
            "action": "identify",
            "identifiers": self._identifiers(person),
            "attributes": attributes,
        }
        if self._random.random() < self._traffic.own_timestamps:
            call["timestamp"] = EPOCH_SECONDS - self._random.randrange(100)
        return call, False

    def _segment_identify(self, person: _Person) -> _Call:
        return {"type": "identify", "userId": person.name, "traits": self._attributes()}, True

    def _event(self, person: _Person) -> _Call:
        return {
            "type": "person",
            "action": self._random.choice(("event", "event", "screen")),
            "identifiers": self._identifiers(person),
            "name": "Bought",
            "attributes": self._attributes(),
        }, False

    def _track(self, person: _Person) -> _Call:
        return {
            "type": "track",
            "userId": person.name,
            "event": "Viewed",
            "properties": self._attributes(),
        }, True

    def _page(self, person: _Person) -> _Call:
        properties = {**self._attributes(), "url": "https://example.com/"}
        return {"type": "page", "userId": person.name, "properties": properties}, True

    def _delete(self, person: _Person) -> _Call:
        return {"type": "person", "action": "delete", "identifiers": self._identifiers(person)}, False

    def _device(self, person: _Person) -> _Call:
        device = {"token": f"token-{self._random.randrange(3)}", "platform": "ios"}
        return {
            "type": "person",
            "action": "add_device",
            "identifiers": self._identifiers(person),
            "device": device,
        }, False

    def _track_with_device(self, person: _Person) -> _Call:
        return {
            "type": "track",
            "userId": person.name,
            "event": "Application Opened",
            "properties": self._attributes(),
            "context": {"device": {"token": f"token-{self._random.randrange(3)}", "type": "android"}},
        }, True

    def _anonymous(self, person: _Person) -> _Call:
        return {
            "type": "track",
            "anonymousId": f"anonymous-{person.name}",
            "event": "Viewed",
            "properties": self._attributes(),
        }, True

    def _object(self, person: _Person) -> _Call:
        return {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": f"object-{person.name}"},
            "attributes": self._attributes(),
        }, False

    def _relate(self, person: _Person) -> _Call:
        relationship = {"identifiers": {"object_type_id": "1", "object_id": f"object-{person.name}"}}
        return {
            "type": "person",
            "action": "add_relationships",
            "identifiers": self._identifiers(person),
            "cio_relationships": [relationship],
        }, False

    def _merge(self, person: _Person) -> _Call:
        others = [other for other in self._people if other.region == person.region and other is not person]
        secondary = self._random.choice(others).name if others else f"{person.name}-old"
        if self._random.random() < 0.3:
            return {"type": "alias", "userId": person.name, "previousId": secondary}, True
        return {
            "type": "person",
            "action": "merge",
            "primary": {"id": person.name},
            "secondary": {"id": secondary},
        }, False
