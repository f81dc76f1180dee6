"""How long to wait before trying again."""

from collections.abc import Callable

_DOUBLINGS_MAX = 30


class Backoff:
    """Exponential, capped, with full jitter: a uniform share of min(max, min * 2^(attempt - 1))."""

    __slots__ = ("_random", "_seconds_max", "_seconds_min")

    def __init__(self, seconds_min: float, seconds_max: float, random: Callable[[], float]) -> None:
        self._seconds_min = seconds_min
        self._seconds_max = seconds_max
        self._random = random

    def seconds(self, attempt: int) -> float:
        """The wait after this many failed attempts, from 1."""
        doublings = min(attempt - 1, _DOUBLINGS_MAX)
        return min(self._seconds_max, self._seconds_min * 2.0**doublings) * self._random()
