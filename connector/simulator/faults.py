"""Faults: what goes wrong on request or by chance, decided from a seed alone.

Pure: requests and the time go in, what to do comes out. With the same seed, faults and order of requests
the same things go wrong.
"""

import random
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """The answer comes `delay_seconds` and up to `jitter_seconds` more later; besides any other fault."""
    STATUS = "status"
    """Answered with `status`, and Retry-After where `retry_after_seconds` is given."""
    REDIRECT = "redirect"
    """Answered with `status` 301, 302, 307 or 308 (308 unless given) to `location`."""
    REJECT_ITEMS = "reject_items"
    """Each item of a batch is rejected with probability `share`: a 207. An entity: 400."""
    RESET = "reset"
    """The connection is reset instead of answering."""
    HANG = "hang"
    """No answer until the client gives up, or `delay_seconds` have passed where given: then 504, or what is right where
    it was `applied`."""
    TRUNCATE = "truncate"
    """The connection closes in the middle of the answer's body."""
    GARBAGE = "garbage"
    """Answered with 200 and a body that is not JSON."""


Probability = Annotated[float, Meta(ge=0, le=1)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault and when it strikes. Without any condition: every request from now on."""

    kind: FaultKind
    region: str | None = None
    """Only at this region's host."""
    path: str | None = None
    """Only on paths that begin so, such as `/api/v2/batch`."""
    contains: Annotated[str, Meta(min_length=1)] | None = None
    """Only where this text stands in the body: what Customer.io cannot take, in whatever company."""
    probability: Probability = 1.0
    """Of each request."""
    requests: Annotated[int, Meta(ge=1)] | None = None
    """Only this many requests, the next that it strikes."""
    seconds: Annotated[float, Meta(gt=0)] | None = None
    """Only for so long from when it is injected."""
    applied: bool = False
    """The request is applied before its answer is spoiled: applied, and the answer lost."""
    status: Annotated[int, Meta(ge=300, le=599)] | None = None
    retry_after_seconds: Annotated[float, Meta(ge=0)] | None = None
    retry_after_date: bool = False
    """Write Retry-After as an HTTP date instead of seconds."""
    location: str | None = None
    delay_seconds: Annotated[float, Meta(ge=0)] | None = None
    jitter_seconds: Annotated[float, Meta(ge=0)] = 0.0
    share: Probability = 0.1
    """Of a batch's items."""

    def __post_init__(self) -> None:
        if self.kind is FaultKind.STATUS and self.status is None:
            raise ValueError("a fault of kind `status` needs `status`")
        if self.kind is FaultKind.REDIRECT and self.location is None:
            raise ValueError("a fault of kind `redirect` needs `location`")
        if self.kind is FaultKind.LATENCY and self.delay_seconds is None:
            raise ValueError("a fault of kind `latency` needs `delay_seconds`")


class Plan(NamedTuple):
    """What happens to one request."""

    delay_seconds: float = 0.0
    fault: Fault | None = None
    """The first injected that strikes. Never of kind `latency` or `reject_items`, which the others hold."""
    rejects: Callable[[], bool] | None = None
    """Asked for each item: is it rejected?"""


UNSPOILED = Plan()


class _Injected:
    """A fault with what is left of it."""

    def __init__(self, fault: Fault, now: float, seed: str) -> None:
        self.fault = fault
        self.contained = (fault.contains or "").encode()
        self.requests_left = fault.requests
        self.ends_at = now + fault.seconds if fault.seconds is not None else None
        self.random = random.Random(seed)  # noqa: S311 - reproducible, not secret

    def over(self, now: float) -> bool:
        return self.requests_left == 0 or (self.ends_at is not None and now >= self.ends_at)

    def strikes(self, region: str, path: str, now: float, body: bytes) -> bool:
        fault = self.fault
        if self.over(now) or fault.region not in (None, region):
            return False
        if fault.path is not None and not path.startswith(fault.path):
            return False
        if self.contained not in body:
            return False
        if fault.probability < 1 and self.random.random() >= fault.probability:
            return False
        if self.requests_left is not None:
            self.requests_left -= 1
        return True


class Faults:
    """The faults in force."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._number = 0
        self._injected: list[_Injected] = []

    def inject(self, fault: Fault, now: float) -> None:
        """From now on; `now` in monotonic seconds."""
        # each has randomness of its own, so that one more fault does not change what the others do
        injected = _Injected(fault, now, f"{self._seed}:{self._number}")
        # replaced, never changed: a test's thread injects while the event loop plans
        self._injected = [*(known for known in self._injected if not known.over(now)), injected]
        self._number += 1

    def clear(self) -> None:
        """All faults end."""
        self._injected = []

    def in_force(self, now: float) -> list[Fault]:
        """Those that may still strike."""
        return [injected.fault for injected in self._injected if not injected.over(now)]

    def plan(self, region: str, path: str, now: float, body: bytes = b"") -> Plan:
        """What happens to the next request."""
        if not self._injected:
            return UNSPOILED
        delay, chosen, rejects = 0.0, None, None
        for injected in self._injected:
            fault = injected.fault
            if fault.kind is FaultKind.LATENCY:
                if injected.strikes(region, path, now, body):
                    delay += (fault.delay_seconds or 0.0) + injected.random.random() * fault.jitter_seconds
            elif chosen is None and rejects is None and injected.strikes(region, path, now, body):
                if fault.kind is FaultKind.REJECT_ITEMS:
                    rejects = _rejects(injected)
                else:
                    chosen = fault
        return Plan(delay, chosen, rejects)


def _rejects(injected: _Injected) -> Callable[[], bool]:
    return lambda: injected.random.random() < injected.fault.share


def decode_faults(body: bytes) -> list[Fault]:
    """Faults from JSON: an object or an array. Raises `msgspec.ValidationError`, naming what is wrong."""
    faults: Any = msgspec.json.decode(body, type=Fault | list[Fault])
    return faults if isinstance(faults, list) else [faults]
