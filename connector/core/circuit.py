"""How an endpoint of a region is doing, and what that allows: everything, fewer requests at a time, a pause, or a lone
probe.

healthy             -> throttled      on 429, or 503 with Retry-After: concurrency halves, all wait
healthy, throttled  -> open           after `breaker_failures` failures in a row, across lanes
any                 -> unauthorised   on 401 or 403, and
any                 -> misconfigured  on a redirect, 404, 405 or another 4xx, unless it is one request's trouble alone
open                -> healthy        when a probe is answered; concurrency then grows from 1
unauthorised, misconfigured -> healthy   when something is accepted; the same
throttled     -> healthy        when concurrency has grown back
"""

from connector.core.answers import Misconfigured, Unauthorised, Unavailable
from connector.core.backoff import Backoff
from connector.core.effects import RegionState
from connector.core.options import DeliveryOptions

_OPERATIONS_MIN = 8
_OPERATIONS_UNLIMITED = 1 << 30
_REFUSALS_OF_ONE = 3
"""So often in a row one and the same flight may be turned away before it is taken for everybody's trouble."""
PROBED = frozenset((RegionState.OPEN, RegionState.UNAUTHORISED, RegionState.MISCONFIGURED))


class Circuit:
    """The state of one endpoint of a region."""

    __slots__ = (
        "_backoff",
        "_breaker_failures",
        "_concurrency_max",
        "_concurrency_since",
        "_failed_last",
        "_probe_seconds",
        "_refusals",
        "_refused_last",
        "_retry_after_seconds_max",
        "_throttles",
        "accepted_total",
        "concurrency",
        "detail",
        "failures",
        "failures_total",
        "healthy_since",
        "hold_until",
        "operations_max",
        "probe_at",
        "state",
        "successes_first",
        "successes_total",
    )

    def __init__(self, options: DeliveryOptions, backoff: Backoff) -> None:
        self._backoff = backoff
        self._breaker_failures = options.breaker_failures
        self._probe_seconds = options.probe_seconds
        self._retry_after_seconds_max = options.retry_after_seconds_max
        self._concurrency_max = float(options.concurrency)
        self._concurrency_since = float("-inf")
        self._throttles = 0
        self._failed_last = 0
        """The number of a flight."""
        self._refusals = 0
        """In a row, with nobody accepted between."""
        self._refused_last = 0
        """The number of a flight."""
        self.concurrency = self._concurrency_max
        """Requests that may be in flight now; its whole part counts."""
        self.operations_max = _OPERATIONS_UNLIMITED
        """Operations that a new request may hold. Few after an outage, and twice as many with each success: where a
        share of all people can never be delivered, requests that hold many of them never succeed."""
        self.state = RegionState.HEALTHY
        self.detail = ""
        self.healthy_since = float("-inf")
        """When it last became healthy; what failed before says nothing any more."""
        self.failures = 0
        """Failures in a row, across lanes."""
        self.successes_total = 0
        self.successes_first = 0
        """Those of first attempts."""
        self.accepted_total = 0
        """Successes that took something."""
        self.failures_total = 0
        """First attempts that failed."""
        self.hold_until = 0.0
        """No request starts before."""
        self.probe_at = 0.0
        """When the next probe may go, in a state that is probed."""

    @property
    def probed(self) -> bool:
        """May only a lone probe go?"""
        return self.state in PROBED

    def succeeded(self, attempt: int, accepted: bool, now: float) -> None:
        """A request was answered in a way that says the destination works. `accepted`: it took something; whoever
        refuses malformed bodies may do so before the credentials are looked at."""
        self.successes_total += 1
        if attempt == 1:
            self.successes_first += 1
        if accepted:
            self.accepted_total += 1
            self._refusals = 0
        self.failures = self._throttles = 0
        self.operations_max = min(_OPERATIONS_UNLIMITED, 2 * self.operations_max)
        if self.probed:
            if accepted or self.state is RegionState.OPEN:
                self.concurrency = 1.0
                self._recover("a probe was answered", now)
        else:
            self.concurrency = min(self._concurrency_max, self.concurrency + 1 / self.concurrency)
            if self.state is RegionState.THROTTLED and self.concurrency == self._concurrency_max:
                self._recover("requests are accepted at full concurrency again", now)

    def refuses_one_alone(self, flight: int) -> bool:
        """One more request is turned away. Is it the trouble of this flight (by its number) alone, as far as one can
        tell yet? Others were accepted, and nobody else has been refused since."""
        another = self._refusals > 0 and flight != self._refused_last
        self._refusals += 1
        self._refused_last = flight
        return not (another or self._refusals > _REFUSALS_OF_ONE or self.probed) and self.accepted_total > 0

    def turned_away(self, answer: Unauthorised | Misconfigured, attempt: int, now: float) -> None:
        """The credentials are refused, or this is not the destination that the settings think it is: hold everything
        and probe."""
        if attempt == 1:
            self.failures_total += 1
        self.probe_at = now + self._probe_seconds
        self.operations_max = min(self.operations_max, _OPERATIONS_MIN)
        if isinstance(answer, Unauthorised):
            self._enter(RegionState.UNAUTHORISED, answer.said)
        else:
            self._enter(RegionState.MISCONFIGURED, answer.said)

    def failed(
        self, answer: Unavailable, flight: int, attempt: int, suspect: bool, sent_at: float, now: float
    ) -> float:
        """A request met a destination that cannot now. When its operations may be tried again.

        A retry counts against the destination as a first attempt does, unless it says more about itself: because it is
        the same flight (`flight` is its number) that failed last, or because its operations are `suspect`, others
        having succeeded meanwhile. A handful of operations that can never succeed must not stop everybody else. Where
        there is no connection, nothing depends on the operations.
        """
        retry_after = answer.retry_after_seconds
        if retry_after is not None:
            retry_after = min(retry_after, self._retry_after_seconds_max)
            self.hold_until = max(self.hold_until, now + retry_after)
        if answer.status == 429 or (answer.status == 503 and retry_after is not None):
            return self._throttled(answer, retry_after, sent_at, now)
        if attempt == 1 or answer.kind == "connect" or not (suspect or flight == self._failed_last):
            self.failures += 1
        self._failed_last = flight
        if attempt == 1:
            self.failures_total += 1
            if self.operations_max < _OPERATIONS_UNLIMITED:
                self.operations_max = max(_OPERATIONS_MIN, self.operations_max // 2)
        if self.failures >= self._breaker_failures or self.probed:
            self.probe_at = now + self._probe_seconds
            self.operations_max = min(self.operations_max, _OPERATIONS_MIN)
            if self.state not in (RegionState.UNAUTHORISED, RegionState.MISCONFIGURED):
                self._enter(RegionState.OPEN, f"requests fail one after the other: {answer.said}")
        return now + (self._backoff.seconds(attempt) if retry_after is None else retry_after)

    def _throttled(self, answer: Unavailable, retry_after: float | None, sent_at: float, now: float) -> float:
        """Requests that were under way together count as one sign."""
        if sent_at > self._concurrency_since:
            self._concurrency_since = now
            self._throttles += 1
            self.concurrency = max(1.0, self.concurrency / 2)
            if retry_after is None:
                self.hold_until = max(self.hold_until, now + self._backoff.seconds(self._throttles))
        if self.probed:
            self.probe_at = max(now + self._probe_seconds, self.hold_until)
        else:
            self._enter(RegionState.THROTTLED, f"Customer.io answered {answer.status}")
        return self.hold_until

    def _recover(self, detail: str, now: float) -> None:
        self.failures = 0
        self.healthy_since = now
        self._enter(RegionState.HEALTHY, detail)

    def _enter(self, state: RegionState, detail: str) -> None:
        self.state = state
        self.detail = detail
