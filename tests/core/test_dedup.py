"""The dedup window: by itself against a model, then what it decides in the core."""

from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.core.dedup import IdWindow
from connector.core.effects import Noted, Outcome, Send
from connector.core.options import BufferOptions, DeliveryOptions
from connector.events.event import Reason
from connector.events.ulid import conflict_ulid, ulid_from_id
from tests.core.harness import DOWN, Harness, at, event, names, ulids, window

# ---- the window by itself ----


def test_an_id_is_remembered_for_its_time_from_its_acceptance_on() -> None:
    ids = IdWindow(10, 5.0)
    ids.add(["a"], [1], 100.0)
    ids.expire(104.9)
    assert ids.digests == {"a": 1}
    ids.expire(105.0)
    assert ids.digests == {}


def test_the_oldest_ids_go_when_there_are_too_many() -> None:
    ids = IdWindow(3, 60.0)
    ids.add(["a", "b"], [1, 2], 1.0)
    ids.add(["c", "d", "e"], [3, 4, 5], 2.0)
    assert list(ids.digests) == ["c", "d", "e"]


def test_a_batch_larger_than_the_window_leaves_its_last_ids() -> None:
    ids = IdWindow(2, 60.0)
    ids.add(["a", "b", "c", "d"], [1, 2, 3, 4], 1.0)
    assert list(ids.digests) == ["c", "d"]


def test_a_window_of_size_0_is_off() -> None:
    ids = IdWindow(0, 60.0)
    ids.add(["a"], [1], 1.0)
    assert len(ids) == 0


_ids = st.lists(st.integers(0, 25).map(str), max_size=8, unique=True)


@settings(max_examples=300)
@given(st.integers(1, 12), st.lists(st.tuples(_ids, st.floats(0, 4)), max_size=60))
def test_window_against_a_model(entries_max: int, steps: list[tuple[list[str], float]]) -> None:
    """First in, first out, by number and by time; an id added again keeps its first time."""
    ids = IdWindow(entries_max, 10.0)
    model: OrderedDict[str, float] = OrderedDict()
    now = 0.0
    for added, wait in steps:
        now += wait
        ids.expire(now)
        for one in [one for one, since in model.items() if since + 10.0 <= now]:
            del model[one]
        ids.add(added, [int(one) for one in added], now)
        for one in added:
            model.setdefault(one, now)
        while len(model) > entries_max:
            model.popitem(last=False)
        assert set(ids.digests) == set(model)
        assert all(ids.digests[one] == int(one) for one in model)


# ---- in the core ----


def test_an_id_accepted_before_is_a_duplicate_and_is_not_sent() -> None:
    core = Harness()
    core.accept(*core.take(event(0, "first", id="1")))
    assert core.take(event(1, "first", id="1")) == []
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}
    assert core.watermark() == 2


def test_a_duplicate_waits_for_its_original_and_shares_its_ending() -> None:
    core = Harness(partitions=(0, 1))
    send = core.take(event(0, "first", id="1"), event(0, "first", id="1", partition=1))[0]
    assert names(send) == ["first"]
    assert core.watermark(1) == 0
    core.accept(send)
    assert core.watermark(1) == 1
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_a_duplicate_of_what_becomes_a_dead_letter_waits_for_kafka_too() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, "bad", id="1"), event(0, "bad", id="1", partition=1))
    core.reject(send, "bad")
    core.advance()
    assert (core.watermark(0), core.watermark(1)) == (0, 0)
    core.written()
    assert (core.watermark(0), core.watermark(1)) == (1, 1)
    assert core.endings() == {Outcome.DEAD_LETTERED: 1, Outcome.DUPLICATE: 1}
    assert len(core.seen(Noted)) == 0 and core.is_empty()


def test_a_duplicate_that_comes_while_the_dead_letter_is_written_waits_for_it() -> None:
    core = Harness()
    core.reject(*core.take(event(0, "bad", id="1")), "bad")
    core.advance()
    assert core.take(event(1, "bad", id="1")) == []
    assert core.watermark() == 0
    core.written()
    assert core.watermark() == 2


def test_incident_21_a_dead_lettered_id_does_not_enter_the_window() -> None:
    core = Harness()
    core.reject(*core.take(event(0, "bad", id="1")), "bad")
    core.advance()
    core.written()
    assert names(core.take(event(1, "mended", id="1"))[0]) == ["mended"]


