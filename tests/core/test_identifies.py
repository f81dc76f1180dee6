"""The identify cache: what it skips and what it never may."""

import msgspec
import pytest

from connector.core.effects import Outcome, Send
from connector.core.options import (
    BatchOptions,
    DedupOptions,
    DeliveryOptions,
    EventWindowOptions,
    IdentifyCacheOptions,
    LanesOptions,
)
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.events.ulid import ulid_from_id
from tests.core.harness import DOWN, TOPIC, Harness, at, event, identify, merge, names, ulids

CACHE = DedupOptions(identifies=IdentifyCacheOptions(max_entries=100, ttl_seconds=60))


def _core(**options: object) -> Harness:
    return Harness(**{"dedup": CACHE, **options})  # type: ignore[arg-type]


def test_it_is_off_by_default() -> None:
    core = Harness()
    core.accept(*core.take(identify(0, "A")))
    assert len(core.take(identify(1, "A"))) == 1


def test_an_identify_that_says_what_the_last_accepted_one_said_is_unchanged() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    assert core.take(identify(1, "A")) == []
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.UNCHANGED: 1} and core.watermark() == 2


def test_a_b_a_are_three_states_and_all_are_sent() -> None:
    core = _core()
    for offset, state in enumerate("ABA"):
        core.accept(*core.take(identify(offset, state)))
    assert core.delivered() == ["A", "B", "A"]


def test_a_b_a_on_their_way_together_are_all_sent() -> None:
    core = _core()
    core.receive(*(identify(offset, state) for offset, state in enumerate("ABA")))
    core.settle()
    assert core.delivered() == ["A", "B", "A"]


def test_a_skip_while_the_first_is_on_its_way_shares_its_ending() -> None:
    core = _core()
    (send,) = core.take(identify(0, "A"), identify(1, "A"))
    assert names(send) == ["A"] and core.watermark() == 0
    core.answer(send, DOWN)
    assert core.watermark() == 0 and core.endings() == {}
    core.settle()
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.UNCHANGED: 1} and core.watermark() == 2


def test_a_skip_whose_first_becomes_a_dead_letter_waits_for_kafka() -> None:
    core = _core()
    core.reject(*core.take(identify(0, "A"), identify(1, "A")), "A")
    core.advance()
    assert core.watermark() == 0
    core.written()
    assert core.watermark() == 2 and core.is_empty()


def test_a_rejected_state_is_not_the_last_accepted_one() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.reject(*core.take(identify(1, "B")), "B")
    core.settle()
    assert len(core.take(identify(2, "B"))) == 1


def test_after_a_rejection_the_state_before_is_not_trusted_either() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.reject(*core.take(identify(1, "B")), "B")
    assert len(core.take(identify(2, "A"))) == 1


def test_the_state_counts_for_one_person_alone() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A", who="ann")))
    assert len(core.take(identify(1, "A", who="bob"))) == 1


def test_it_is_remembered_for_its_time() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.wait(59.0)
    assert core.take(identify(1, "A")) == []
    core.wait(1.5)
    assert len(core.take(identify(2, "A"))) == 1


def test_the_least_recent_people_are_forgotten_first() -> None:
    core = _core(dedup=DedupOptions(identifies=IdentifyCacheOptions(max_entries=2)))
    for offset, who in enumerate(["ann", "bob", "cid"]):
        core.accept(*core.take(identify(offset, "A", who=who)))
    assert core.take(identify(3, "A", who="cid")) == []
    assert len(core.take(identify(4, "A", who="ann"))) == 1


def test_an_identify_with_update_is_never_skipped() -> None:
    core = _core()
    update = {"action": "person.identify"}  # without a state, as the decoder has it for `_update`
    core.accept(*core.take(event(0, "update", **update)))
    assert len(core.take(event(1, "update", **update))) == 1


