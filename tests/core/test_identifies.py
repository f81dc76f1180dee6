"""The identify cache: what it skips and what it never may."""

import pytest

from connector.core.effects import Outcome
from connector.core.options import BatchOptions, DedupOptions, EventWindowOptions, IdentifyCacheOptions
from tests.core.harness import DOWN, Harness, at, event, identify, merge, names

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
