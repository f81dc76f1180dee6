"""Hours in virtual time: what the core holds stays as it is for as long as nothing can be delivered.

Kafka is a number of records that grows with time; a record exists once it is taken. So all that is allocated, apart
from what one poll is made of, is held by the core.
"""

import gc
import re
import tracemalloc
from collections import deque
from collections.abc import Callable

import pytest

from bench.numbered import numbered_events
from connector.core import channel
from connector.core.answers import Accepted, Answer, Unavailable
from connector.core.core import Core
from connector.core.effects import Commit, Send
from connector.core.inputs import Assignment, Snapshot
from connector.core.options import BatchOptions, BufferOptions, CoreOptions, DedupOptions, EventWindowOptions
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.kafka.flow import Flow
from tests.core.harness import TOPIC, at

MINUTE = 60.0
HOUR = 60 * MINUTE
TICK_SECONDS = 1.0
PARTITIONS = 4
POLL_RECORDS = 500
BUFFER = BufferOptions(max_bytes=4 * 1024 * 1024)
WINDOW_IDS = 2_000
OPERATION_BYTES = 300
"""Credit is turned into records before their operations are known: the last poll may exceed it by those."""
HOT_SHARE = 0.9
_NUMBER = re.compile(rb'"number":(\d+)')

Judge = Callable[[], Answer]
"""The answer to whatever is sent."""


class Hours:
    """A core, what is published for it, and what it is answered."""

    def __init__(self, batch: BatchOptions) -> None:
        options = CoreOptions(
            regions=("us",),
            serves=("us",),
            batch=batch,
            buffer=BUFFER,
            dedup=DedupOptions(events=EventWindowOptions(max_entries=WINDOW_IDS)),
        )
        decode = Decoder(EventOptions(), "identifier")
        self.now = 0.0
        self.taken = 0
        self.hot_share = 0.0
        """Of the records that are taken from now on."""
        self.committed = dict.fromkeys(range(PARTITIONS), 0)
        self.bodies: list[bytes] | None = None
        """Of accepted requests, for as long as they are kept."""
        self.answer_seconds = 0.05
        self._published = 0.0
        self._offsets = dict.fromkeys(range(PARTITIONS), 0)
        self._flow = Flow(POLL_RECORDS)
        self._wires: deque[tuple[float, Send, Answer]] = deque()
        self.core = Core(options, decode, None, lambda: 0.5, self.now)
        self.core.assign([Assignment(at(p), None, "", 1, 0, 1 << 40) for p in self._offsets], self.now)

    @property
    def published(self) -> int:
        return int(self._published)

    @property
    def waiting(self) -> int:
        """Records that nobody has taken from Kafka."""
        return self.published - self.taken

    def snapshot(self) -> Snapshot:
        return self.core.snapshot(self.now)

    def play(self, seconds: float, judge: Judge, records_per_second: float) -> None:
        """So much time passes."""
        until = self.now + seconds
        while self.now < until:
            times = [until, self.now + TICK_SECONDS, self.core.wake_at() or until]
            if self._wires:
                times.append(self._wires[0][0])
            before, self.now = self.now, max(self.now, min(times))
            self._published += (self.now - before) * records_per_second
            self._answer()
            self._poll()
            self._act(judge)
            self._look()

    def _answer(self) -> None:
        while self._wires and self._wires[0][0] <= self.now:
            _, send, answer = self._wires.popleft()
            if self.bodies is not None and isinstance(answer, Accepted):
                self.bodies.append(send.body)
            self.core.answer(send.request_id, answer, self.now)

    def _poll(self) -> None:
        self.core.polled(self.now)
        step = self._flow.next(self.core.credit(), self.now, False, True)
        end = min(self.taken + step.records, self.published)
        if step.hold or end <= self.taken:
            return
        records = []
        for key, value in numbered_events(self.taken, end, self.hot_share):
            # A person's records are of one partition, as Kafka would have it.
            partition = sum(key) % PARTITIONS
            offset = self._offsets[partition]
            self._offsets[partition] = offset + 1
            records.append(StoredRecord(TOPIC, partition, offset, value, key, None, int(self.now * 1000)))
        self.taken = end
        self._flow.took(len(records), sum(len(record.value() or b"") for record in records))
        self.core.receive(records, self.now)

    def _act(self, judge: Judge) -> None:
        for effect in self.core.advance(self.now):
            if isinstance(effect, Send):
                self._wires.append((self.now + self.answer_seconds, effect, judge()))
            elif isinstance(effect, Commit):
                self.committed |= {offset.partition: offset.offset for offset in effect.offsets}
                self.core.commit_done(effect.commit_id, [], self.now)

    def _look(self) -> None:
        """Bounds, whenever anything has happened."""
        snapshot = self.snapshot()
        assert snapshot.buffered_records <= BUFFER.max_records
        assert snapshot.buffered_bytes <= BUFFER.max_bytes + POLL_RECORDS * OPERATION_BYTES
        assert snapshot.window_entries <= WINDOW_IDS
        assert sum(each.outstanding for each in snapshot.partitions) == snapshot.buffered_records
        assert all(each.in_flight_requests <= each.concurrency <= 10 for each in snapshot.regions)
        assert len(self._wires) <= 10
        assert snapshot.dead_letters_pending == 0


