"""The rate limit: so many requests a second, with a short burst."""

_BURST_SECONDS = 0.1
_WHOLE = 1 - 1e-6
"""A token, allowing for the rounding of times."""


class TokenBucket:
    """Fills at `per_second`, holds a tenth of a second's worth (at least one)."""

    __slots__ = ("_capacity", "_filled_at", "_per_second", "_tokens")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second * _BURST_SECONDS)
        self._tokens = self._capacity
        self._filled_at = now

    def ready_at(self, now: float) -> float:
        """When the next token is there: `now` or earlier if there is one."""
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        return now if self._tokens >= _WHOLE else now + (1 - self._tokens) / self._per_second

    def take(self) -> None:
        """Use one. `ready_at` has just said that there is one."""
        self._tokens -= 1
