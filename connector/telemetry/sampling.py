"""Which records are followed by a span of their own, at a bounded cost."""

from collections.abc import Callable, Iterator, Sequence

from opentelemetry.context import Context

from connector.events.record import Record
from connector.telemetry.context import parent_context, trace_parent

LOOKS_PER_SPAN = 100
"""Records whose headers may be looked at for each span that may be begun: at 50 spans a second, 5,000 looks of about
a microsecond."""
RETURNS_PER_SPAN = 4
"""Spans given back for each that may be begun: beyond, those that come to nothing cost more than they are worth."""
LOOKS_PER_POLL_MAX = 500
"""So that one poll does not take a whole second's looks at once."""


class SpanBudget:
    """How many spans of single records may still be begun, counted in fixed periods of at least a second.

    `per_second_max` below 1 gives one span every `1 / per_second_max` seconds; 0 gives none. One budget is shared by
    all consumer groups of a process.
    """

    __slots__ = (
        "_monotonic",
        "_period_ends_at",
        "_period_seconds",
        "_returns_left",
        "_spans_max",
        "looks_left",
        "spans_left",
    )

    def __init__(self, per_second_max: float, monotonic: Callable[[], float]) -> None:
        assert per_second_max >= 0, "a budget is not negative"
        self._spans_max = 0 if per_second_max == 0 else max(1, int(per_second_max))
        self._period_seconds = 1.0 if per_second_max >= 1 or per_second_max == 0 else 1 / per_second_max
        self._monotonic = monotonic
        self._period_ends_at = float("-inf")
        self._returns_left = 0
        self.spans_left = 0
        self.looks_left = 0

    def is_left(self) -> bool:
        """Whether a record may be looked at now. Begins the next period when it is time."""
        now = self._monotonic()
        if now >= self._period_ends_at:
            self._period_ends_at = now + self._period_seconds
            self.spans_left = self._spans_max
            self.looks_left = self._spans_max * LOOKS_PER_SPAN
            self._returns_left = self._spans_max * RETURNS_PER_SPAN
        return self.spans_left > 0 and self.looks_left > 0

    def give_back(self) -> None:
        """A span that was begun lately comes to nothing: another may be begun instead."""
        if self._returns_left > 0 and self.spans_left < self._spans_max:
            self._returns_left -= 1
            self.spans_left += 1


class RecordSampler:
    """Picks, in the order of a poll, the records to follow: those whose own trace is sampled, and a share of those that
    have none. A record whose trace is not sampled is never followed.

    Where a poll holds more records than may be looked at, those looked at are spread evenly over it.
    """

    __slots__ = ("_budget", "_credit", "_share")

    def __init__(self, budget: SpanBudget, share: float) -> None:
        assert 0 <= share <= 1, "a share is between 0 and 1"
        self._budget = budget
        self._share = share
        self._credit = 1.0 if share > 0 else 0.0

    def picks(self, records: Sequence[Record]) -> Iterator[tuple[int, Context]]:
        """Index and parent context of each record to follow. Call it only while the budget `is_left`. A span that is
        begun is counted with `count`."""
        budget = self._budget
        total = len(records)
        looks = min(total, budget.looks_left, LOOKS_PER_POLL_MAX)
        for look in range(looks):
            if not budget.spans_left:
                return
            budget.looks_left -= 1
            index = look * total // looks
            headers = records[index].headers()
            parent = trace_parent(headers)
            if parent is None:
                self._credit += self._share
                if self._credit < 1:
                    continue
                self._credit -= 1
            elif not parent.sampled:
                continue
            yield index, parent_context(parent, headers)

    def count(self) -> None:
        """A picked record's span was begun."""
        self._budget.spans_left -= 1
