"""What may be sent when: one core's requests, held against limits, lanes, states and its assignment."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import NamedTuple
from zlib import crc32

import msgspec

from connector.core.answers import Accepted, Answer, Misconfigured, PartlyRejected, Unauthorised, Unavailable
from connector.core.effects import RegionState, Send, TopicPartition
from connector.core.options import CoreOptions, DeliveryOptions
from connector.events.event import RequestKind
from tests.simulation.truth import Fact, Published, Truth
from tests.simulation.violation import Violation

_V2_PATH = "/api/v2/batch"
_V1_PATH = "/api/v1/events"
_PATHS = {"batch": _V2_PATH, "v1_events": _V1_PATH}
_BODY_BYTES_LIMIT = 500_000
_PROBED_ONLY = frozenset({RegionState.OPEN, RegionState.UNAUTHORISED, RegionState.MISCONFIGURED})
_BURST_SECONDS = 0.1
_TINY = 1e-6


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    batch: list[msgspec.Raw]


_batch = msgspec.json.Decoder(_Batch)


class _Flying(NamedTuple):
    region: str
    operation: str
    facts: tuple[Fact, ...]
    probe: bool

    @property
    def anonymous(self) -> bool:
        return self.facts[0].kind is RequestKind.V1_EVENTS


class _Tokens:
    """So many requests a second, after a short burst."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = self._tokens = max(1.0, per_second * _BURST_SECONDS)
        self._filled_at = 0.0

    def take(self, now: float) -> None:
        """One request starts."""
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1 - _TINY:
            raise Violation(f"more than {self._per_second} requests a second")
        self._tokens -= 1


class _Endpoint:
    """What is known about one endpoint of a region from the effects and answers so far."""

    def __init__(self) -> None:
        self.state = RegionState.HEALTHY
        self.probed: frozenset[str] = frozenset()
        """What the last request held, if it was a probe."""
        self.failed: dict[str, Fact] = {}
        """Tag -> operation that failed and was not sent since."""


class _Region:
    """The same of one region."""

    def __init__(self, delivery: DeliveryOptions, now: float) -> None:
        self.endpoints = {operation: _Endpoint() for operation in _PATHS}
        self.held_until = now
        self.tokens = _Tokens(delivery.requests_per_second)
        self.anonymous_tokens = _Tokens(delivery.requests_per_second * delivery.anonymous_share)