def test_incident_21_a_failed_delivery_leaves_its_id_on_the_way() -> None:
    core = Harness()
    (send,) = core.take(event(0, "first", id="1"))
    core.answer(send, DOWN)
    assert core.take(event(1, "first", id="1")) == []
    core.settle()
    assert core.delivered() == ["first", "first"]
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_incident_21_the_id_of_a_record_dropped_by_a_revoke_is_forgotten() -> None:
    core = Harness(delivery=DeliveryOptions(concurrency=1))
    (blocker,) = core.take(event(0, "blocker", who="bob"))
    core.receive(event(1, "dropped", id="1"))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.accept(blocker)
    core.advance()
    core.assign(0, committed=1)
    core.accept(*core.take(event(1, "dropped", id="1")))
    assert core.delivered() == ["blocker", "dropped"]
    assert core.watermark() == 2


def test_an_id_on_its_way_is_evicted_by_neither_time_nor_size() -> None:
    core = Harness(dedup=window(max_entries=1, ttl_seconds=1), delivery=DeliveryOptions(timeout_seconds=600))
    (slow,) = core.take(event(0, "slow", id="slow"))
    for offset in range(1, 50):
        core.accept(*core.take(event(offset, who=f"p{offset}")))
        core.wait(1.0)
    assert core.take(event(50, "slow", id="slow")) == []
    core.accept(slow)
    assert core.watermark() == 51


def test_an_id_s_time_starts_when_it_is_accepted() -> None:
    core = Harness(dedup=window(ttl_seconds=10))
    (send,) = core.take(event(0, "first", id="1"))
    core.wait(9.0)
    core.accept(send)
    core.wait(9.0)
    assert core.take(event(1, "first", id="1")) == []
    core.wait(1.5)
    assert len(core.take(event(2, "first", id="1"))) == 1


def test_an_id_evicted_by_size_is_sent_again_under_the_same_ulid() -> None:
    core = Harness(dedup=window(max_entries=1))
    (first,) = core.take(event(0, "first", id="1"))
    core.accept(first)
    core.accept(*core.take(event(1, "other", id="2")))
    (again,) = core.take(event(2, "first", id="1"))
    assert ulids(again) == ulids(first)


def test_with_the_window_off_an_original_on_its_way_still_has_its_duplicates() -> None:
    core = Harness(dedup=window(max_entries=0))
    (send,) = core.take(event(0, "first", id="1"), event(1, "first", id="1"))
    assert names(send) == ["first"]
    core.accept(send)
    assert core.watermark() == 2
    assert len(core.take(event(2, "first", id="1"))) == 1


def test_duplicates_that_wait_count_towards_the_buffer() -> None:
    core = Harness(buffer=BufferOptions(max_records=3))
    core.receive(*(event(offset, "first", id="1") for offset in range(3)))
    assert core.core.credit().records == 0
    core.settle()
    assert core.is_empty() and core.core.credit().records == 3


def test_records_without_an_id_are_never_duplicates_and_keep_their_ulid() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, "same"), event(1, "same"), event(0, "same", partition=1))
    assert len(set(ulids(send))) == 3
    core.core.lose([at(0)], core.now)
    core.assign(0)
    core.receive(event(0, "same"))
    core.settle()
    redelivered = [ulid for one in core.seen(Send)[1:] for ulid in ulids(one)]
    assert ulids(send)[0] in redelivered


def test_the_dedup_key_is_the_ulid_so_that_an_id_and_its_ulid_are_one() -> None:
    core = Harness()
    core.accept(*core.take(event(0, "first", id="order-1")))
    assert core.take(event(1, "first", id=ulid_from_id("order-1"))) == []
    assert core.endings()[Outcome.DUPLICATE] == 1


# ---- originals that are revoked ----


