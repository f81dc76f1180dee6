"""Some minutes in which the destination answers 429 to everything, while events go on being published."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bench.bars import Bar
from bench.destination import Destination
from bench.process import resident_mb

GREW_MB_MAX = 5.0
SETTLE_SECONDS = 15.0
"""By then what was on its way has been answered, and the buffer is full."""


class Outage(NamedTuple):
    """What was seen of it."""

    seconds: float
    published: int
    """Meanwhile."""
    requests_refused: int
    resident_mb: Sequence[float]
    """Once a second."""
    held: Sequence[int]
    """Records that the connector held, once a second."""
    lag: int
    """Records that waited, in Kafka and held, at its end."""
    waiting: Sequence[str]
    """What the partitions said at its end that they wait for."""

    @property
    def grew_mb(self) -> float:
        """From the first third, once settled, to the last."""
        settled = self.resident_mb[int(SETTLE_SECONDS) :] or self.resident_mb
        third = max(1, len(settled) // 3)
        return max(settled[-third:]) - max(settled[:third])

    @property
    def taken(self) -> int:
        """Records taken from Kafka after it had settled: none where partitions are paused."""
        settled = self.held[int(SETTLE_SECONDS) :] or self.held
        return max(settled) - settled[0]

    def bars(self, name: str) -> list[Bar]:
        return [
            Bar(f"MB that memory grew by, {name}", self.grew_mb, GREW_MB_MAX, at_most=True),
            Bar(f"records taken from Kafka once the buffer was full, {name}", self.taken, 0, at_most=True),
        ]


def refuse(
    sink: Destination,
    pid: int,
    port: int,
    seconds: float,
    retry_after_seconds: int | None,
    publish: Callable[[], int],
) -> Outage:
    """Answers 429 for so long, and calls `publish` once a second; at the end it takes everything again."""
    refused_before = sink.counts().refused
    sink.refuse(429, retry_after_seconds)
    began = time.monotonic()
    published, resident, held = 0, [], []
    while (passed := time.monotonic() - began) < seconds:
        published += publish()
        resident.append(round(resident_mb(pid), 1))
        held.append(int(_readiness(port)["buffered_records"]))
        time.sleep(max(0.0, 1 - (time.monotonic() - began - passed)))
    state = _readiness(port)
    outage = Outage(
        seconds=round(time.monotonic() - began, 1),
        published=published,
        requests_refused=sink.counts().refused - refused_before,
        resident_mb=resident,
        held=held,
        lag=sum(partition["lag"] or 0 for partition in state["partitions"]),
        waiting=sorted({partition["waiting"] for partition in state["partitions"]}),
    )
    sink.accept()
    return outage


def _readiness(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refusal:  # 503: its body says the same
        return dict(json.load(refusal))
