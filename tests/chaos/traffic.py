"""What is published, and what must become of it: decided by a seed.

Every event carries a number among its attributes, by which it is recognised at Customer.io whatever id it was sent
under. People act in two regions; some things are said twice; some records are beyond help.
"""

import json
import random
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

REGIONS = ("us", "eu")
NUMBER = "number"
"""The attribute that holds it."""
PLANTED = "nobody-may-log-this"
"""A value among every event's attributes."""

PILLS = {"poison": "pill-that-fails", "rejected": "pill-that-is-refused"}
"""Reason -> a text that Customer.io can never take, so that the record which holds it becomes a dead letter."""

Headers = list[tuple[str, bytes]]


class Published(msgspec.Struct, kw_only=True):
    """One record: what it says, and where and when it was published."""

    number: int
    """Its event's. A duplicate has its original's."""
    key: bytes
    value: bytes | None
    headers: Headers = []
    region: str = "us"
    identifier: str = ""
    """As the stand-in names it, such as `id:42`."""
    counts: bool = True
    """It is an event, which Customer.io must not count twice. A state may be told again."""
    reason: str | None = None
    """Why it must become a dead letter."""
    filtered: bool = False
    """Nothing comes of it: a tombstone."""
    elsewhere: bool = False
    """A duplicate that goes to another partition than its original."""
    partition: int = -1
    offset: int = -1
    """-1: Kafka has not acknowledged it."""
    at: float = 0.0
    """Monotonic seconds when it was handed to the producer."""


class Mix(NamedTuple):
    """How much of what there is among the records."""

    people: int = 300
    duplicates: float = 0.03
    mistakes: float = 0.004
    """Share of each kind of mistake."""
    pills: float = 0.0
    """Share of records that only Customer.io finds to be beyond help."""
    huge: float = 0.0
    """Share of records of nearly a megabyte."""
    hot: float = 0.0
    """Share of the events that concern one and the same person."""


class Traffic:
    """An endless row of records. The same seed says the same, but for the time."""

    def __init__(self, seed: int, mix: Mix) -> None:
        self._random = random.Random(seed)
        self.mix = mix
        """May be changed at any time."""
        self._number = 0
        self._recent: deque[Published] = deque(maxlen=500)
        self._mistakes = (
            _not_json,
            _not_utf8,
            _empty,
            _tombstone,
            _nameless,
            _nowhere,
            _too_large,
            _too_deep,
        )

    def next(self) -> Published:
        """The next record to publish."""
        chance, mix = self._random.random(), self.mix
        if chance < mix.duplicates and self._recent:
            return self._repeated(self._random.choice(self._recent))
        self._number += 1
        chance -= mix.duplicates
        for mistake in self._mistakes:
            if 0 <= chance < mix.mistakes:
                return mistake(self._number, self._random)
            chance -= mix.mistakes
        if 0 <= chance < mix.huge:
            return _huge(self._number)
        chance -= mix.huge
        if 0 <= chance < mix.pills:
            return _pill(self._number, self._random)
        return self._said()

    def _repeated(self, original: Published) -> Published:
        # A state that is told again in another partition may come late: publishers do not do that to people.
        elsewhere = original.counts and self._random.random() < 0.3
        return msgspec.structs.replace(original, elsewhere=elsewhere, partition=-1, offset=-1)

    def _said(self) -> Published:
        source, number = self._random, self._number
        who = 0 if source.random() < self.mix.hot else source.randrange(self.mix.people)
        region = REGIONS[who % 2]
        make = source.choices(
            (_event, _track, _page, _identify, _traits, _visit, _company), (30, 25, 10, 12, 8, 3, 3)
        )
        identifier, document, counts = make[0](who, {NUMBER: number, "note": PLANTED})
        headers: Headers = []
        if source.random() < 0.2:
            headers.append(("region", region.encode()))
        elif region != "us" or source.random() < 0.5:
            document["region"] = region
        nameless = counts and source.random() < 0.01
        if not nameless:
            id_ = str(uuid.UUID(int=source.getrandbits(128)))
            document["event_id" if "action" in document else "messageId"] = id_
        record = Published(
            number=number,
            key=identifier.encode(),
            value=json.dumps(document).encode(),
            headers=headers,
            region=region,
            identifier=identifier,
            counts=counts,
        )
        if not nameless:
            self._recent.append(record)
        return record


