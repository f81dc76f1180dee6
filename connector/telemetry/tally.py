"""What happens often, told seldom: counted, and summed up in one line a minute at most."""

from collections import Counter
from collections.abc import Callable, Mapping

SUM_UP_SECONDS = 60.0
"""Between two lines."""
GATHER_SECONDS = 3.0
"""From the first after a pause to its line: what comes in company is told in company."""
CAUSES_MAX = 20

Say = Callable[[int, str, str], None]
"""How many, within what time, and of which kinds (`invalid 4, undecodable 3`)."""


class Tally:
    """Counts of one kind of event by cause. `say` is called by `look`, which must come every now and then."""

    __slots__ = ("_counts", "_said_at", "_say", "_since")

    def __init__(self, say: Say) -> None:
        self._say = say
        self._counts: Counter[str] = Counter()
        self._since = 0.0
        self._said_at = float("-inf")

    def add(self, cause: str, number: int, now: float) -> None:
        if not self._counts:
            self._since = now
        self._counts[cause] += number

    def look(self, now: float, last: bool = False) -> None:
        """Says what has come together, if it is time, or for the last time."""
        if not self._counts:
            return
        if not last and now < max(self._since + GATHER_SECONDS, self._said_at + SUM_UP_SECONDS):
            return
        counts, self._counts = self._counts, Counter()
        self._said_at = now
        self._say(counts.total(), _within(now - self._since), _by_cause(counts))


def _within(seconds: float) -> str:
    return "the last minute" if round(seconds) == SUM_UP_SECONDS else f"the last {max(1, round(seconds))} s"


def _by_cause(counts: Mapping[str, int]) -> str:
    """The most frequent first."""
    causes = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{cause} {number:,}" for cause, number in causes[:CAUSES_MAX]]
    return ", ".join(told + ["..."] * (len(causes) > CAUSES_MAX))