@pytest.mark.parametrize(
    "action",
    [
        "person.delete",
        "person.suppress",
        "person.unsuppress",
        "person.add_relationships",
        "person.delete_relationships",
        "person.identify",
    ],
)
def test_any_other_change_of_the_person_is_remembered(action: str) -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.accept(*core.take(event(1, "change", action=action)))
    assert len(core.take(identify(2, "A"))) == 1


def test_a_change_counts_from_its_departure_on() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.receive(event(1, "delete", action="person.delete"), identify(2, "A"))
    core.settle()
    assert core.delivered() == ["A", "delete", "A"]


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_merge_changes_both_people(who: str) -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A", who=who)))
    core.accept(*core.take(merge(1, "ann", "bob")))
    assert len(core.take(identify(2, "A", who=who))) == 1


@pytest.mark.parametrize("action", ["person.event", "person.page", "person.screen", "person.add_device"])
def test_what_leaves_the_attributes_alone_changes_nothing(action: str) -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.accept(*core.take(event(1, "event", action=action)))
    assert core.take(identify(2, "A")) == []


@pytest.mark.parametrize("how", ["revoke", "lose"])
def test_any_revocation_clears_it(how: str) -> None:
    core = _core(partitions=(0, 1))
    core.accept(*core.take(identify(0, "A")))
    if how == "revoke":
        core.core.revoke([at(1)], core.now, 5.0)
    else:
        core.core.lose([at(1)], core.now)
    core.advance()
    assert len(core.take(identify(1, "A"))) == 1


def test_warm_up_never_feeds_it() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A")))
    core.wait(2.0)
    core.core.lose([at(0)], core.now)
    start = core.assign(0)
    assert start.offset == 0
    assert len(core.take(identify(0, "A"), identify(1, "A"))) == 1


def test_a_skip_takes_the_place_of_its_revoked_first() -> None:
    core = _core(partitions=(0, 1))
    core.take(identify(0, "A"), identify(0, "A", partition=1))
    core.core.lose([at(0)], core.now)
    core.settle()
    assert core.watermark(1) == 1 and core.is_empty()
    assert core.endings() == {Outcome.ACCEPTED: 1}


def test_a_dropped_state_is_not_remembered() -> None:
    core = _core(partitions=(0, 1), batch=BatchOptions(linger_ms=1_000))
    core.receive(identify(0, "A"))
    core.core.lose([at(0)], core.now)
    core.receive(identify(0, "A", partition=1))
    core.settle()
    assert core.delivered() == ["A"] and core.watermark(1) == 1


def test_duplicates_are_duplicates_before_they_are_unchanged() -> None:
    core = _core()
    core.accept(*core.take(identify(0, "A", id="1")))
    core.receive(identify(1, "A", id="1"))
    core.advance()
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_it_works_without_the_dedup_window() -> None:
    options = DedupOptions(
        events=EventWindowOptions(max_entries=0), identifies=IdentifyCacheOptions(max_entries=10)
    )
    core = _core(dedup=options)
    core.accept(*core.take(identify(0, "A", id="1")))
    assert core.take(identify(1, "A", id="1")) == []
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.UNCHANGED: 1}


# ---- the ids of what is skipped ----


def test_a_duplicate_of_an_identify_that_was_skipped_is_a_duplicate() -> None:
    core = _core()
    core.receive(identify(0, "A", id="1"), identify(1, "A", id="2"))
    core.settle()
    core.receive(identify(2, "B", id="3"))
    core.settle()
    core.receive(identify(3, "A", id="2"))
    core.settle()
    assert core.delivered() == ["A", "B"]


def test_a_duplicate_of_an_identify_that_was_skipped_at_once_is_a_duplicate() -> None:
    core = _core()
    for offset, (state, id_) in enumerate([("A", "1"), ("A", "2"), ("B", "3"), ("A", "2")]):
        core.receive(identify(offset, state, id=id_))
        core.settle()
    assert core.delivered() == ["A", "B"]