Said = tuple[str, dict[str, Any], bool]
"""Whom it concerns, the event, whether it is one that counts."""


def _person(who: int) -> str:
    return f"person-{who}"


def _event(who: int, attributes: dict[str, Any]) -> Said:
    document = {"type": "person", "action": "event", "identifiers": {"id": _person(who)}, "name": "ordered"}
    return f"id:{_person(who)}", document | {"timestamp": int(time.time()), "attributes": attributes}, True


def _track(who: int, attributes: dict[str, Any]) -> Said:
    document = {"type": "track", "userId": _person(who), "event": "ordered", "properties": attributes}
    return f"id:{_person(who)}", document | {"timestamp": datetime.now(UTC).isoformat()}, True


def _page(who: int, attributes: dict[str, Any]) -> Said:
    document = {"type": "page", "userId": _person(who), "name": "basket", "properties": attributes}
    return f"id:{_person(who)}", document | {"timestamp": datetime.now(UTC).isoformat()}, True


def _identify(who: int, attributes: dict[str, Any]) -> Said:
    document = {"type": "person", "action": "identify", "identifiers": {"id": _person(who)}}
    return f"id:{_person(who)}", document | {"timestamp": int(time.time()), "attributes": attributes}, False


def _traits(who: int, attributes: dict[str, Any]) -> Said:
    return f"id:{_person(who)}", {"type": "identify", "userId": _person(who), "traits": attributes}, False


def _visit(who: int, attributes: dict[str, Any]) -> Said:
    document = {
        "type": "track",
        "anonymousId": f"visitor-{who}",
        "event": "visited",
        "properties": attributes,
    }
    return f"anonymous:visitor-{who}", document, True


def _company(who: int, attributes: dict[str, Any]) -> Said:
    name = {"object_type_id": "1", "object_id": f"company-{who}"}
    document = {"type": "object", "action": "identify", "identifiers": name, "attributes": attributes}
    return f"object:1:company-{who}", document, False


# ---- what is beyond help ----


def _mistake(number: int, value: bytes | None, reason: str | None = None, **more: Any) -> Published:
    return Published(number=number, key=f"mistake-{number}".encode(), value=value, reason=reason, **more)


def _with_attributes(number: int, attributes: str) -> bytes:
    who = f'"identifiers":{{"id":"mistake-{number}"}}'
    return f'{{"type":"person","action":"event",{who},"name":"odd","attributes":{attributes}}}'.encode()


def _not_json(number: int, source: random.Random) -> Published:
    return _mistake(number, b"\x00\x01" + source.randbytes(source.randrange(200)), "undecodable")


def _not_utf8(number: int, _: random.Random) -> Published:
    value = _with_attributes(number, '{"name":"\xff\xfe"}').decode().encode("latin-1")
    return _mistake(number, value, "undecodable", headers=[("region", b"eu")])


def _empty(number: int, _: random.Random) -> Published:
    return _mistake(number, b"", "empty")


def _tombstone(number: int, _: random.Random) -> Published:
    return _mistake(number, None, filtered=True)


def _nameless(number: int, _: random.Random) -> Published:
    return _mistake(number, _with_attributes(number, "{}").replace(b'"name":"odd",', b""), "invalid")


def _nowhere(number: int, _: random.Random) -> Published:
    return _mistake(number, _with_attributes(number, "{}"), "unroutable", headers=[("region", b"mars")])


def _too_large(number: int, _: random.Random) -> Published:
    return _mistake(number, _with_attributes(number, f'{{"text":"{"x" * 40_000}"}}'), "too_large")


def _too_deep(number: int, _: random.Random) -> Published:
    return _mistake(
        number, _with_attributes(number, f'{{"deep":{"[" * 50_000}{"]" * 50_000}}}'), "undecodable"
    )


def _huge(number: int) -> Published:
    return _mistake(number, _with_attributes(number, f'{{"text":"{"x" * 950_000}"}}'), "too_large")


def _pill(number: int, source: random.Random) -> Published:
    reason = source.choice(list(PILLS))
    return _mistake(number, _with_attributes(number, f'{{"text":"{PILLS[reason]}"}}'), reason)
