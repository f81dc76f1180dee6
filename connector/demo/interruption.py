"""Ctrl-C and its kin, noticed where it does no harm.

An exception that a signal raises within a callback of librdkafka's client is lost there: so nothing is raised by the
signal itself.
"""

import signal
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, being told to end, the terminal being closed."""


class Interruption:
    """While the context is open, a signal is remembered until `check` is called. In the main thread only."""

    def __init__(self) -> None:
        self._requested = False
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
        """Raises KeyboardInterrupt if there was a signal."""
        if self._requested:
            raise KeyboardInterrupt

    def _request(self, number: int, frame: FrameType | None) -> None:
        self._requested = True
