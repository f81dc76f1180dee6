"""`make bench-backlog`: a real Kafka full of events is drained, by the connector and by what people use today.

All in one run.
Each contender reads the same topic as a group of its own and sends to a sink, in a process of its own, that answers at
once; the connector and the plain consumer also to one that takes 30 ms. What counts are the ratios. The recipe's
pattern is slow, so it is given a share of the events.
"""

import argparse
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import Producer

from bench.events import PARTITIONS, TOPIC, event_values
from bench.peers import benthos
from bench.process import connector_settings, cost, free_port, running, sink, wait_until
from tests.parts.provision.kafka import KafkaCluster

SINK_MS = 30
_SECONDS_MAX = 900


class Result(NamedTuple):
    """What one contender did."""

    name: str
    sink_ms: int
    events: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.events / self.cpu_seconds


Run = Callable[[str, str, int], Result]
"""(brokers, sink's URL, events) -> what it cost."""


def publish(brokers: str, events: int) -> None:
    """Fill the topic."""
    producer = Producer(
        {"bootstrap.servers": brokers, "linger.ms": 50, "queue.buffering.max.messages": 500_000}
    )
    for key, value in event_values(events):
        while True:
            try:
                producer.produce(TOPIC, value, key)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(60) == 0, "everything is on the topic"


def drain_by_connector(
    brokers: str, url: str, events: int, sink_ms: int = 0, name: str = "cio-connector"
) -> Result:
    """`cio-connector run` with its defaults, told the brokers, the topic and where to send."""
    port = free_port()
    settings = connector_settings(brokers, TOPIC, url, port)
    started = time.monotonic()
    with running([sys.executable, "-m", "connector.cli.main", "run"], settings) as process:
        wait_until(lambda: _records_ended(port) >= events, _SECONDS_MAX, "the backlog is drained")
        seconds = time.monotonic() - started
        used = cost(process.pid)
    return Result(name, sink_ms, events, seconds, used.cpu_seconds, used.peak_mb)


def drain_by_peer(
    name: str, command: list[str], brokers: str, url: str, events: int, sink_ms: int = 0
) -> Result:
    """A peer that says when it is done, and waits to be measured."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        arguments = [*command, brokers, TOPIC, f"peer-{uuid4()}", url, str(events)]
        started = time.monotonic()
        with running(arguments, log=log) as process:
            wait_until(lambda: bool(log.read_bytes().strip()), _SECONDS_MAX, f"{name} is done")
            seconds = time.monotonic() - started
            said = log.read_text().strip()
            assert said.isdigit(), f"{name} failed: {said}"
            used = cost(process.pid)
    return Result(name, sink_ms, int(said), seconds, used.cpu_seconds, used.peak_mb)


def _python(peer: str) -> list[str]:
    return [sys.executable, "-m", f"bench.peers.{peer}"]


def _records_ended(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(
        int(float(line.rsplit(" ", 1)[1]))
        for line in lines
        if line.startswith("cio_connector_records_total{")
    )


def run(events: int, recipe_events: int) -> list[Result]:
    """Everyone, one after the other."""
    results = []
    with KafkaCluster() as kafka, sink() as at_once, sink(SINK_MS) as slow:
        brokers = kafka.bootstrap_servers
        kafka.create_topic(TOPIC, PARTITIONS)
        kafka.create_topic(f"{TOPIC}.dead-letters", 1)
        print(f"publishing {events:,} events ...", file=sys.stderr, flush=True)
        publish(brokers, events)
        plain = "confluent-kafka + httpx, batches of 100"
        steps: list[Callable[[], Result]] = [
            lambda: drain_by_connector(brokers, at_once, events),
            lambda: drain_by_peer(
                "one request an event, 10 at a time", _python("recipe"), brokers, at_once, recipe_events
            ),
            lambda: drain_by_peer(plain, _python("plain"), brokers, at_once, events),
            lambda: drain_by_connector(brokers, slow, events, SINK_MS),
            lambda: drain_by_peer(plain, _python("plain"), brokers, slow, min(events, 100_000), SINK_MS),
        ]
        if benthos.available():
            steps.insert(
                3, lambda: drain_by_peer(benthos.NAME, [str(benthos.executable())], brokers, at_once, events)
            )
        for step in steps:
            result = step()
            print(_row(result, results[0] if results else result), file=sys.stderr, flush=True)
            results.append(result)
    return results


def _row(result: Result, ours: Result) -> str:
    times = ours.per_second / result.per_second
    return (
        f"{result.name:<40} {result.sink_ms:>4} ms {result.per_second:>10,.0f} {result.per_cpu_second:>12,.0f} "
        f"{result.peak_mb:>7,.0f} MB {times:>8.1f}x"
    )


def main() -> None:
    """Print the table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--recipe-events", type=int, default=20_000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/backlog.json"))
    arguments = parser.parse_args()
    results = run(arguments.events, arguments.recipe_events)
    header = f"{'':<40} {'sink':>7} {'events/s':>10} {'a CPU-second':>12} {'peak':>10} {'we are':>9}"
    print(f"\n{arguments.events:,} events, {PARTITIONS} partitions, 2 % duplicates\n{header}")
    for result in results:
        print(_row(result, results[0]))
    if not any(result.name == benthos.NAME for result in results):
        print(f"{benthos.NAME:<40} not built")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([result._asdict() for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
