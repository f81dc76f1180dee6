"""What is read from the cores' snapshots whenever metrics are collected: nothing is counted twice, and nothing is
counted on the hot path.

With several consumer groups in one process, what concerns partitions carries the label `group`, and the rest is the
sum over the groups.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from connector.clock import seconds
from connector.core.effects import Outcome, RegionState, TopicPartition
from connector.core.inputs import PartitionSnapshot, Snapshot
from connector.events.event import Reason
from connector.telemetry.observed import age_seconds, lag_records, regions_of

Snapshots = Callable[[], Sequence[tuple[str, Snapshot]]]
"""(consumer group, its core's snapshot). Called from the threads that collect metrics."""
Ends = Callable[[], Mapping[TopicPartition, int]]
"""The ends of the logs, as far as they are known. Called from the threads that collect metrics."""


class Clocks(NamedTuple):
    """The clocks that ages are measured by."""

    wall: Callable[[], float] = time.time
    """Unix seconds."""
    monotonic: Callable[[], float] = seconds
    """That of `PartitionSnapshot.progress_at`."""


class CoreMetrics:
    """The values of all instruments that read snapshots."""

    def __init__(self, snapshots: Snapshots, ends: Ends, clocks: Clocks) -> None:
        self._snapshots = snapshots
        self._ends = ends
        self._clocks = clocks

    def register(self, meter: Meter) -> None:
        """Makes the instruments."""
        counter, gauge = _counters(meter), _gauges(meter)
        counter("records", "{record}", "Records by ending.", self.records)
        counter("dead_letters", "{record}", "Dead letters that Kafka has acknowledged.", self.dead_letters)
        counter("conflicts", "{record}", "Records with the id of another and other content.", self.conflicts)
        counter(
            "records_missed", "{record}", "Records that retention deleted before they were read.", self.missed
        )
        gauge("buffered.records", "{record}", "Records held in memory.", self.buffered_records)
        gauge("buffered.bytes", "By", "Bytes held in memory.", self.buffered_bytes)
        gauge("dedup_window.entries", "{event}", "Event ids remembered.", self.window_entries)
        gauge(
            "dead_letters_pending",
            "{record}",
            "Dead letters not yet acknowledged.",
            self.dead_letters_pending,
        )
        gauge("consumer_lag.records", "{record}", "Records behind the end of the log.", self.lag)
        gauge("oldest_record_age", "s", "Age of the oldest record without an ending.", self.oldest_record_age)
        gauge(
            "oldest_retry_age",
            "s",
            "For how long the request has failed that has failed for longest.",
            self.oldest_retry_age,
        )
        gauge("region_state", "", "1 for the state that the region is in.", self.region_state)
        gauge("partition_waiting", "", "1 for the reason why the partition waits.", self.waiting)

    def records(self) -> Iterable[Observation]:
        snapshots = self._snapshots()
        totals = Counter(
            {(outcome.value, region): 0 for outcome in Outcome for region in regions_of(snapshots)}
        )
        for _, snapshot in snapshots:
            totals.update(snapshot.endings)
        for (outcome, region), count in totals.items():
            yield Observation(count, {"outcome": outcome, "region": region})

    def dead_letters(self) -> Iterable[Observation]:
        totals = Counter({reason.value: 0 for reason in Reason})
        for _, snapshot in self._snapshots():
            totals.update(snapshot.dead_letters)
        for reason, count in totals.items():
            yield Observation(count, {"reason": reason})

    def conflicts(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.conflicts)

    def missed(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.records_missed)

    def buffered_records(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.buffered_records)

    def buffered_bytes(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.buffered_bytes)

    def window_entries(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.window_entries)

    def dead_letters_pending(self) -> Iterable[Observation]:
        return self._total(lambda snapshot: snapshot.dead_letters_pending)

    def lag(self) -> Iterable[Observation]:
        ends = self._ends()
        for group, partition in self._partitions():
            yield Observation(lag_records(partition, ends), _labels(group, partition))

    def waiting(self) -> Iterable[Observation]:
        for group, partition in self._partitions():
            yield Observation(1, {**_labels(group, partition), "reason": partition.waiting})

    def oldest_record_age(self) -> Iterable[Observation]:
        """A group that delivers several regions holds its offsets back for all of them, so its age counts for each."""
        ends = self._ends()
        wall, monotonic = self._clocks.wall(), self._clocks.monotonic()
        ages: dict[str, float] = {}
        for _, snapshot in self._snapshots():
            age = max((age_seconds(p, ends, wall, monotonic) for p in snapshot.partitions), default=0.0)
            for region in snapshot.regions:
                ages[region.region] = max(age, ages.get(region.region, 0.0))
        for region_name, age in ages.items():
            yield Observation(age, {"region": region_name})

    def oldest_retry_age(self) -> Iterable[Observation]:
        now = self._clocks.monotonic()
        ages: dict[str, float] = {}
        for _, snapshot in self._snapshots():
            for region in snapshot.regions:
                age = max((now - retried.failing_since for retried in region.retried), default=0.0)
                ages[region.region] = max(age, ages.get(region.region, 0.0))
        for region_name, age in ages.items():
            yield Observation(age, {"region": region_name})

    def region_state(self) -> Iterable[Observation]:
        for name, region in regions_of(self._snapshots()).items():
            for state in RegionState:
                yield Observation(int(state == region.state), {"region": name, "state": state.value})

    def _total(self, count: Callable[[Snapshot], int]) -> Iterable[Observation]:
        return [Observation(sum(count(snapshot) for _, snapshot in self._snapshots()))]

    def _partitions(self) -> Iterator[tuple[str, PartitionSnapshot]]:
        for group, snapshot in self._snapshots():
            for partition in snapshot.partitions:
                yield group, partition


def _labels(group: str, partition: PartitionSnapshot) -> dict[str, str]:
    topic, number = partition.partition
    return {"topic": topic, "partition": str(number), "group": group}


Values = Callable[[], Iterable[Observation]]
Create = Callable[[str, str, str, Values], None]


def _counters(meter: Meter) -> Create:
    def create(name: str, unit: str, description: str, values: Values) -> None:
        meter.create_observable_counter(f"cio_connector.{name}", [_callback(values)], unit, description)

    return create


def _gauges(meter: Meter) -> Create:
    def create(name: str, unit: str, description: str, values: Values) -> None:
        meter.create_observable_gauge(f"cio_connector.{name}", [_callback(values)], unit, description)

    return create


def _callback(values: Values) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda options: values()
