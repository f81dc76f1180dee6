"""`make bench-backlog`: a real Kafka full of events is drained, by the connector and by what people use today.

All in one run. Each contender reads the same topic as a group of its own and sends to a sink, in a process of its own,
that answers at once; the connector and the plain consumer also to one that takes 30 ms. What counts are the ratios.
The recipe's pattern is slow, so it is given a share of the events. Whatever else a machine does only ever slows a
contender down, so that with `--rounds` the best run of each says most.

The connector runs with its defaults and a collector that takes its spans and metrics; once more with telemetry off.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from bench.bars import Bar, lines
from bench.drain import SECONDS_MAX, Span, drain, publish
from bench.events import PARTITIONS, TOPIC, event_values
from bench.peers import benthos
from bench.process import connector_settings, cost, free_port, running, sink, wait_until
from tests.parts.provision.kafka import KafkaCluster

SINK_MS = 30
WARM_UP_OPERATIONS = 200_000
OURS = "cio-connector"
OURS_SILENT = "cio-connector, telemetry off"
RECIPE = "one request an event, 10 at a time"
PLAIN = "confluent-kafka + httpx, batches of 100"
TELEMETRY_OFF = {"OTEL_SDK_DISABLED": "true", "CIO_TELEMETRY__PROCESS_SPANS_PER_SECOND_MAX": "0"}


class Result(NamedTuple):
    """What one contender did."""

    name: str
    sink_ms: int
    whole: Span
    peak_mb: float
    steady: Span | None = None
    """Without starting up; known of the connector alone."""


class Backlog(NamedTuple):
    """What is there to be drained."""

    brokers: str
    events: int
    operations: int
    """Without duplicates."""


def drain_by_connector(
    backlog: Backlog, url: str, telemetry: dict[str, str], sink_ms: int = 0, name: str = OURS
) -> Result:
    """`cio-connector run` with its defaults, told the brokers, the topic and where to send."""
    settings = connector_settings(backlog.brokers, TOPIC, url, free_port()) | telemetry
    drained = drain([settings], url, backlog.events, backlog.operations)
    return Result(name, sink_ms, drained.whole, drained.peak_mb, drained.steady)


def drain_by_peer(
    name: str,
    command: list[str],
    brokers: str,
    url: str,
    events: int,
    sink_ms: int = 0,
    how: Sequence[str] = (),
) -> Result:
    """A peer that says when it is done, and waits to be measured."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        arguments = [*command, brokers, TOPIC, f"peer-{uuid4()}", url, str(events), *how]
        started = time.monotonic()
        with running(arguments, log=log) as process:
            wait_until(lambda: bool(log.read_bytes().strip()), SECONDS_MAX, f"{name} is done")
            seconds = time.monotonic() - started
            said = log.read_text().strip()
            assert said.isdigit(), f"{name} failed: {said}"
            used = cost(process.pid)
    return Result(name, sink_ms, Span(int(said), seconds, used.cpu_seconds), used.peak_mb)


def _python(peer: str) -> list[str]:
    return [sys.executable, "-m", f"bench.peers.{peer}"]


def run(events: int, recipe_events: int, rounds: int) -> list[Result]:
    """Everyone, one after the other, so many times: of each the run that took the least CPU time an event."""
    best: dict[tuple[str, int], Result] = {}
    with KafkaCluster() as kafka, sink() as at_once, sink(SINK_MS) as slow, sink() as collector:
        brokers = kafka.bootstrap_servers
        kafka.create_topic(TOPIC, PARTITIONS)
        kafka.create_topic(f"{TOPIC}.dead-letters", 1)
        print(f"publishing {events:,} events ...", file=sys.stderr, flush=True)
        backlog = Backlog(brokers, events, publish(brokers, TOPIC, event_values(events)))
        exported = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
        # A broker that has just started is slow until its code is compiled: nobody is measured before.
        warm_up = backlog._replace(operations=min(backlog.operations, WARM_UP_OPERATIONS))
        drain_by_connector(warm_up, at_once, exported)
        steps: list[Callable[[], Result]] = [
            lambda: drain_by_connector(backlog, at_once, exported),
            lambda: drain_by_connector(backlog, at_once, TELEMETRY_OFF, name=OURS_SILENT),
            lambda: drain_by_peer(RECIPE, _python("recipe"), brokers, at_once, recipe_events),
            lambda: drain_by_peer(PLAIN, _python("plain"), brokers, at_once, events),
            lambda: drain_by_connector(backlog, slow, exported, SINK_MS),
            lambda: drain_by_peer(PLAIN, _python("plain"), brokers, slow, min(events, 100_000), SINK_MS),
        ]
        if benthos.available():
            command = [str(benthos.executable())]
            as_read = (benthos.AS_READ,)
            steps[4:4] = [
                lambda: drain_by_peer(benthos.NAME, command, brokers, at_once, events),
                lambda: drain_by_peer(benthos.NAME_AS_READ, command, brokers, at_once, events, how=as_read),
            ]
        for step in steps * rounds:
            result = step()
            key = (result.name, result.sink_ms)
            if key not in best or result.whole.per_cpu_second > best[key].whole.per_cpu_second:
                best[key] = result
            print(_row(result, best[OURS, 0]), file=sys.stderr, flush=True)
    return list(best.values())


