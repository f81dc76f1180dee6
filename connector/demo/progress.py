"""Progress while it happens: on a terminal one line that is written over and over, elsewhere a line a second."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from connector.demo.run import Progress

_LINE_SECONDS = 1.0
_ERASE_LINE = "\r\x1b[2K"


class ProgressDisplay:
    """Shows each `Progress` that it is called with."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()
        self._doing = ""
        self._shown_at = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns
            self._write(_ERASE_LINE + progress_line(progress)[: width - 1])
            return
        now = self._clock()
        if progress.doing != self._doing or now - self._shown_at >= _LINE_SECONDS:
            self._doing, self._shown_at = progress.doing, now
            self._write(progress_line(progress) + "\n")

    def close(self) -> None:
        """A line that is written over goes: what follows says more."""
        self._write(_ERASE_LINE if self._live else "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def progress_line(progress: Progress) -> str:
    """One line of less than 80 characters."""
    if progress.doing == "starting":
        return "starting Kafka, Customer.io and the connector ..."
    percent = 100 * progress.committed // progress.events
    return (
        f"{progress.doing:<10}{progress.seconds:6.1f} s  published {progress.published:,}  "
        f"operations {progress.operations:,}  committed {percent}%"
    )
