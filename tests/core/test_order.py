"""A person's events arrive in order, whatever is answered."""

from random import Random

import msgspec
import pytest

from connector.core.answers import Accepted, Answer, Refused, Unavailable
from connector.core.effects import Send
from connector.core.options import BatchOptions, DeliveryOptions, LanesOptions
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from tests.core.harness import DOWN, TOPIC, Harness, at, event, merge, names

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def test_a_person_has_at_most_one_request_in_flight() -> None:
    core = Harness()
    (first,) = core.take(event(0))
    assert core.take(event(1), event(2, who="bob"))[0].events == 1
    core.accept(first)
    assert names(core.send()) == ["0/1"]


def test_a_retry_goes_before_anything_behind_it() -> None:
    core = Harness()
    (first,) = core.take(event(0), event(1))
    core.receive(event(2))
    core.answer(first, DOWN)
    core.settle()
    assert core.delivered() == ["0/0", "0/1", "0/0", "0/1", "0/2"]


def test_incident_3_only_what_failed_is_dealt_with_and_order_holds() -> None:
    core = Harness()
    (first,) = core.take(event(0, "good"), event(1, "bad"), event(2, "late"))
    core.receive(event(3, "later"))
    core.reject(first, "bad")
    core.settle()
    assert core.delivered() == ["good", "bad", "late", "later"], "nothing accepted is sent again"


def test_a_bisected_request_keeps_its_order_and_what_is_behind_waits() -> None:
    core = Harness()
    core.receive(*(event(offset, f"e{offset}") for offset in range(8)))
    (first,) = core.sends()
    core.receive(event(8, "behind"))
    accepted: list[str] = []

    def judge(send: Send) -> Answer:
        if "e5" in names(send):
            return Refused(400, "malformed")
        accepted.extend(names(send))
        return Accepted()

    core.answer(first, judge(first))
    core.run(judge)
    assert accepted == ["e0", "e1", "e2", "e3", "e4", "e6", "e7", "behind"]


def test_light_traffic_makes_few_requests_and_a_backlog_fills_concurrency() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=10), delivery=DeliveryOptions(concurrency=4))
    assert len(core.take(*(event(offset, who=f"p{offset}") for offset in range(10)))) == 1
    sends = core.take(*(event(offset, who=f"p{offset}") for offset in range(10, 200)))
    assert [send.events for send in sends] == [10, 10, 10]


def test_the_oldest_goes_first() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=1))
    core.take(event(0, who="a"))
    core.receive(event(1, who="c"), event(2, who="b"), event(3, who="c"))
    core.settle()
    assert core.delivered() == ["0/0", "0/1", "0/2", "0/3"]


def test_a_merge_waits_for_both_people_and_both_wait_for_it() -> None:
    core = Harness(batch=ONE_BY_ONE)
    ann, bob = core.take(event(0, "ann", who="ann"), event(1, "bob", who="bob"))
    core.receive(
        merge(2, "ann", "bob", name="merge"),
        event(3, "ann later", who="ann"),
        event(4, "bob later", who="bob"),
    )
    assert core.sends() == []
    core.accept(ann)
    assert core.sends() == []
    core.answer(bob, DOWN)
    core.wait(1.0)
    core.accept(*core.in_flight())
    (merged,) = core.sends()
    assert names(merged) == ["merge"]
    core.accept(merged)
    assert sorted(name for send in core.sends() for name in names(send)) == ["ann later", "bob later"]


def test_a_rejected_merge_lets_both_go_on() -> None:
    core = Harness()
    core.reject(*core.take(merge(0, "ann", "bob", name="merge")), "merge")
    core.receive(event(1, who="ann"), event(2, who="bob"))
    core.settle()
    assert core.watermark() == 3


def test_merges_in_a_circle_do_not_deadlock() -> None:
    core = Harness(batch=ONE_BY_ONE)
    people = ["ann", "bob", "cid"]
    records = [merge(offset, people[offset % 3], people[(offset + 1) % 3]) for offset in range(30)]
    core.receive(*records)
    core.settle()
    assert core.delivered() == [f"0/{offset}" for offset in range(30)]


