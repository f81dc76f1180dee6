"""Where the logs end, asked of the brokers now and then without waiting for the answer.

The client's cached high watermark stands still while a partition is paused.
"""

from collections.abc import Collection

from connector.core.effects import TopicPartition
from connector.kafka.lookup import Asked, Lookup

ANSWER_SECONDS = 10.0


class Ends:
    """Used by the poll thread alone."""

    def __init__(self, lookup: Lookup, every_seconds: float) -> None:
        self._lookup = lookup
        self._every_seconds = every_seconds
        self._due_at = 0.0
        self._asked: Asked = {}

    def turn(self, partitions: Collection[TopicPartition], now: float) -> dict[TopicPartition, int]:
        """Asks when it is time, and returns what has been answered. `now`: monotonic seconds."""
        if self._asked:
            if not all(future.done() for future in self._asked.values()):
                return {}
            ends = self._lookup.ends(self._asked)
            self._asked = {}
            return ends
        if partitions and now >= self._due_at:
            self._due_at = now + self._every_seconds
            self._asked = self._lookup.ask_ends(partitions, ANSWER_SECONDS)
        return {}