def bars(results: list[Result]) -> list[Bar]:
    """Ratios are of whole runs, starting up included on either side."""
    by_name = {(result.name, result.sink_ms): result for result in results}
    ours, ours_slow = by_name[OURS, 0], by_name[OURS, SINK_MS]
    assert ours.steady is not None and ours_slow.steady is not None
    silent = by_name[OURS_SILENT, 0]

    def times(peer: str) -> float:
        return ours.whole.per_cpu_second / by_name[peer, 0].whole.per_cpu_second

    found = [
        Bar("events per CPU-second, steady", ours.steady.per_cpu_second, 100_000),
        Bar("times the recipe's pattern, per CPU-second", times(RECIPE), 100),
        Bar("times the plain consumer, per CPU-second", times(PLAIN), 1.5),
    ]
    if (benthos.NAME, 0) in by_name:
        found += [
            Bar("times Benthos core, per CPU-second", times(benthos.NAME), 2),
            Bar(
                "share of Benthos core's memory", ours.peak_mb / by_name[benthos.NAME, 0].peak_mb, 1 / 3, True
            ),
        ]
    slow_times = ours_slow.whole.per_second / by_name[PLAIN, SINK_MS].whole.per_second
    slow_share = ours_slow.steady.per_second / ours.steady.per_second
    telemetry_share = 1 - ours.whole.per_cpu_second / silent.whole.per_cpu_second
    return [
        *found,
        Bar(f"times the plain consumer into a sink of {SINK_MS} ms, events/s", slow_times, 20),
        Bar(f"share of the steady rate that is left with a sink of {SINK_MS} ms", slow_share, 0.9),
        Bar("share of events per CPU-second that telemetry costs", telemetry_share, 0.1, True),
    ]


def _row(result: Result, ours: Result) -> str:
    times = ours.whole.per_second / result.whole.per_second
    steady = result.steady
    steadily = f"{steady.per_second:>10,.0f} {steady.per_cpu_second:>12,.0f}" if steady else f"{'':>23}"
    return (
        f"{result.name:<46} {result.sink_ms:>4} ms {result.whole.per_second:>10,.0f} "
        f"{result.whole.per_cpu_second:>12,.0f} {result.peak_mb:>7,.0f} MB {times:>8.1f}x {steadily}"
    ).rstrip()


def _plain(result: Result) -> dict[str, Any]:
    steady = result.steady._asdict() if result.steady else None
    return result._asdict() | {"whole": result.whole._asdict(), "steady": steady}


def main() -> None:
    """Print the table and the bars, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--recipe-events", type=int, default=20_000)
    parser.add_argument(
        "--rounds", type=int, default=1, help="so many runs of each, of which the best counts"
    )
    parser.add_argument("--json", type=Path, default=Path("bench/results/backlog.json"))
    arguments = parser.parse_args()
    results = run(arguments.events, arguments.recipe_events, arguments.rounds)
    columns = f"{'events/s':>10} {'a CPU-second':>12}"
    header = f"{'':<46} {'sink':>7} {columns} {'peak':>10} {'we are':>9} {columns}"
    best = f", the best of {arguments.rounds} runs of each" if arguments.rounds > 1 else ""
    print(f"\n{arguments.events:,} events, {PARTITIONS} partitions, 2 % duplicates{best}")
    print(f"{'':<54} {'starting up included':>23} {'':>20} {'steady':>23}\n{header}")
    for result in results:
        print(_row(result, results[0]))
    if not any(result.name == benthos.NAME for result in results):
        print(f"{benthos.NAME:<46} not built")
    print(f"\n{OURS}: its defaults, with a collector that takes spans and metrics\n")
    print("\n".join(lines(bars(results))))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([_plain(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
