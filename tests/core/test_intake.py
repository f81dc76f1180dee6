"""A poll's records on their way in."""

from random import Random

import pytest

from connector.core.effects import Outcome, Send
from connector.core.options import DedupOptions, IdentifyCacheOptions, RoutingOptions, RoutingRule
from connector.events.decode import Decoder
from connector.events.limits import NESTING_MAX
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from tests.core.harness import Harness, event, merge, names, tombstone, unsendable


def _records(seed: int) -> list[StoredRecord]:
    """Two partitions' records of every kind but identifies, mixed."""
    random = Random(seed)
    records = []
    offsets = [0, 0]
    for _ in range(200):
        partition = random.randrange(2)
        offset = offsets[partition]
        offsets[partition] += random.choice([1, 1, 1, 3])
        id_ = random.choice(["", str(random.randrange(40))])
        who = random.choice(["ann", "bob", "cid"])
        common = {"partition": partition, "id": id_, "region": random.choice(["", "us", "eu", "nowhere"])}
        records.append(
            random.choice(
                [
                    event(offset, random.choice(["a", "b"]), who=who, **common),
                    event(offset, "pair", second="device", who=who, **common),
                    event(offset, "anonymous", anonymous=True, who=who, **common),
                    merge(offset, "ann", "bob", name="merge", **common),
                    tombstone(offset, partition),
                    unsendable(offset, partition=partition),
                ]
            )
        )
    return records


def _run(records: list[StoredRecord], **options: object) -> tuple[list[list[str]], dict[object, int], int]:
    core = Harness(partitions=(0, 1), regions=("us", "eu"), **options)  # type: ignore[arg-type]
    for start in range(0, len(records), 17):
        core.receive(*records[start : start + 17])
        core.advance()
        core.accept(*core.in_flight()[::2])
    core.settle()
    assert core.is_empty()
    return (
        [[send.region, *names(send)] for send in core.seen(Send)],
        {key: count for key, count in core.core.snapshot(core.now).endings.items() if count},
        core.watermark(0) + core.watermark(1),
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_short_way_and_the_long_one_come_to_the_same(seed: int) -> None:
    records = _records(seed)
    short = _run(records)
    no_rule_that_matches = RoutingOptions(rules=(RoutingRule(region="eu", topic="other"),))
    assert _run(records, routing=no_rule_that_matches) == short
    assert _run(records, dedup=DedupOptions(identifies=IdentifyCacheOptions(max_entries=10))) == short


def test_a_poll_of_several_partitions_mixed_is_told_apart() -> None:
    core = Harness(partitions=(0, 1))
    core.receive(event(0), event(0, partition=1), event(1), event(1, partition=1), event(2))
    core.settle()
    assert (core.watermark(0), core.watermark(1)) == (3, 2)


def test_records_of_a_partition_that_is_not_ours_are_passed_over() -> None:
    core = Harness()
    core.receive(event(0, partition=5), event(0))
    core.settle()
    assert core.delivered() == ["0/0"] and core.endings() == {Outcome.ACCEPTED: 1}


def test_records_that_are_read_twice_within_a_poll_are_taken_once() -> None:
    core = Harness()
    core.receive(event(0), event(1), event(0), event(1), event(2))
    core.settle()
    assert sorted(core.delivered()) == ["0/0", "0/1", "0/2"]
    assert core.endings() == {Outcome.ACCEPTED: 3} and core.watermark() == 3


def test_an_empty_poll_changes_nothing() -> None:
    core = Harness()
    assert core.take() == [] and core.is_empty()


@pytest.mark.parametrize("depth", [NESTING_MAX - 1, NESTING_MAX, 940, 980, 990, 991, 992, 993, 994])
def test_conflict_that_can_just_be_decoded_stops_nothing(depth: int) -> None:
    """It is decoded a second time, where the stack is deeper."""
    harness = Harness(decode=Decoder(EventOptions(), "identifier"))
    head = (
        b'{"type":"person","action":"event","event_id":"e","identifiers":{"id":"42"},"name":"n","attributes":'
    )
    for offset in (0, 1):
        nested = b'{"a":%b%d%b}}' % (b"[" * depth, offset, b"]" * depth)
        harness.receive(StoredRecord("events", 0, offset, head + nested))
    harness.settle()
    assert sum(harness.endings().values()) == 2
    assert harness.is_empty()
