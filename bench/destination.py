"""`bench.numbered_sink` as a process, and what it is asked and told."""

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from bench.process import free_port, listens, running, wait_until

STALLED_SECONDS = 90.0
"""Without another event for so long, what is missing is lost: longer than any backoff or Retry-After here."""
_LOOK_SECONDS = 0.1


class Counts(NamedTuple):
    """What it has seen so far."""

    accepted: int
    """Different numbers."""
    again: int
    """Numbers that were accepted before."""
    refused: int
    """Requests."""


class Destination(NamedTuple):
    """One that listens."""

    url: str

    def counts(self) -> Counts:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            return Counts(**json.load(answer))

    def refuse(self, status: int, retry_after_seconds: int | None) -> None:
        """Answer everything so from now on."""
        self._tell(f"{status}/{retry_after_seconds}" if retry_after_seconds is not None else str(status))

    def accept(self) -> None:
        """Take everything again."""
        self._tell("200")

    def wait_for(self, events: int, alive: Callable[[], bool]) -> bool:
        """Until so many different ones are accepted. False: nothing comes any more."""
        seen, since = -1, time.monotonic()
        while (accepted := self.counts().accepted) < events:
            if accepted > seen:
                seen, since = accepted, time.monotonic()
            if not alive() or time.monotonic() - since > STALLED_SECONDS:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _tell(self, path: str) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{path}", method="PUT"), timeout=10).close()


@contextmanager
def destination(events: int, delay_ms: float = 0) -> Iterator[Destination]:
    """For the numbers from 0 to `events`."""
    port = free_port()
    with running([sys.executable, "-m", "bench.numbered_sink", str(port), str(events), str(delay_ms)]):
        wait_until(lambda: listens(port), 10, "the sink listens")
        yield Destination(f"http://127.0.0.1:{port}")
