"""`make bench-memory`: the most memory that `cio-connector run` has resident where most is asked of it, against what
docs/architecture.md says that it may need with the settings of that run.

A real Kafka, the connector as a process of its own with its defaults but for what is named, and a sink that marks the
number of each event that it accepts: so what is lost or comes twice is counted from outside. Exit code 1 where a bound
is exceeded, memory grows under 429, or an event is lost or comes twice.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.bars import Bar, lines
from bench.destination import destination
from bench.drain import CONNECTOR, publish
from bench.events import PARTITIONS
from bench.memory_bound import WINDOW_BYTES_AN_ENTRY, MemoryBound, memory_bound
from bench.numbered import chunks, numbered_events
from bench.outage import Outage, refuse
from bench.process import connector_settings, cost, free_port, listens, running, sink, wait_until
from connector.settings.load import load_settings
from tests.parts.provision.kafka import KafkaCluster

WINDOW = "CIO_DEDUP__EVENTS__MAX_ENTRIES"
WINDOW_IDS = 1_000_000
IDLE_SECONDS = 10.0
PUBLISHED_PER_SECOND = 3_000


class Case(NamedTuple):
    """What is asked of the connector."""

    name: str
    events: int
    """Published before it starts."""
    settings: Mapping[str, str] = {}
    """Besides the defaults."""
    hot_share: float = 0.0
    """Of events that are one person's."""
    sink_ms: float = 0.0
    outage_seconds: float = 0.0
    """Once half of the events are accepted, everything is answered with 429 for so long."""
    retry_after_seconds: int | None = None


class Result(NamedTuple):
    """What became of it."""

    name: str
    events: int
    peak_mb: float
    bound: MemoryBound
    lost: int
    twice: int
    clean: bool
    """It ended by itself after SIGTERM, with 0."""
    outage: Outage | None = None

    @property
    def bound_mb(self) -> float:
        return self.bound.total / 1e6


