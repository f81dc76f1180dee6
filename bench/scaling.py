"""`make bench-scaling`: how cost grows, one thing changed at a time from a common base.

A real Kafka, a sink that answers at once, `cio-connector run` with its defaults but for what is varied. Rates count
from the first request's arrival, so that starting up is left out; CPU time and memory are the connector's alone.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.drain import Drained, drain, publish
from bench.events import event_values
from bench.pictures import IMAGES, scaling_pictures
from bench.process import connector_settings, free_port, sink
from tests.parts.provision.kafka import KafkaCluster

TOPIC_BYTES_MAX = 500_000_000
"""Large events are fewer, so that a topic is no larger than this."""
REBALANCE_DELAY = {"group.initial.rebalance.delay.ms": "3000"}
"""Long enough for two processes to join before either is given a partition."""


class Case(NamedTuple):
    """Everything that is varied; the defaults are the base."""

    backlog_share: float = 1
    """Of the events that are asked for."""
    partitions: int = 8
    processes: int = 1
    batch_events: int = 2_000
    attribute_bytes: int = 0
    """Of text in each event, besides about 90 bytes of other attributes."""
    duplicates: float = 0.02
    regions: int = 1
    """Each with a consumer group of its own."""
    regions_together: int = 1
    """In one group: `kafka.group_per_region: false`."""
    window_entries: int = 200_000


class Variation(NamedTuple):
    """One axis."""

    title: str
    field: str
    values: Sequence[float]
    shown_times: float = 1
    """What a value is multiplied by to be shown in the title's unit."""


def variations(events: int) -> list[Variation]:
    """All axes, for so many events at the base."""
    return [
        Variation("events to drain", "backlog_share", (0.5, 1, 2), events),
        Variation("partitions", "partitions", (1, 2, 4, 8, 16)),
        Variation("processes of one group", "processes", (1, 2)),
        Variation("events in a batch at most", "batch_events", (100, 500, 2_000)),
        Variation("bytes of text in an event", "attribute_bytes", (100, 270, 1_000, 8_000)),
        Variation("duplicates, %", "duplicates", (0, 0.02, 0.2, 0.5), 100),
        Variation("regions, a group for each", "regions", (1, 2)),
        Variation("regions in one group", "regions_together", (1, 2)),
        Variation("ids in the window at most", "window_entries", (10_000, 50_000, 200_000)),
    ]


class Topic(NamedTuple):
    """A topic that is filled."""

    name: str
    events: int
    operations: int


class Topics:
    """One topic for each way of filling it, filled when it is first asked for."""

    def __init__(self, kafka: KafkaCluster, events: int) -> None:
        self._kafka = kafka
        self._events = events
        self._made: dict[tuple[float, ...], Topic] = {}

    def filled(self, case: Case) -> Topic:
        key = (case.backlog_share, case.partitions, case.attribute_bytes, case.duplicates)
        if key not in self._made:
            count = int(
                min(self._events * case.backlog_share, TOPIC_BYTES_MAX / (300 + case.attribute_bytes))
            )
            records = event_values(count, duplicates=case.duplicates, attribute_bytes=case.attribute_bytes)
            name = self._kafka.create_topic(partitions=case.partitions)
            self._made[key] = Topic(name, count, publish(self._kafka.bootstrap_servers, name, records))
        return self._made[key]


def settings(case: Case, brokers: str, topic: str, url: str) -> list[dict[str, str]]:
    """The environment of each process, all of one group."""
    common = connector_settings(brokers, topic, url, free_port()) | {
        "CIO_BATCH__MAX_EVENTS": str(case.batch_events),
        "CIO_DEDUP__EVENTS__MAX_ENTRIES": str(case.window_entries),
    }
    if 2 in (case.regions, case.regions_together):
        common |= {
            "CIO_KAFKA__GROUP_PER_REGION": str(case.regions == 2).lower(),
            "CIO_REGIONS__EU__URL": url,
            "CIO_REGIONS__EU__SITE_ID": "site",
            "CIO_REGIONS__EU__API_KEY": "key",
            "CIO_ROUTING__RULES": "[{region: eu, id_pattern: '[02468]$'}]",
        }
    return [common | {"CIO_SERVER__PORT": str(free_port())} for _ in range(case.processes)]


def measure(case: Case, topics: Topics, brokers: str, url: str) -> tuple[Topic, Drained]:
    """One case, drained."""
    topic = topics.filled(case)
    return topic, drain(settings(case, brokers, topic.name, url), url, topic.events, topic.operations)


def run(events: int, fields: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each value of each of the axes; a case that several share is measured once."""
    measured: dict[Case, tuple[Topic, Drained]] = {}
    rows = []
    with KafkaCluster(properties=REBALANCE_DELAY) as kafka, sink() as url:
        kafka.create_topic("customer-events.dead-letters", 1)
        topics = Topics(kafka, events)
        measure(
            Case(), topics, kafka.bootstrap_servers, url
        )  # a broker that has just started is slow at first
        for variation in variations(events):
            if variation.field not in fields:
                continue
            for value in variation.values:
                case = Case(**{variation.field: value})  # type: ignore[arg-type]
                if case not in measured:
                    measured[case] = measure(case, topics, kafka.bootstrap_servers, url)
                topic, drained = measured[case]
                rows.append(
                    {
                        "axis": variation.title,
                        "value": round(value * variation.shown_times, 6),
                        "events": topic.events,
                        "per_second": round(drained.steady.per_second),
                        "per_cpu_second": round(drained.steady.per_cpu_second),
                        "peak_mb": round(drained.peak_mb, 1),
                    }
                )
                print(row_text(rows[-1]), flush=True)
    return rows


def row_text(row: dict[str, Any]) -> str:
    return (
        f"{row['axis']:<28} {row['value']:>10,g} {row['events']:>10,} {row['per_second']:>10,} "
        f"{row['per_cpu_second']:>12,} {row['peak_mb']:>7,.0f} MB"
    )


def main() -> None:
    """Print the table, write JSON, and draw."""
    fields = [variation.field for variation in variations(1)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument(
        "--axes", nargs="+", default=fields, choices=fields, metavar="AXIS", help=" ".join(fields)
    )
    parser.add_argument("--json", type=Path, default=Path("bench/results/scaling.json"))
    parser.add_argument("--images", type=Path, default=IMAGES, help="folder of the pictures")
    arguments = parser.parse_args()
    print(f"{'':<28} {'':>10} {'events':>10} {'events/s':>10} {'a CPU-second':>12} {'peak':>10}")
    rows = run(arguments.events, arguments.axes)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    arguments.images.mkdir(parents=True, exist_ok=True)
    for name, picture in scaling_pictures(rows).items():
        (arguments.images / name).write_text(picture)
    print(f"drawn into {arguments.images}/", file=sys.stderr)


if __name__ == "__main__":
    main()
