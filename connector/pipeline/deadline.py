"""The one deadline of a stop: over delivering what is held, the last commit, and leaving the group."""

import time

GRACE_SECONDS = 5.0
"""After it, for what the brokers have no part in: the last spans and metrics, sockets, and the process itself. Whoever
ends the process by force waits so much longer."""
_CLOSING_SECONDS = 3.0
_CLOSING_SHARE = 0.2


class Deadline:
    """A moment, so many seconds from now on."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._closing_seconds = min(_CLOSING_SECONDS, _CLOSING_SHARE * seconds)

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._at - time.monotonic())

    @property
    def left_to_deliver(self) -> float:
        """The same without what is kept for the last commit and for leaving the group."""
        return max(0.0, self.left - self._closing_seconds)