class Stage:
    """Brokers, a collector that takes spans and metrics, and a topic for each way of filling it."""

    def __init__(self, kafka: KafkaCluster, collector: str) -> None:
        self.brokers = kafka.bootstrap_servers
        self._kafka = kafka
        self._collector = collector
        self._filled: dict[tuple[int, float], str] = {}

    def topic(self, case: Case) -> str:
        """Filled with the case's events; one that is published to later is nobody else's."""
        key = (case.events, case.hot_share)
        if key in self._filled and not case.outage_seconds:
            return self._filled[key]
        name = self._kafka.create_topic(partitions=PARTITIONS)
        for chunk in chunks(0, case.events, case.hot_share):
            publish(self.brokers, name, chunk)
        if not case.outage_seconds:
            self._filled[key] = name
        return name

    def environment(self, case: Case, topic: str, url: str, port: int) -> dict[str, str]:
        return {
            **connector_settings(self.brokers, topic, url, port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._collector,
            **case.settings,
        }


def measure(stage: Stage, case: Case) -> Result:
    """Everything published is delivered, and the connector stopped."""
    topic, port = stage.topic(case), free_port()
    events, outage = case.events, None
    events_max = events + int(case.outage_seconds + 2) * PUBLISHED_PER_SECOND
    with destination(events_max, case.sink_ms) as target:
        environment = stage.environment(case, topic, target.url, port)
        with running(CONNECTOR, environment) as process:

            def alive() -> bool:
                return process.poll() is None

            if case.outage_seconds:
                target.wait_for(events // 2, alive)
                more = Publishing(stage.brokers, topic, events)
                outage = refuse(
                    target, process.pid, port, case.outage_seconds, case.retry_after_seconds, more
                )
                events += outage.published
            if events:
                target.wait_for(events, alive)
            else:
                wait_until(lambda: listens(port), 30, "the connector listens")
                time.sleep(IDLE_SECONDS)
            peak_mb = cost(process.pid).peak_mb
        counts = target.counts()
    bound = memory_bound(load_settings(None, environment), PARTITIONS, events)
    lost = events - counts.accepted
    return Result(case.name, events, peak_mb, bound, lost, counts.again, process.returncode == 0, outage)


class Publishing:
    """Each call publishes the events of another second."""

    def __init__(self, brokers: str, topic: str, first: int) -> None:
        self._brokers, self._topic, self._next = brokers, topic, first

    def __call__(self) -> int:
        begin, self._next = self._next, self._next + PUBLISHED_PER_SECOND
        return publish(self._brokers, self._topic, numbered_events(begin, self._next))


NO_WINDOW = "1,250,000 ids, no window"
FULL_WINDOW = "1,250,000 ids, a window of 1,000,000"


def cases(events: int, minutes: float) -> list[Case]:
    """All of them, in the order of the table."""
    seconds, ids = 60 * minutes, WINDOW_IDS * 5 // 4
    return [
        Case("nothing to do", 0),
        Case("429 to everything", 400_000, outage_seconds=seconds),
        Case("429, Retry-After: 5", 400_000, outage_seconds=seconds, retry_after_seconds=5),
        Case("90 % are one person's, sink 30 ms", 300_000, hot_share=0.9, sink_ms=30),
        Case(NO_WINDOW, ids, {WINDOW: "0"}),
        Case(FULL_WINDOW, ids, {WINDOW: str(WINDOW_IDS)}),
        Case("a backlog", events),
    ]


def bytes_an_id(results: Sequence[Result]) -> float | None:
    """What a million ids make the peak higher, where both were measured."""
    peaks = {result.name: result.peak_mb for result in results}
    if NO_WINDOW not in peaks or FULL_WINDOW not in peaks:
        return None
    return (peaks[FULL_WINDOW] - peaks[NO_WINDOW]) * 1e6 / WINDOW_IDS


def table_bars(result: Result) -> list[Bar]:
    """What its row says already."""
    return [
        Bar(f"MB at the peak, {result.name}", result.peak_mb, result.bound_mb, at_most=True),
        Bar(f"events lost, {result.name}", result.lost, 0, at_most=True),
        Bar(f"events sent twice, {result.name}", result.twice, 0, at_most=True),
        Bar(f"stopped cleanly, {result.name}", result.clean, 1),
    ]


def more_bars(results: Sequence[Result]) -> list[Bar]:
    """What no row says."""
    found = [bar for result in results if result.outage for bar in result.outage.bars(result.name)]
    an_id = bytes_an_id(results)
    if an_id is not None:
        found.append(Bar("bytes an id of the full window", an_id, WINDOW_BYTES_AN_ENTRY, at_most=True))
    return found


COLUMNS = f"{'':<38} {'events':>9} {'peak':>7} {'bound':>7} {'held':>5} {'lost':>5} {'twice':>6}"


def row(result: Result) -> str:
    held = "yes" if result.peak_mb <= result.bound_mb else "NO"
    return (
        f"{result.name:<38} {result.events:>9,} {result.peak_mb:>4,.0f} MB {result.bound_mb:>4,.0f} MB "
        f"{held:>5} {result.lost:>5,} {result.twice:>6,}"
    )


def remarks(result: Result) -> list[str]:
    """What was seen of an outage."""
    outage = result.outage
    if outage is None:
        return []
    return [
        f"  {outage.seconds:,.0f} s, {outage.requests_refused:,} requests refused, {outage.published:,} events "
        f"published meanwhile, {max(outage.held):,} held in memory, {outage.lag:,} waiting "
        f"({', '.join(outage.waiting)})",
        f"  resident {outage.resident_mb[0]:,.0f} MB when it began, {outage.resident_mb[-1]:,.0f} MB when it ended, "
        f"{max(outage.resident_mb):,.0f} MB at most meanwhile",
    ]


def _plain(result: Result) -> dict[str, Any]:
    return result._asdict() | {
        "bound": result.bound._asdict() | {"total": result.bound.total},
        "outage": result.outage._asdict() if result.outage else None,
    }


def run(chosen: Sequence[Case]) -> list[Result]:
    results = []
    with KafkaCluster() as kafka, sink() as collector:
        kafka.create_topic("customer-events.dead-letters", 1)
        stage = Stage(kafka, collector)
        for case in chosen:
            results.append(measure(stage, case))
            print("\n".join([row(results[-1]), *remarks(results[-1])]), flush=True)
    return results


def main() -> int:
    """Print the table, write JSON, and say whether all held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000, help="of the backlog (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=3, help="of 429, each time (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only runs whose name has this in it")
    parser.add_argument("--json", type=Path, default=Path("bench/results/memory.json"))
    arguments = parser.parse_args()
    chosen = [case for case in cases(arguments.events, arguments.minutes) if arguments.only in case.name]
    if not chosen:
        parser.error(f"no run is called {arguments.only}")
    print(COLUMNS, flush=True)
    results = run(chosen)
    missed = [bar for result in results for bar in table_bars(result) if not bar.met]
    shown = [*missed, *more_bars(results)]
    print("\n".join(["", *lines(shown)]))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(
        json.dumps(
            {"runs": [_plain(result) for result in results], "bytes_an_id": bytes_an_id(results)}, indent=1
        )
        + "\n"
    )
    return 0 if all(bar.met for bar in shown) else 1


if __name__ == "__main__":
    sys.exit(main())