def test_a_duplicate_takes_the_place_of_its_revoked_original_in_the_lane() -> None:
    core = Harness(partitions=(0, 1), delivery=DeliveryOptions(concurrency=1))
    (blocker,) = core.take(event(0, "blocker", partition=1, who="bob"))
    core.receive(event(0, "one", id="1"), event(1, "two", partition=1), event(2, "one", id="1", partition=1))
    core.core.revoke([at(0)], core.now, 5.0)
    core.accept(blocker)
    assert names(core.send()) == ["one", "two"]
    core.accept(*core.in_flight())
    assert core.watermark(1) == 3
    assert core.endings() == {Outcome.ACCEPTED: 3} and core.is_empty()


def test_a_duplicate_of_an_original_in_flight_is_ended_by_its_answer_while_it_is_revoked() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, "one", id="1"), event(0, "one", id="1", partition=1))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.accept(send)
    core.advance()
    assert core.watermark(1) == 1
    assert core.delivered() == ["one"] and core.is_empty()


def test_a_duplicate_takes_the_place_of_its_lost_original_in_flight_and_goes_in_the_retry() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, "one", id="1"), event(0, "one", id="1", partition=1))
    core.core.lose([at(0)], core.now)
    (again,) = core.sends()
    assert ulids(again) == ulids(send)
    core.accept(send)
    assert core.watermark(1) == 0, "the cancelled request's answer does not matter any more"
    core.accept(again)
    assert core.watermark(1) == 1 and core.is_empty()


def test_a_duplicate_takes_the_place_at_the_revoke_s_deadline() -> None:
    core = Harness(partitions=(0, 1))
    core.take(event(0, "one", id="1"), event(1, "two"), event(0, "one", id="1", partition=1))
    core.core.revoke([at(0)], core.now, 5.0)
    core.wait(5.0)
    (again,) = core.in_flight()
    assert names(again) == ["one"]
    core.accept(again)
    assert core.watermark(1) == 1 and core.is_empty()


def test_several_heirs_inherit_one_after_the_other() -> None:
    core = Harness(partitions=(0, 1, 2))
    core.take(event(0, "one", id="1"), *(event(0, "one", id="1", partition=p) for p in (1, 2)))
    core.core.lose([at(0)], core.now)
    core.core.lose([at(1)], core.now)
    core.settle()
    assert core.watermark(2) == 1
    assert core.endings() == {Outcome.ACCEPTED: 1} and core.is_empty()


def test_a_waiting_duplicate_of_a_revoked_partition_is_let_go() -> None:
    core = Harness(partitions=(0, 1))
    (send,) = core.take(event(0, "one", id="1"), event(0, "one", id="1", partition=1))
    core.core.revoke([at(1)], core.now, 5.0)
    core.advance()
    core.accept(send)
    core.assign(1)
    assert core.take(event(0, "one", id="1", partition=1)) == []
    assert core.watermark(1) == 1 and core.is_empty()


def test_the_heir_s_own_duplicates_stay_duplicates() -> None:
    core = Harness(partitions=(0, 1))
    core.take(event(0, "one", id="1"), event(0, "one", id="1", partition=1))
    core.core.lose([at(0)], core.now)
    core.receive(event(1, "one", id="1", partition=1))
    core.settle()
    assert core.watermark(1) == 2
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_a_revoked_partition_that_comes_back_finds_its_own_record_still_waiting_for_its_dead_letter() -> None:
    core = Harness()
    core.reject(*core.take(event(0, "bad", id="1")), "bad")
    core.advance()
    core.core.lose([at(0)], core.now)
    core.assign(0)
    assert core.take(event(0, "bad", id="1")) == []
    assert core.watermark() == 0
    core.written()
    assert core.watermark() == 1 and core.is_empty()


# ---- the same id with other content ----


def test_incident_30_a_conflict_is_sent_under_a_ulid_of_id_and_content() -> None:
    core = Harness()
    core.accept(*core.take(event(0, "first", id="1")))
    (send,) = core.take(event(1, "other", id="1"))
    assert names(send) == ["other"] and ulids(send) != [ulid_from_id("1")]
    core.accept(send)
    assert core.take(event(2, "other", id="1")) == [], "its own duplicate is one"
    assert core.take(event(3, "first", id="1")) == []
    assert core.core.snapshot(core.now).conflicts == 2
    assert core.watermark() == 4


def test_incident_30_a_conflict_s_ulid_is_the_same_each_time() -> None:
    sent = []
    for _ in range(2):
        core = Harness()
        core.accept(*core.take(event(0, "first", id="1")))
        sent += ulids(core.take(event(1, "other", id="1"))[0])
    assert sent[0] == sent[1]


