"""The time by which everything has been looked at."""

import time
from typing import NamedTuple


class Deadline(NamedTuple):
    """A moment, in monotonic seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def seconds(self, at_most: float) -> float:
        """How long a step may take that should need no longer than `at_most`."""
        return max(0.1, min(at_most, self.at - time.monotonic()))