class RequestChecks:
    """One core's requests."""

    def __init__(self, options: CoreOptions, truth: Truth, lanes: int, now: float) -> None:
        """`lanes`: how many a channel has."""
        self._lane_count = lanes
        self._options = options
        self._truth = truth
        self._flying: dict[int, _Flying] = {}
        self._ids: set[int] = set()
        self._regions = {region: _Region(options.delivery, now) for region in options.serves}
        self._told_accepted: dict[TopicPartition, set[tuple[int, int]]] = {}
        self.takes: dict[TopicPartition, int] = {}
        """Partition -> the offset that is read next, of those whose records may be sent."""
        self.polled_at = now

    def assigned(self, place: TopicPartition, offset: int) -> None:
        """A partition is given to this core; what an earlier epoch knew no longer counts."""
        self._told_accepted[place] = set()
        self.takes[place] = offset

    def read_to(self, place: TopicPartition, offset: int) -> None:
        """The core has everything before this offset."""
        if place in self.takes:
            self.takes[place] = max(self.takes[place], offset)

    def revoked(self, place: TopicPartition) -> None:
        """Nothing more may be sent of this partition."""
        self.takes.pop(place, None)
        published = self._truth.published
        self._forget_failed(lambda fact: published[fact.serial].place == place)

    def state_changed(self, region: str, operation: str, state: RegionState) -> None:
        """The core says how an endpoint of a region is doing."""
        if region not in self._regions:
            raise Violation(f"speaks of region {region}, which it does not serve")
        self._regions[region].endpoints[operation].state = state

    # --- sending

    def sent(self, send: Send, now: float) -> tuple[Fact, ...]:
        """A request starts. Returns what is in it."""
        if send.request_id in self._ids:
            raise Violation(f"request id {send.request_id} is used twice")
        self._ids.add(send.request_id)
        region = self._regions.get(send.region)
        if region is None:
            raise Violation(f"sends to {send.region}, which it does not serve")
        facts = self._read(send)
        self._check_size(send, facts)
        self._check_places(send.region, facts)
        self._check_company(send, facts)
        self._check_moment(region, send, now)
        endpoint = region.endpoints[send.operation]
        probe = endpoint.state in _PROBED_ONLY
        self._check_probe(send.region, endpoint, facts, probe)
        self._flying[send.request_id] = _Flying(send.region, send.operation, facts, probe)
        return facts

    def _read(self, send: Send) -> tuple[Fact, ...]:
        if send.path != _PATHS.get(send.operation):
            raise Violation(f"sends {send.operation} to {send.path}")
        anonymous = send.path == _V1_PATH
        bodies = [send.body] if anonymous else [bytes(raw) for raw in _batch.decode(send.body).batch]
        facts = []
        for body in bodies:
            fact = self._truth.facts.get(body)
            if fact is None:
                raise Violation(f"sends something that no record said: {body[:200]!r}")
            if (fact.kind is RequestKind.V1_EVENTS) != (send.path == _V1_PATH):
                raise Violation(f"sends {fact.tag} to {send.path}")
            facts.append(fact)
        return tuple(facts)

    def _check_size(self, send: Send, facts: Sequence[Fact]) -> None:
        batch = self._options.batch
        if not facts or len(facts) != send.events:
            raise Violation(f"a request of {len(facts)} operations that says it has {send.events}")
        most = max(batch.max_events, len(facts) if len({fact.serial for fact in facts}) == 1 else 0)
        if len(facts) > most:
            raise Violation(f"{len(facts)} operations in a request, {batch.max_events} allowed")
        if len(send.body) > batch.max_bytes or len(send.body) >= _BODY_BYTES_LIMIT:
            raise Violation(f"{len(send.body)} bytes in a request, {batch.max_bytes} allowed")
        if send.attempt < 1 or send.deadline_seconds > self._options.delivery.timeout_seconds:
            raise Violation(f"attempt {send.attempt}, deadline {send.deadline_seconds}")

    def _check_places(self, region: str, facts: Sequence[Fact]) -> None:
        for fact in facts:
            published = self._truth.published[fact.serial]
            if published.nature.region != region:
                raise Violation(f"{published} belongs to {published.nature.region!r}, sent to {region}")
            if not self._holds(published):
                raise Violation(f"{published} is sent, though its partition is not this member's any more")
            told = self._told_accepted.get(published.place)
            again = told is not None and (fact.serial, fact.index) in told
            if again and not self._truth.speaks_for_another(published):
                raise Violation(f"{fact.tag} is sent again, though it was accepted in this epoch")

    def _holds(self, published: Published) -> bool:
        """Has this core read the record, or one that comes to the same, and does it still own its partition?"""
        takes = self.takes
        if published.offset < takes.get(published.place, 0):
            return True
        event = published.event
        assert event is not None
        return any(other.offset < takes.get(other.place, 0) for other in self._truth.same(event))

    def _check_company(self, send: Send, facts: Sequence[Fact]) -> None:
        delivery = self._options.delivery
        orders = {order for fact in facts for order in fact.orders}
        in_flight = anonymous = 0
        for flying in self._flying.values():
            if flying.region != send.region:
                continue
            in_flight += 1
            anonymous += flying.anonymous
            for fact in flying.facts:
                for order in fact.orders:
                    if order in orders:
                        raise Violation(f"two requests hold {order!r} at once")
        if in_flight >= delivery.concurrency:
            raise Violation(
                f"{in_flight + 1} requests in flight in {send.region}, {delivery.concurrency} allowed"
            )
        share = max(1, ceil(delivery.concurrency * delivery.anonymous_share))
        if facts[0].kind is RequestKind.V1_EVENTS and anonymous >= share:
            raise Violation(f"{anonymous + 1} anonymous requests in flight, {share} allowed")

    def _check_moment(self, region: _Region, send: Send, now: float) -> None:
        if now - self.polled_at > self._options.session_timeout_seconds + _TINY:
            raise Violation(f"a request starts though polling has stood still since {self.polled_at:.3f}")
        if now < region.held_until - _TINY:
            raise Violation(f"a request starts before Retry-After has passed at {region.held_until:.3f}")
        state = region.endpoints[send.operation].state
        if state in _PROBED_ONLY and any(
            flying.probe and (flying.region, flying.operation) == (send.region, send.operation)
            for flying in self._flying.values()
        ):
            raise Violation(f"a second probe while {send.operation} of {send.region} is {state}")
        region.tokens.take(now)
        if send.path == _V1_PATH:
            region.anonymous_tokens.take(now)

    def _check_probe(self, name: str, endpoint: _Endpoint, facts: Sequence[Fact], probe: bool) -> None:
        """Never the same probe twice running where something else failed too and could go instead."""
        tags = frozenset(fact.tag for fact in facts)
        for tag in tags:
            endpoint.failed.pop(tag, None)
        if probe and tags == endpoint.probed:
            lanes = {lane for fact in facts for lane in self._lanes(fact)}
            for fact in endpoint.failed.values():
                if self._waits(fact) and lanes.isdisjoint(self._lanes(fact)):
                    raise Violation(f"{sorted(tags)} probe {name} twice running, and {fact.tag} waits")
        endpoint.probed = tags if probe else frozenset()

    def _waits(self, fact: Fact) -> bool:
        """Is an operation that failed still to be sent? Others' endings and places are hard to tell apart from
        outside, so what shares its id with anything else is left aside."""
        published = self._truth.published[fact.serial]
        event = published.event
        assert event is not None
        return len(self._truth.same(event)) == 1 and published.offset < self.takes.get(published.place, 0)

    def _lanes(self, fact: Fact) -> set[int]:
        """The lanes that it stands in: operations of one lane wait for each other."""
        event = self._truth.published[fact.serial].event
        assert event is not None
        named = [lane for lane in (event.lane, event.lane_secondary) if lane]
        return {crc32(lane) % self._lane_count for lane in named}

    # --- answers

    def dead_lettered(self, serial: int) -> None:
        """The core gives a record up."""
        self._forget_failed(lambda fact: fact.serial == serial)

    def _forget_failed(self, gone: Callable[[Fact], bool]) -> None:
        for region in self._regions.values():
            for endpoint in region.endpoints.values():
                endpoint.failed = {tag: fact for tag, fact in endpoint.failed.items() if not gone(fact)}

    def cancelled(self, request_id: int) -> None:
        """The core gave a request up."""
        if self._flying.pop(request_id, None) is None:
            raise Violation(f"cancels request {request_id}, which is not in flight")

    def answered(self, request_id: int, answer: Answer, now: float) -> None:
        """An answer is handed to the core."""
        flying = self._flying.pop(request_id, None)
        if flying is None:
            return
        region = self._regions[flying.region]
        if isinstance(answer, Unavailable) and answer.retry_after_seconds is not None:
            seconds = min(answer.retry_after_seconds, self._options.delivery.retry_after_seconds_max)
            region.held_until = max(region.held_until, now + seconds)
        if isinstance(answer, Unavailable | Unauthorised | Misconfigured):
            failed = region.endpoints[flying.operation].failed
            failed.update((fact.tag, fact) for fact in flying.facts)
        refused: set[int] | None = None
        if isinstance(answer, Accepted):
            refused = set()
        elif isinstance(answer, PartlyRejected) and answer.attributable:
            refused = {error.index for error in answer.errors}
        if refused is None:
            return
        for index, fact in enumerate(flying.facts):
            if index not in refused:
                published = self._truth.published[fact.serial]
                if published.offset < self.takes.get(
                    published.place, 0
                ):  # else it was sent for another of its id
                    self._told_accepted.setdefault(published.place, set()).add((fact.serial, fact.index))

    @property
    def flying(self) -> int:
        """Requests in flight."""
        return len(self._flying)
