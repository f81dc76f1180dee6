"""Keeps one failing thing from filling the log."""

import logging
import re
import time
from collections.abc import Callable

WINDOW_SECONDS = 60.0
LINES_PER_WINDOW = 10
"""Alike lines within a window that are written; the others are counted."""
KINDS_MAX = 1000
"""Kinds of lines that are remembered; beyond, counting begins anew."""

_VARIABLE = re.compile(r"[0-9a-f]*\d[0-9a-f]*")


class _Burst:
    __slots__ = ("began_at", "left_out", "written")

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.written = 0
        self.left_out = 0


class BurstFilter(logging.Filter):
    """Lets through the first lines of a kind in each window, and says in the next one how many were left out.

    Lines are of one kind when logger, level, error type and text are the same but for numbers. All that OpenTelemetry
    says at one level is one kind with one line a window: an unreachable collector is no news twice.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._bursts: dict[tuple[object, ...], _Burst] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        library = record.name.startswith("opentelemetry.")
        kind = ("opentelemetry", record.levelno) if library else _kind(record)
        now = self._monotonic()
        burst = self._bursts.get(kind)
        left_out = 0
        if burst is None or now - burst.began_at >= WINDOW_SECONDS:
            left_out = burst.left_out if burst is not None else 0
            burst = self._remember(kind, _Burst(now))
        if burst.written >= (1 if library else LINES_PER_WINDOW):
            burst.left_out += 1
            return False
        burst.written += 1
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} more like it before)"
            record.args = ()
        return True

    def _remember(self, kind: tuple[object, ...], burst: _Burst) -> _Burst:
        if len(self._bursts) >= KINDS_MAX:
            self._bursts.clear()
        self._bursts[kind] = burst
        return burst


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    error_type = record.exc_info[0] if record.exc_info else None
    return (record.name, record.levelno, error_type, _VARIABLE.sub("#", str(record.msg)))
