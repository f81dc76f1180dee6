"""Ctrl-C and its kin, noticed where it does no harm.

An exception that a signal raises within a callback of librdkafka's client is lost there: so nothing is raised by the
signal itself.
"""

import signal
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, being told to end, the terminal being closed."""


class Interruption:
    """While the context is open, a signal is remembered until `check` is called. In the main thread only."""

    def __init__(self) -> None:
        self._requested = False
        self._waiting = False
        """For what is no client of Kafka's: there it is raised at once."""
        self._before: dict[str, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        for name in _SIGNALS:
            if hasattr(signal, name):
                self._before[name] = signal.signal(getattr(signal, name), self._request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name, handler in self._before.items():
            signal.signal(getattr(signal, name), handler)

    def check(self) -> None:
        """Raises KeyboardInterrupt if there was a signal since the last call."""
        if self._requested:
            self._requested = False
            raise KeyboardInterrupt

    def raised_between(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items. While the next is waited for, as of a terminal or a pipe, a signal is raised at once."""
        iterator = iter(items)
        while True:
            try:
                self._waiting = True
                self.check()
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._waiting = False
            yield item

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
        if self._waiting:
            self.check()
