"""The traffic: records as many publishers would write them, all decided by one seed.

People in both regions do things, buy phones, join companies and leave; both vocabularies are mixed; publishers send
things twice, to the same partition or another; and now and then a record is beyond help.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from connector.demo import messages
from connector.demo.messages import Message
from connector.demo.mistakes import mistake
from connector.demo.people import PARTITIONS, Population, RegionFrom, Subject
from connector.events.event import Reason
from connector.events.record import Headers

DUPLICATE_SHARE = 0.03
MISTAKE_SHARE = 0.008
_EVENTS_PER_PERSON = 8
_DUPLICATES_AMONG_LAST = 2_000
_SECONDS_BETWEEN = 0.05
"""From one event to the next, on average, by the events' own account."""


class TrafficRecord(NamedTuple):
    """One record to publish, and what is to become of it."""

    event: int
    """Its event's number. A duplicate has its original's."""
    partition: int
    key: bytes
    value: bytes
    headers: Headers
    region: str
    reason: Reason | None
    """Why it must become a dead letter; None for what Customer.io must have."""


class _Said(NamedTuple):
    """A message before it becomes a record."""

    message: Message
    key: Subject
    """Whose identifier is the record's key."""
    region_of: Subject
    repeatable: bool = False
    """Whether it is an event: one that is sent to another partition as well does no harm there out of its order."""


def traffic(seed: int, events: int, now: int) -> Iterator[TrafficRecord]:
    """`events` records, the last of them said at about `now` (Unix seconds). The same seed says the same."""
    return _Traffic(seed, events, now).records(events)