@pytest.mark.parametrize("seed", range(20))
def test_order_holds_under_random_answers(seed: int) -> None:
    """Each person's accepted operations, merges included, are in order of arrival."""
    random = Random(seed)
    core = Harness(
        batch=BatchOptions(linger_ms=0, max_events=7),
        delivery=DeliveryOptions(concurrency=5, backoff_seconds_min=0.01, probe_seconds=0.1),
        random=random.random,
    )
    people = [f"p{number}" for number in range(6)]
    concerns: dict[str, list[str]] = {}
    accepted: list[str] = []
    bad = {f"0/{random.randrange(300)}" for _ in range(10)}

    def judge(send: Send) -> Answer:
        if random.random() < 0.3:
            return random.choice([DOWN, Unavailable("429", 429), Unavailable("timeout")])
        if bad & set(names(send)):
            return Refused(400, "malformed")
        accepted.extend(names(send))
        return Accepted()

    offset = 0
    while offset < 300:
        records = []
        for _ in range(random.randrange(1, 20)):
            one, other = random.sample(people, 2)
            if random.random() < 0.1:
                records.append(merge(offset, one, other))
                concerns[f"0/{offset}"] = [one, other]
            else:
                records.append(event(offset, who=one))
                concerns[f"0/{offset}"] = [one]
            offset += 1
        core.receive(*records)
        core.run(judge, seconds=0.02)
    core.run(judge)
    assert set(accepted) == set(concerns) - {name for name in bad if name in concerns}
    for person in people:
        arrivals = [int(name.split("/")[1]) for name in accepted if person in concerns[name]]
        assert arrivals == sorted(arrivals)
    assert core.watermark() == offset


# ---- anonymous people ----


def test_anonymous_events_go_one_by_one_to_their_own_path() -> None:
    core = Harness()
    sends = core.take(
        event(0, "known"), event(1, "first", anonymous=True), event(2, "second", anonymous=True)
    )
    paths = {send.path: names(send) for send in sends}
    assert paths == {"/api/v2/batch": ["known"], "/api/v1/events": ["first"]}
    assert {send.operation for send in sends} == {"batch", "v1_events"}
    core.accept(*sends)
    assert names(core.send()) == ["second"]


def test_anonymous_events_use_no_more_than_their_share_of_concurrency() -> None:
    core = Harness(delivery=DeliveryOptions(concurrency=10, anonymous_share=0.3))
    core.receive(*(event(offset, who=f"p{offset}", anonymous=True) for offset in range(50)))
    assert len(core.sends()) == 3


def test_anonymous_events_use_no_more_than_their_share_of_tokens() -> None:
    core = Harness(delivery=DeliveryOptions(concurrency=1000, requests_per_second=100, anonymous_share=0.5))
    core.receive(*(event(offset, who=f"p{offset}", anonymous=True) for offset in range(500)))
    core.run(lambda send: Accepted(), seconds=4.0, answer_seconds=0.001)
    assert len(core.delivered()) <= 4.0 * 50 + 5 + 1


# ---- order by record key ----


def _keyed(offset: int, key: bytes, person: str, *, id: str = "", partition: int = 0) -> StoredRecord:
    body = {"type": "person", "action": "event", "identifiers": {"id": person}, "name": "n"}
    value = msgspec.json.encode({**body, "event_id": id} if id else body)
    return StoredRecord(TOPIC, partition, offset, value, key, None, 1_000)


def _keyed_merge(offset: int, key: bytes, *, partition: int) -> StoredRecord:
    people = {"primary": {"id": "ann"}, "secondary": {"id": "bob"}}
    value = msgspec.json.encode({"type": "person", "action": "merge", "event_id": "1", **people})
    return StoredRecord(TOPIC, partition, offset, value, key, None, 1_000)


def test_order_can_be_kept_for_each_record_key_instead() -> None:
    decode = Decoder(EventOptions(), "record_key")
    core = Harness(decode=decode, lanes=LanesOptions(key="record_key"), batch=ONE_BY_ONE)
    sends = core.take(_keyed(0, b"k", "ann"), _keyed(1, b"k", "ann@example.com"), _keyed(2, b"other", "ann"))
    assert len(sends) == 2


def test_a_heir_keyed_otherwise_stands_where_its_original_stood() -> None:
    decode = Decoder(EventOptions(), "record_key")
    core = Harness(
        decode=decode,
        partitions=(0, 1),
        lanes=LanesOptions(key="record_key"),
        batch=BatchOptions(linger_ms=1_000),
    )
    core.receive(_keyed(0, b"k1", "ann", id="1"), _keyed(0, b"k2", "ann", id="1", partition=1))
    core.core.lose([at(0)], core.now)
    core.core.lose([at(1)], core.now)
    core.advance()
    assert core.region().queued == 0 and core.is_empty()
    core.wait(2.0)
    assert core.in_flight() == []


def test_a_merge_s_heir_keyed_otherwise_stands_in_both_its_original_s_lanes() -> None:
    decode = Decoder(EventOptions(), "record_key")
    core = Harness(
        decode=decode,
        partitions=(0, 1),
        lanes=LanesOptions(key="record_key"),
        batch=BatchOptions(linger_ms=1_000),
    )
    core.receive(
        _keyed_merge(0, b"ann", partition=0),
        _keyed_merge(0, b"cid", partition=1),
        _keyed(1, b"bob", "x", partition=1),
        _keyed(2, b"cid", "y", partition=1),
    )
    core.core.lose([at(0)], core.now)
    core.settle()
    assert core.watermark(1) == 3 and core.is_empty()