def test_incident_30_a_conflict_with_an_event_on_its_way_is_sent_too() -> None:
    core = Harness(delivery=DeliveryOptions(concurrency=1))
    core.take(event(0, "blocker", who="bob"))
    core.receive(event(1, "first", id="1"), event(2, "other", id="1"), event(3, "other", id="1"))
    core.settle()
    assert core.delivered() == ["blocker", "first", "other"]
    assert core.endings() == {Outcome.ACCEPTED: 3, Outcome.DUPLICATE: 1}


def test_incident_30_many_contents_under_one_id_are_all_sent() -> None:
    core = Harness()
    for offset in range(5):
        core.receive(event(offset, f"content {offset}", id="ann"))
        core.settle()
    assert core.delivered() == [f"content {offset}" for offset in range(5)]
    assert len({ulid for send in core.seen(Send) for ulid in ulids(send)}) == 5


def test_incident_30_a_conflict_is_dropped_where_the_setting_says_so() -> None:
    core = Harness(dedup=window(on_conflict="drop"))
    core.accept(*core.take(event(0, "first", id="1")))
    assert core.take(event(1, "other", id="1"), event(2, "other", id="1"), event(3, "first", id="1")) == []
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 3}
    assert core.core.snapshot(core.now).conflicts == 2 and core.watermark() == 4


def test_incident_30_a_conflict_is_dead_lettered_where_the_setting_says_so() -> None:
    core = Harness(dedup=window(on_conflict="dead_letter"))
    core.accept(*core.take(event(0, "first", id="1")))
    assert core.take(event(1, "other", id="1"), event(2, "other", id="1")) == []
    assert [letter.reason for letter in core.letters] == [Reason.CONFLICT, Reason.CONFLICT]
    assert core.watermark() == 1
    core.written()
    assert core.watermark() == 3
    assert core.take(event(3, "first", id="1")) == [], "the first one's content is still what counts"


@pytest.mark.parametrize("on_conflict", ["send", "drop", "dead_letter"])
def test_incident_30_conflicts_are_logged_once_a_burst_without_content(on_conflict: str) -> None:
    core = Harness(dedup=window(on_conflict=on_conflict))
    core.receive(*(event(offset, f"secret {offset}", id="ann") for offset in range(20)))
    core.settle()
    (note,) = core.seen(Noted)
    assert "offset 1" in note.message and "secret" not in note.message
    core.wait(120.0)
    core.receive(event(20, "secret again", id="ann"))
    core.advance()
    assert len(core.seen(Noted)) == 2


def test_conflicts_whose_original_is_revoked_go_their_own_way() -> None:
    core = Harness(partitions=(0, 1), delivery=DeliveryOptions(concurrency=1))
    core.take(event(0, "blocker", who="bob", partition=1))
    core.receive(event(0, "first", id="1"), event(1, "other", id="1", partition=1))
    core.core.lose([at(0)], core.now)
    core.settle()
    assert core.delivered() == ["blocker", "other"]
    assert core.watermark(1) == 2 and core.is_empty()


def test_a_conflict_s_own_ulid_follows_from_id_and_content_alone() -> None:
    assert conflict_ulid("A", 1) == conflict_ulid("A", 1)
    assert len({conflict_ulid("A", 1), conflict_ulid("A", 2), conflict_ulid("B", 1)}) == 3


# ---- replayed dead letters ----


def test_a_replayed_dead_letter_passes_the_window_with_its_ulid_unchanged() -> None:
    core = Harness()
    (first,) = core.take(event(0, "first", id="1"))
    core.accept(first)
    (replayed,) = core.take(event(1, "first", id="1", replayed=True))
    assert ulids(replayed) == ulids(first)
    core.accept(replayed)
    assert core.take(event(2, "first", id="1")) == []


def test_a_mended_replay_of_an_accepted_id_is_no_conflict() -> None:
    core = Harness()
    core.accept(*core.take(event(0, "first", id="1")))
    (replayed,) = core.take(event(1, "mended", id="1", replayed=True))
    assert ulids(replayed) == [ulid_from_id("1")]
    assert core.core.snapshot(core.now).conflicts == 0