def test_the_id_of_a_skip_that_became_a_dead_letter_with_its_first_is_forgotten() -> None:
    core = _core()
    core.reject(*core.take(identify(0, "A", id="1"), identify(1, "A", id="2")), "A")
    core.advance()
    core.written()
    (send,) = core.take(identify(2, "mended", id="2"))
    assert ulids(send) == [ulid_from_id("2")] and core.core.snapshot(core.now).conflicts == 0


def test_a_skip_of_a_revoked_partition_is_forgotten_with_its_id() -> None:
    core = _core(partitions=(0, 1))
    (send,) = core.take(identify(0, "A", id="1"), identify(0, "A", id="2", partition=1))
    core.core.lose([at(1)], core.now)
    core.accept(send)
    core.advance()
    core.assign(1)
    core.receive(identify(0, "B", id="2", partition=1))
    core.settle()
    assert core.delivered() == ["A", "B"] and core.core.snapshot(core.now).conflicts == 0


def test_a_heir_whose_own_id_came_again_meanwhile_ends_once() -> None:
    core = _core(partitions=(0, 1), delivery=DeliveryOptions(concurrency=1))
    core.take(event(0, "blocker", who="bob", partition=1))
    core.receive(
        identify(0, "A", id="1"),
        identify(1, "A", id="2", partition=1),
        identify(2, "B", id="3", partition=1),
        identify(3, "A", id="2", partition=1),
    )
    core.core.lose([at(0)], core.now)
    core.settle()
    assert core.delivered() == ["blocker", "A", "B"]
    assert core.watermark(1) == 4 and core.is_empty()


# ---- regions and relationships ----


def test_each_region_has_a_cache_of_its_own() -> None:
    core = _core(regions=("us", "eu"))
    core.receive(identify(0, "A", region="us"))
    core.settle()
    core.receive(identify(1, "A", region="eu"))
    core.settle()
    assert [send.region for send in core.seen(Send)] == ["us", "eu"]


def test_an_identify_on_its_way_to_another_region_is_no_reason_to_skip() -> None:
    core = _core(regions=("us", "eu"))
    sends = core.take(identify(0, "A", region="us"), identify(1, "A", region="eu"))
    assert sorted(send.region for send in sends) == ["eu", "us"]


@pytest.mark.parametrize("settled", [True, False])
def test_a_change_of_relationships_from_the_object_s_side_is_remembered(settled: bool) -> None:
    core = _core(decode=Decoder(EventOptions(), "identifier"))
    company = {"object_type_id": "1", "object_id": "acme"}
    related = {"cio_relationships": [{"identifiers": company}], "attributes": {}}
    joins = {"type": "person", "action": "identify", "identifiers": {"id": "ann"}, **related}
    people = {"cio_relationships": [{"identifiers": {"id": "ann"}}]}
    leaves = {"type": "object", "action": "delete_relationships", "identifiers": company, **people}
    for offset, body in enumerate([joins, leaves, joins]):
        core.receive(StoredRecord(TOPIC, 0, offset, msgspec.json.encode(body), timestamp_ms=1_000))
        if settled:
            core.settle()
    core.settle()
    assert core.endings() == {Outcome.ACCEPTED: 3}


def test_it_is_off_where_order_is_kept_by_record_key() -> None:
    """A person's states may come under several keys, in no order among them: A, B, A must all be sent."""
    decode = Decoder(EventOptions(), "record_key")
    core = _core(decode=decode, lanes=LanesOptions(key="record_key"))
    for offset, (key, state) in enumerate([(b"k1", "A"), (b"k2", "B"), (b"k1", "A")]):
        body = {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "ann"},
            "attributes": {"is": state},
        }
        core.receive(StoredRecord(TOPIC, 0, offset, msgspec.json.encode(body), key, None, 1_000))
        core.settle()
    assert core.endings() == {Outcome.ACCEPTED: 3}
