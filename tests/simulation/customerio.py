"""The simulated Customer.io: one workspace a region, with the weather of the scenario."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from connector.core.answers import (
    Accepted,
    Answer,
    ItemError,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.events.event import RequestKind
from tests.simulation.publisher import EPOCH_SECONDS, Flaw
from tests.simulation.scenario import Weather
from tests.simulation.truth import Fact

_REFUSALS = {Flaw.MALFORMED: 400, Flaw.HUGE: 413, Flaw.UNPROCESSABLE: 422}

_POISONED: tuple[Answer, ...] = (
    Unavailable("5xx", 500),
    Unauthorised(403),
    Misconfigured(404, "something on the way answered 404"),
)
"""What a request with poison in it is answered: by Customer.io, or by a firewall before it."""


class Person(NamedTuple):
    """What is known of a person: the value that was set last, and as of when."""

    plan: object
    timestamp: int


class People:
    """Everybody's state, changed by operations in the order in which they arrive."""

    def __init__(self) -> None:
        self.persons: dict[bytes, Person] = {}

    def apply(self, fact: Fact, now: float) -> None:
        """Identify by timestamp, delete at once."""
        who = fact.who[0]
        person = self.persons.get(who)
        if fact.action == "person.delete":
            self.persons.pop(who, None)
        elif fact.action == "person.identify" and not (fact.update_only and person is None):
            timestamp = EPOCH_SECONDS + int(now) if fact.timestamp is None else fact.timestamp
            if person is None or timestamp >= person.timestamp:
                self.persons[who] = Person(fact.plan, timestamp)


class Workspace:
    """One region of Customer.io."""

    def __init__(
        self,
        region: str,
        weather: Weather,
        faults_end: float,
        random: Random,
        accepted: Callable[[Fact, str, bool], None],
    ) -> None:
        self.region = region
        self.people = People()
        self.faults_end = faults_end
        self._weather = weather
        self._random = random
        self._accepted = accepted
        """Told of each operation: what, where, and whether its id had been seen before."""
        self._seen: set[str] = set()

    def latency_seconds(self) -> float:
        """How long a request, or its answer, is on its way."""
        return self._random.uniform(*self._weather.latency_seconds)

    def handle(self, facts: Sequence[Fact], size: int, now: float) -> Answer | None:
        """A request arrives. None: no answer will ever come."""
        if now < self.faults_end:
            answer = self._bad_weather(facts[0].kind, now)
            if answer is not None:
                return answer
            if self._random.random() < self._weather.failing:
                return self._fail(facts, now)
        refusal = self._refuse(facts, size)
        if refusal is not None:
            return refusal
        answer = self._take(facts, now)
        if now < self.faults_end and len(facts) > 1 and self._random.random() < self._weather.unreadable:
            return PartlyRejected((), attributable=False)
        return answer

    def _bad_weather(self, endpoint: RequestKind, now: float) -> Answer | None:
        for window in self._weather.windows:
            if window.start <= now < window.end and window.endpoint in (None, endpoint):
                if window.kind == "outage":
                    return self._random.choice((Unavailable("5xx", 503), Unavailable("connect")))
                if window.kind == "unauthorised":
                    return Unauthorised(self._random.choice((401, 403)))
                if window.kind == "misconfigured":
                    return Misconfigured(301, f"https://{self.region} answered 301")
                return Unavailable("429", 429, self._retry_after())
        return None

    def _retry_after(self) -> float | None:
        return self._random.choice((None, 0.0, 0.5, 2.0, 40.0))

    def _fail(self, facts: Sequence[Fact], now: float) -> Answer | None:
        """Fail for no reason of the request's own; perhaps after some, or all, of it was taken."""
        random = self._random
        if random.random() < 0.4 and self._refuse(facts, 0) is None:
            self._take(facts[: random.choice((len(facts), random.randint(0, len(facts))))], now)
        return random.choice(
            (
                None,
                Unavailable("5xx", random.choice((500, 502, 503, 504, 522, 524))),
                Unavailable("5xx", 503, self._retry_after()),
                Unavailable("429", 429, self._retry_after()),
                Unavailable("408", 408),
                Unavailable("timeout"),
                Unavailable("reset"),
                Unavailable("reset", reused_connection_broke=True),
                Unavailable("unreadable", 200),
            )
        )

    def _refuse(self, facts: Sequence[Fact], size: int) -> Answer | None:
        """What befalls the request as a whole because of one operation or of its size."""
        for fact in facts:
            if fact.flaw is Flaw.POISON:
                return _POISONED[fact.serial % len(_POISONED)]
        if self._weather.proxy_bytes and len(facts) > 1 and size > self._weather.proxy_bytes:
            return Refused(413, "larger than the proxy takes")
        for fact in facts:
            if fact.flaw in _REFUSALS:
                return Refused(_REFUSALS[fact.flaw], f"{fact.flaw}")
            if fact.flaw is Flaw.REJECTED and fact.kind is RequestKind.V1_EVENTS:
                return Refused(400, "rejected")
        return None

    def _take(self, facts: Sequence[Fact], now: float) -> Answer:
        errors = []
        for index, fact in enumerate(facts):
            if fact.flaw is Flaw.REJECTED:
                errors.append(ItemError(index, "rejected"))
                continue
            self._apply(fact, now)
        return PartlyRejected(tuple(errors)) if errors else Accepted()

    def _apply(self, fact: Fact, now: float) -> None:
        seen = fact.event_id in self._seen
        if fact.event_id:
            self._seen.add(fact.event_id)
        if not seen:
            self.people.apply(fact, now)
        self._accepted(fact, self.region, seen)