class _Traffic:
    def __init__(self, seed: int, events: int, now: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._population = Population(self._random, max(20, events // _EVENTS_PER_PERSON))
        self._seconds = now - events * _SECONDS_BETWEEN
        self._mistakes = self._random.randrange(100)
        self._recent: deque[tuple[TrafficRecord, bool]] = deque(maxlen=_DUPLICATES_AMONG_LAST)

    def records(self, count: int) -> Iterator[TrafficRecord]:
        event = 0
        for _ in range(count):
            self._seconds += self._random.random() * 2 * _SECONDS_BETWEEN
            chance = self._random.random()
            if chance < DUPLICATE_SHARE and self._recent:
                yield self._duplicate()
                continue
            if chance > 1 - MISTAKE_SHARE:
                yield self._mistake(event)
            else:
                yield self._record(event, self._said())
            event += 1

    def _duplicate(self) -> TrafficRecord:
        """One of the last records again: a publisher that repeats itself, or another with another partitioner."""
        record, repeatable = self._random.choice(self._recent)
        if repeatable and self._random.random() < 0.5:
            other = (record.partition + self._random.randrange(1, PARTITIONS)) % PARTITIONS
            return record._replace(partition=other)
        return record

    def _mistake(self, event: int) -> TrafficRecord:
        who = self._population.person()
        value, reason = mistake(self._mistakes, who, self._id())
        self._mistakes += 1
        return TrafficRecord(event, who.partition, who.value.encode(), value, [], who.region, reason)

    def _record(self, event: int, said: _Said) -> TrafficRecord:
        headers: Headers = []
        message = self._with_region(said, headers)
        message, has_id = self._with_id(message, said.repeatable, headers)
        key = said.key
        record = TrafficRecord(
            event,
            key.partition,
            key.value.encode(),
            msgspec.json.encode(message),
            headers,
            key.region,
            None,
        )
        if has_id:
            self._recent.append((record, said.repeatable))
        return record

    def _with_region(self, said: _Said, headers: Headers) -> Message:
        match said.region_of.region_from:
            case RegionFrom.MEMBER:
                return said.message | {"region": said.key.region}
            case RegionFrom.HEADER:
                headers.append(("region", said.key.region.encode()))
        return said.message

    def _with_id(self, message: Message, repeatable: bool, headers: Headers) -> tuple[Message, bool]:
        """An id in one of the places where publishers put it; some events come without."""
        chance = self._random.random()
        if repeatable and chance < 0.01:
            return message, False
        id_ = self._id()
        if chance < 0.06:
            headers.append(("event_id", id_.encode()))
            return message, True
        is_v2 = "action" in message
        return {"event_id" if is_v2 else "messageId": id_} | message, True

    def _id(self) -> str:
        """A UUID as most have it, or a ULID, which Customer.io takes as it is."""
        bits = self._random.getrandbits(128)
        if bits % 10 == 0:
            return "01" + "".join(
                "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> 5 * place & 31] for place in range(24)
            )
        digits = f"{bits:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    # ---- what is said ----

    def _said(self) -> _Said:
        (say,) = self._random.choices(_SAYINGS, cum_weights=_CUMULATED_WEIGHTS)
        return say(self) or self._event()

    def _event(self) -> _Said:
        return self._of_person(messages.event, repeatable=True)

    def _page(self) -> _Said:
        return self._of_person(messages.page, repeatable=True)

    def _screen(self) -> _Said:
        return self._of_person(messages.screen, repeatable=True)

    def _identify(self) -> _Said:
        return self._of_person(messages.identify)

    def _device_added(self) -> _Said:
        return self._of_person(messages.device_added)

    def _visit(self) -> _Said:
        visitor = self._population.visitor()
        make = self._random.choice((messages.page, messages.event))
        return _Said(make(self._random, visitor, int(self._seconds)), visitor, visitor, repeatable=True)

    def _device_deleted(self) -> _Said | None:
        who = self._population.person()
        if not who.devices:
            return None
        return _Said(messages.device_deleted(self._random, who, int(self._seconds)), who, who)

    def _delivery_reported(self) -> _Said | None:
        who = self._population.person()
        if not who.devices or who.region_from is RegionFrom.RULE:
            return None  # the rule looks at the id, which a delivery has not
        return _Said(messages.delivery_reported(self._random, who, int(self._seconds)), who, who)

    def _company_described(self) -> _Said:
        who = self._population.person()
        company = self._population.company(who.region)
        message = messages.company_described(self._random, company, who, int(self._seconds))
        return _Said(message, who, company)

    def _company_joined(self) -> _Said | None:
        who = self._population.person()
        company = self._population.company(who.region)
        if company in who.companies or company in who.companies_left:
            return None
        return _Said(messages.company_joined(self._random, who, company), who, who)

    def _company_left(self) -> _Said | None:
        who = self._population.person()
        if not who.companies or who.companies[-1].gone or who.region_from is RegionFrom.RULE:
            return None
        return _Said(messages.company_left(self._random, who, int(self._seconds)), who, who)

    def _company_deleted(self) -> _Said:
        who = self._population.person()
        company = self._population.company(who.region)
        self._population.closes(company)
        message = messages.company_deleted(self._random, company, who, int(self._seconds))
        return _Said(message, company, company)

    def _merged(self) -> _Said | None:
        primary = self._population.person()
        secondary = self._population.another(primary)
        if secondary is None:
            return None
        self._population.goes(secondary)
        return _Said(messages.merged(self._random, primary, secondary, int(self._seconds)), primary, primary)

    def _deleted(self) -> _Said:
        who = self._population.person()
        self._population.goes(who)
        return _Said(messages.deleted(self._random, who, int(self._seconds)), who, who)

    def _of_person(
        self, make: Callable[[random.Random, Subject, int], Message], repeatable: bool = False
    ) -> _Said:
        who = self._population.person()
        return _Said(make(self._random, who, int(self._seconds)), who, who, repeatable)


_MIX: tuple[tuple[float, Callable[[_Traffic], _Said | None]], ...] = (
    (40, _Traffic._event),
    (20, _Traffic._page),
    (5, _Traffic._screen),
    (16, _Traffic._identify),
    (2, _Traffic._visit),
    (4, _Traffic._device_added),
    (1, _Traffic._device_deleted),
    (1, _Traffic._delivery_reported),
    (4, _Traffic._company_described),
    (2, _Traffic._company_joined),
    (1, _Traffic._company_left),
    (0.2, _Traffic._company_deleted),
    (0.5, _Traffic._merged),
    (0.5, _Traffic._deleted),
)
_SAYINGS = [say for _, say in _MIX]
_CUMULATED_WEIGHTS = [sum(weight for weight, _ in _MIX[: place + 1]) for place in range(len(_MIX))]
