"""What is wrong with Kafka just now: shown by readiness, and noted once instead of with every attempt."""

import threading
import time
from collections.abc import Callable, Iterable

from connector.core.effects import TopicPartition

REMIND_SECONDS = 60.0
"""A condition whose words change is noted again after this at the earliest."""


class Key:
    """What a condition is about."""

    BROKER = "broker"
    CREDENTIALS = "credentials"
    CONNECTION = (BROKER, CREDENTIALS)
    """In order again as soon as a broker answers anything."""
    GROUP = "group"

    @staticmethod
    def topic(topic: str) -> str:
        return f"topic {topic}"

    @staticmethod
    def partition(partition: TopicPartition) -> str:
        return f"partition {partition.topic} {partition.partition}"


class Conditions:
    """Conditions by key. Read from any thread."""

    def __init__(self, note: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._clock = clock
        self._lock = threading.Lock()
        self._messages: dict[str, str] = {}
        self._noted_at: dict[str, float] = {}

    def report(self, key: str, message: str, level: str = "warning") -> None:
        """`key` names what is concerned. The same again is no news."""
        with self._lock:
            known = self._messages.get(key)
            self._messages[key] = message
            news = known is None or (
                known != message and self._clock() - self._noted_at[key] >= REMIND_SECONDS
            )
            if news:
                self._noted_at[key] = self._clock()
        if news:
            self._note(level, message)

    def clear(self, keys: Iterable[str]) -> None:
        """These are in order again."""
        with self._lock:
            gone = [self._messages.pop(key) for key in keys if key in self._messages]
        for message in gone:
            self._note("info", f"no longer: {message}")

    def forget(self, keys: Iterable[str]) -> None:
        """These do not concern us any more."""
        with self._lock:
            for key in keys:
                self._messages.pop(key, None)

    def messages(self) -> tuple[str, ...]:
        """What is wrong, oldest first."""
        with self._lock:
            return tuple(self._messages.values())

    def has(self, *keys: str) -> bool:
        with self._lock:
            return any(key in self._messages for key in keys)

    def __bool__(self) -> bool:
        return bool(self._messages)