@pytest.fixture(autouse=True)
def few_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane takes some memory once it has been used, and few are soon used."""
    monkeypatch.setattr(channel, "_LANES_BATCH", 256)


def warmed_up(batch: BatchOptions = BatchOptions()) -> Hours:  # noqa: B008 - immutable
    """Every lane has been used, and the window is full."""
    hours = Hours(batch)
    hours.play(MINUTE, Accepted, records_per_second=100)
    return hours


def allocated_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def drains(hours: Hours) -> None:
    """Nothing more is published and everything is accepted: all that was published has come, what comes now comes
    once, and one person's in order."""
    hours.bodies = []
    while sum(hours.committed.values()) < hours.published:
        hours.play(MINUTE, Accepted, records_per_second=0)
        assert hours.now < 4 * HOUR, "it does not come to an end"
    endings = {outcome: records for (outcome, _), records in hours.snapshot().endings.items() if records}
    assert endings == {"accepted": hours.published}
    assert hours.snapshot().buffered_records == hours.snapshot().buffered_bytes == 0
    sent = [int(digits) for body in hours.bodies for digits in _NUMBER.findall(body)]
    assert len(sent) == len(set(sent))
    hot = [number for number in sent if number % 100 < hours.hot_share * 100]
    assert hot == sorted(hot)


@pytest.mark.parametrize("retry_after_seconds", [None, 5.0])
def test_an_hour_of_429_keeps_memory_flat(retry_after_seconds: float | None) -> None:
    def refuse() -> Answer:
        return Unavailable("429", 429, retry_after_seconds=retry_after_seconds)

    tracemalloc.start()
    try:
        hours = warmed_up()
        hours.play(5 * MINUTE, refuse, records_per_second=10)
        held, held_bytes = hours.snapshot(), allocated_bytes()
        hours.play(55 * MINUTE, refuse, records_per_second=10)
        grew_bytes = allocated_bytes() - held_bytes
    finally:
        tracemalloc.stop()
    print(
        f"{held_bytes:,} bytes after 5 minutes, {grew_bytes:,} more after 60; {hours.waiting:,} wait in Kafka"
    )
    assert hours.waiting > 30_000, "the publisher went on, and nobody took it"
    assert hours.snapshot().buffered_records == held.buffered_records > 2_000
    assert hours.snapshot().window_entries == held.window_entries == WINDOW_IDS
    assert grew_bytes <= 5_000, "less than a byte for six records"
    drains(hours)


def test_an_hour_of_one_person_who_is_nearly_everybody_keeps_memory_flat() -> None:
    """More comes of him than can be delivered, for his events go one request after the other."""
    tracemalloc.start()
    try:
        hours = warmed_up(BatchOptions(max_events=50))
        hours.hot_share, hours.answer_seconds = HOT_SHARE, 10
        peaks = []
        for minutes in (5, 25, 30):
            tracemalloc.reset_peak()
            hours.play(minutes * MINUTE, Accepted, records_per_second=10)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    print(f"peaks of {peaks}; {hours.waiting:,} wait in Kafka")
    assert hours.waiting > 10_000, "he waits in Kafka, not here"
    assert peaks[2] <= peaks[1] * 1.02
    hours.answer_seconds = 1
    drains(hours)
