"""What is held is counted, and a record's constant is what it really costs."""

import tracemalloc
from random import Random

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from bench.events import event_values
from connector.core.buffer import RECORD_OVERHEAD_BYTES, Buffer
from connector.core.options import (
    BatchOptions,
    BufferOptions,
    DedupOptions,
    IdentifyCacheOptions,
)
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from tests.core.harness import TOPIC, Harness, at, event

DEDUP = DedupOptions()


def _messages(values: list[tuple[bytes, bytes]], headers: int) -> list[Message]:
    """As the client hands them over: every part of its own."""
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    return [
        Message(
            topic="".join(TOPIC),
            partition=0,
            offset=offset,
            key=bytes(bytearray(key)),
            value=bytes(bytearray(value)),
            headers=[("".join("traceparent"), bytes(bytearray(trace))) for _ in range(headers)],
            timestamp=(1, 1_760_000_000_000 + offset),
        )
        for offset, (key, value) in enumerate(values)
    ]


def _overhead_bytes(count: int, sent: bool, dedup: DedupOptions = DEDUP, headers: int = 0) -> float:
    """What each of so many held records takes besides what is counted for its bytes and headers."""
    decode = Decoder(EventOptions(), "identifier")
    core = Harness(decode=decode, dedup=dedup, batch=BatchOptions(linger_ms=0 if sent else 60_000))
    values = event_values(count, duplicates=0.0)
    tracemalloc.start()
    try:
        core.receive(*_messages(values, headers))
        if sent:
            core.core.advance(core.now)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    snapshot = core.core.snapshot(core.now)
    assert snapshot.buffered_records == count
    return (held_bytes - (snapshot.buffered_bytes - count * RECORD_OVERHEAD_BYTES)) / count


@pytest.mark.parametrize("count", [6_000, 11_000])
@pytest.mark.parametrize("sent", [False, True])
def test_a_record_s_constant_is_not_less_than_what_it_takes(count: int, sent: bool) -> None:
    measured = _overhead_bytes(count, sent)
    print(f"{count} records, {'partly in flight' if sent else 'in their lanes'}: {measured:.0f} bytes each")
    assert measured <= RECORD_OVERHEAD_BYTES
    assert measured > RECORD_OVERHEAD_BYTES / 3, "and it is not far more"


@pytest.mark.parametrize("headers", [1, 3])
def test_headers_are_counted_at_what_they_take(headers: int) -> None:
    assert _overhead_bytes(6_000, True, headers=headers) <= RECORD_OVERHEAD_BYTES


def test_with_the_identify_cache_too() -> None:
    cache = DedupOptions(identifies=IdentifyCacheOptions(max_entries=10_000))
    assert _overhead_bytes(6_000, False, cache) <= RECORD_OVERHEAD_BYTES


def test_a_record_counts_its_value_its_operations_and_the_constant() -> None:
    core = Harness()
    record = event(0, "event", second="device")
    (send,) = core.take(record)
    bodies = len(send.body) - len(b'{"batch":[,]}')
    assert (
        core.core.snapshot(core.now).buffered_bytes
        == len(record.value() or b"") + bodies + RECORD_OVERHEAD_BYTES
    )


def test_a_record_s_key_and_headers_are_counted() -> None:
    core = Harness()
    headers = [("large", b"x" * 100_000), ("none", None)]
    core.receive(StoredRecord(TOPIC, 0, 0, event(0).value(), b"k" * 50_000, headers))
    assert core.core.snapshot(core.now).buffered_bytes >= 150_000


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=200))
def test_credit_closes_at_a_bound_and_opens_at_half(steps: list[tuple[bool, int]]) -> None:
    buffer = Buffer(BufferOptions(max_records=10, max_bytes=1_000_000))
    held: list[int] = []
    closed = False
    for add, kilobytes in steps:
        if add:
            held.append(kilobytes * 1_000)
            buffer.add(1, held[-1])
        elif held:
            buffer.free(1, held.pop())
        full = len(held) >= 10 or sum(held) >= 1_000_000
        at_half = len(held) <= 5 and sum(held) <= 500_000
        closed = (closed and not at_half) or full
        credit = buffer.credit()
        assert buffer.full == closed
        if closed:
            assert (credit.records, credit.bytes) == (0, 0)
        else:
            assert (credit.records, credit.bytes) == (10 - len(held), 1_000_000 - sum(held))


def test_more_than_credit_is_counted_all_the_same() -> None:
    buffer = Buffer(BufferOptions(max_records=2))
    buffer.add(5, 100)
    assert buffer.credit().records == 0


def test_nothing_is_freed_twice() -> None:
    buffer = Buffer(BufferOptions())
    buffer.add(1, 10)
    buffer.free(1, 10)
    with pytest.raises(AssertionError):
        buffer.free(1, 10)


def test_whatever_happens_all_is_freed_in_the_end() -> None:
    """Duplicates, conflicts, dead letters, revokes and losses at random: nothing stays counted."""
    for seed in range(15):
        random = Random(seed)
        core = Harness(
            partitions=(0, 1),
            batch=BatchOptions(linger_ms=0, max_events=3),
            dedup=DedupOptions(identifies=IdentifyCacheOptions(max_entries=seed % 2 * 50)),
        )
        offsets = {0: 0, 1: 0}
        for _ in range(120):
            partition = random.randrange(2)
            id_ = str(random.randrange(15))
            record = event(
                offsets[partition],
                random.choice(["a", "b"]),
                partition=partition,
                id=id_,
                who=id_,
                second=random.choice(["", "", "device"]),
                reason=random.choice(["", "", "", "", "invalid"]),
            )
            core.receive(record)
            offsets[partition] += 1
            core.advance()
            sends = core.in_flight()
            match random.randrange(12):
                case 0:
                    core.core.lose([at(partition)], core.now)
                    offsets[partition] = core.assign(partition).offset
                case 1:
                    core.core.revoke([at(partition)], core.now, 1.0)
                    core.wait(1.0)
                    offsets[partition] = core.assign(partition).offset
                case 2 | 3 if sends:
                    core.reject(random.choice(sends), "a")
                case 4 | 5 | 6 if sends:
                    core.accept(random.choice(sends))
                case 7:
                    core.written()
        core.settle()
        assert core.is_empty()
        assert all(core.partition(number).outstanding == 0 for number in offsets)
