"""`make bench-latency`: from publishing to acceptance, at a fixed rate, with real Kafka in between.

Open loop: each event counts from when it was due to be published, so that a stall shows in all that it delays. The sink
takes 30 ms to answer, which is taken off: what is left is the time in Kafka and in the contender.
"""

import argparse
import json
import math
import sys
import urllib.request
from array import array
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.bars import Bar, lines
from bench.events import PARTITIONS
from bench.peers import benthos
from bench.pictures import IMAGES, latency_picture
from bench.process import connector_settings, free_port, listens, running, wait_until
from tests.parts.provision.kafka import KafkaCluster

SINK_MS = 30
PROBES = 200
"""Published first and awaited, so that nobody is measured while joining the group."""
WARM_UP_SECONDS = 3
BROKER_WARM_UP_SECONDS = 10
EDGES_MS = (*(float(f"{10 ** (step / 10):.3g}") for step in range(41)), math.inf)
"""Ten steps for each power of ten, from 1 ms to 10 s."""
PERCENTILES = (50, 90, 99, 99.9, 100)


class Result(NamedTuple):
    """One contender at one rate; milliseconds without the sink's own."""

    name: str
    events_per_second: int
    events: int
    percentiles_ms: Mapping[str, float]
    histogram: Sequence[tuple[float, int]]
    """(upper edge in ms, events)."""


def measure(name: str, brokers: str, topic: str, rate: int, seconds: float) -> Result:
    """Publish to one contender, and read off the sink when each event arrived."""
    first = PROBES + WARM_UP_SECONDS * rate
    end = first + int(seconds * rate)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    sink = [sys.executable, "-m", "bench.latency_sink", str(port), str(SINK_MS), str(end)]
    with running(sink):
        wait_until(lambda: listens(port), 10, "the sink listens")
        with contender(name, brokers, topic, url):
            _publish(brokers, topic, 0, 0, PROBES)
            wait_until(lambda: all(_arrived(url)[:PROBES]), 60, f"{name} delivers")
            start = _publish(brokers, topic, rate, PROBES, end)
            wait_until(lambda: all(_arrived(url)), 60, f"{name} has delivered everything")
        arrived = _arrived(url)
    latencies = sorted(
        (arrived[number] - start - (number - PROBES) / rate) * 1000 for number in range(first, end)
    )
    return Result(name, rate, len(latencies), _percentiles(latencies), _histogram(latencies))


def contender(name: str, brokers: str, topic: str, url: str) -> AbstractContextManager[Popen[bytes]]:
    """The process of one of NAMES."""
    if name == benthos.NAME:
        return running([str(benthos.executable()), brokers, topic, topic, url, str(10**12)])
    settings = connector_settings(brokers, topic, url, free_port())
    if "1,000" in name:
        settings["CIO_BATCH__LINGER_MS"] = "1000"
    return running([sys.executable, "-m", "connector.cli.main", "run"], settings)


NAMES = ("cio-connector", "cio-connector, linger 1,000 ms", benthos.NAME)
P99_MS_MAX = {1_000: 50, 10_000: 100}
"""Events a second: the bar."""


def _warm_up(kafka: KafkaCluster, rate: int) -> None:
    """A round that is not counted: a broker that has just started is slow until its code is compiled, which would
    be charged to whoever comes first."""
    topic = kafka.create_topic(partitions=PARTITIONS)
    measure(NAMES[0], kafka.bootstrap_servers, topic, rate, BROKER_WARM_UP_SECONDS)


def _publish(brokers: str, topic: str, rate: int, first: int, end: int) -> float:
    """Publish all, in a process of its own. When the first was due."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "bench.latency_publisher", brokers, topic]
        with running([*command, str(rate), str(first), str(end)], log=log) as process:
            assert process.wait() == 0, log.read_text()
        return float(log.read_text())


def _arrived(url: str) -> "array[float]":
    times = array("d")
    with urllib.request.urlopen(url, timeout=10) as answer:
        times.frombytes(answer.read())
    return times


def _percentiles(latencies: Sequence[float]) -> dict[str, float]:
    last = len(latencies) - 1
    return {
        f"{each:g}": round(latencies[min(last, math.ceil(len(latencies) * each / 100) - 1)], 1)
        for each in PERCENTILES
    }


def _histogram(latencies: Sequence[float]) -> list[tuple[float, int]]:
    counts = dict.fromkeys(EDGES_MS, 0)
    for latency in latencies:
        counts[next(edge for edge in EDGES_MS if latency <= edge)] += 1
    return list(counts.items())


def _row(result: Result) -> str:
    cells = " ".join(f"{value:>9,.1f}" for value in result.percentiles_ms.values())
    return f"{result.name:<34} {result.events_per_second:>8,}/s {cells}"


def _picture(result: Result) -> str:
    most = max(count for _, count in result.histogram)
    lines = [f"\n{result.name}, {result.events_per_second:,} events/s"]
    for edge, count in result.histogram:
        label = "more" if edge == math.inf else f"<= {edge:,g} ms"
        if count:
            lines.append(f"  {label:>11} {count:>9,} {'#' * math.ceil(50 * count / most)}")
    return "\n".join(lines)


def _bars(results: Sequence[Result]) -> list[Bar]:
    return [
        Bar(
            f"p99 in ms at {result.events_per_second:,} events/s",
            result.percentiles_ms["99"],
            P99_MS_MAX[result.events_per_second],
            at_most=True,
        )
        for result in results
        if result.name == NAMES[0] and result.events_per_second in P99_MS_MAX
    ]


def _plain(result: Result) -> dict[str, Any]:
    histogram = [(None if edge == math.inf else edge, count) for edge, count in result.histogram]
    return result._asdict() | {"histogram": histogram}


def main() -> None:
    """Print the table and the histograms, write JSON, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000], metavar="EVENTS_PER_SECOND")
    parser.add_argument("--json", type=Path, default=Path("bench/results/latency.json"))
    parser.add_argument("--images", type=Path, default=IMAGES, help="folder of the picture")
    arguments = parser.parse_args()
    names = NAMES if benthos.available() else NAMES[:-1]
    results = []
    print(f"{'ms, publish to acceptance':<34} {'rate':>10} " + " ".join(f"{p:>9g}" for p in PERCENTILES))
    with KafkaCluster() as kafka:
        kafka.create_topic("customer-events.dead-letters", 1)
        _warm_up(kafka, max(arguments.rates))
        for rate in arguments.rates:
            for number, name in enumerate(names):
                topic = f"latency-{rate}-{number}"
                kafka.create_topic(topic, PARTITIONS)
                results.append(measure(name, kafka.bootstrap_servers, topic, rate, arguments.seconds))
                print(_row(results[-1]), flush=True)
    if len(names) < len(NAMES):
        print(f"{benthos.NAME:<34} not built")
    for result in results:
        print(_picture(result))
    print("\n".join(["", *lines(_bars(results))]))
    plain = [_plain(result) for result in results]
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(plain, indent=1) + "\n")
    arguments.images.mkdir(parents=True, exist_ok=True)
    (arguments.images / "latency.svg").write_text(latency_picture(plain))


if __name__ == "__main__":
    main()
