"""A topic full of events, and `cio-connector run` drawing it empty.

How far it is is asked of the sink, so that nothing is asked of the connector while it is measured.
"""

import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from subprocess import Popen
from typing import NamedTuple

from confluent_kafka import Producer

from bench.process import cost, running

SECONDS_MAX = 900.0
_LOOK_SECONDS = 0.02
CONNECTOR = (sys.executable, "-m", "connector.cli.main", "run")


class Span(NamedTuple):
    """What some processes did in some time."""

    events: float
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.events / self.cpu_seconds


class Drained(NamedTuple):
    """One backlog, drained."""

    whole: Span
    """From the start of the processes."""
    steady: Span
    """From the first request's arrival: without starting up and joining the group."""
    peak_mb: float
    """The most memory that any of the processes had resident."""


def publish(brokers: str, topic: str, records: Sequence[tuple[bytes, bytes]]) -> int:
    """Fill the topic with (key, value)s. How many different ones there are: what a sink will be sent."""
    producer = Producer(
        {"bootstrap.servers": brokers, "linger.ms": 50, "queue.buffering.max.messages": 500_000}
    )
    for key, value in records:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(60) == 0, "everything is on the topic"
    return len({value for _, value in records})


def drain(environments: Sequence[Mapping[str, str]], sink_url: str, events: int, operations: int) -> Drained:
    """Run a connector with each of the environments until `operations` more have arrived at the sink.

    `events` are the records that these come from, duplicates included.
    """
    arrived = _arrivals(sink_url)
    before = arrived()
    started = time.monotonic()
    with ExitStack() as stack:
        processes = [stack.enter_context(running(CONNECTOR, environment)) for environment in environments]
        first, first_time = _wait_until(arrived, before + 1, processes)
        cpu_first = sum(cost(process.pid).cpu_seconds for process in processes)
        _, end_time = _wait_until(arrived, before + operations, processes)
        costs = [cost(process.pid) for process in processes]
    cpu_seconds = sum(each.cpu_seconds for each in costs)
    steady_events = events * (before + operations - first) / operations
    return Drained(
        Span(events, end_time - started, cpu_seconds),
        Span(steady_events, end_time - first_time, cpu_seconds - cpu_first),
        max(each.peak_mb for each in costs),
    )


def _arrivals(sink_url: str) -> Callable[[], int]:
    def arrived() -> int:
        with urllib.request.urlopen(sink_url, timeout=10) as answer:
            return int(answer.read())

    return arrived


def _wait_until(
    arrived: Callable[[], int], wanted: int, processes: Sequence[Popen[bytes]]
) -> tuple[int, float]:
    """How many had arrived when they were enough, and when that was."""
    deadline = time.monotonic() + SECONDS_MAX
    while (seen := arrived()) < wanted:
        assert all(process.poll() is None for process in processes), "a connector has ended by itself"
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen:,} of {wanted:,} operations arrived in {SECONDS_MAX:g} s")
        time.sleep(_LOOK_SECONDS)
    return seen, time.monotonic()
