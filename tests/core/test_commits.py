"""What is committed when, and what a commit's answer leads to."""

import pytest

from connector.core.answers import Accepted
from connector.core.effects import Commit, Noted, Send
from connector.core.options import BatchOptions, DeliveryOptions, LedgerOptions
from tests.core.harness import Harness, at, event

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def _blocked(core: Harness, count: int, every: int = 1) -> Send:
    """Read records of as many people; the first keeps waiting, of the others each `every`th is accepted."""
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(count)))
    blocker, *others = core.sends()
    for place, send in enumerate(others):
        if place % every == 0:
            core.accept(send)
    return blocker


def test_incident_22_only_the_contiguous_prefix_is_committed() -> None:
    core = Harness(batch=ONE_BY_ONE)
    first, second, third = core.take(*(event(offset, who=f"p{offset}") for offset in range(3)))
    core.accept(third)
    assert core.committed() == 0
    core.accept(first)
    assert core.committed() == 1
    core.accept(second)
    assert core.committed() == 3


def test_where_nothing_is_committed_what_the_setting_resolves_to_is_committed_at_once() -> None:
    core = Harness(partitions=())
    core.assign(0, low=40, high=90)
    (commit,) = [effect for effect in core.advance() if isinstance(effect, Commit)]
    assert [(one.topic, one.partition, one.offset) for one in commit.offsets] == [("events", 0, 40)]


def test_the_setting_may_resolve_to_the_end() -> None:
    core = Harness(partitions=(), auto_offset_reset="latest")
    assert core.assign(0, low=40, high=90).offset == 90
    assert core.committed() == 90


def test_nothing_is_committed_where_nothing_changed() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.accept(*core.take(event(0)))
    core.wait(1.0)
    commits = len(core.seen(Commit))
    core.wait(60.0)
    assert len(core.seen(Commit)) == commits


def test_a_commit_is_due_each_second_at_most() -> None:
    core = Harness(batch=ONE_BY_ONE)
    for offset in range(100):
        core.receive(event(offset))
        core.run(lambda send: Accepted(), seconds=0.1)
    assert 9 <= len(core.seen(Commit)) <= 12


def test_one_commit_is_under_way_at_a_time() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.advance()
    core.commits_answered = False
    core.accept(*core.take(event(0)))
    core.wait(1.0)
    (commit,) = core.seen(Commit)[1:]
    core.accept(*core.take(event(1)))
    core.wait(60.0)
    assert core.seen(Commit)[-1] is commit
    core.commits_answered = True
    core.answer_commit(commit)
    assert core.committed() == 2


def test_a_changed_map_is_committed_though_the_watermark_stands() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.wait(1.0)
    blocker = _blocked(core, 3)
    core.wait(1.0)
    assert core.broker[at(0)].offset == 0
    with_map = core.broker[at(0)].metadata
    core.accept(blocker)
    assert core.committed() == 3 and core.broker[at(0)].metadata != with_map


def test_incident_12_a_commit_refused_by_a_rebalance_is_noted_and_tried_again() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.refusals[at(0)] = "REBALANCE_IN_PROGRESS"
    core.accept(*core.take(event(0)))
    core.wait(3.0)
    assert at(0) not in core.broker
    assert "REBALANCE_IN_PROGRESS" in core.seen(Noted)[0].message
    core.refusals.clear()
    assert core.committed() == 1
    core.accept(*core.take(event(1)))
    assert core.committed() == 2


def test_one_partition_s_refused_commit_holds_up_no_other() -> None:
    core = Harness(partitions=(0, 1))
    core.refusals[at(0)] = "UNKNOWN_TOPIC_OR_PART"
    core.accept(*core.take(event(0), event(0, partition=1)))
    assert core.committed(1) == 1 and at(0) not in core.broker


def test_incident_14_refused_metadata_is_shortened_then_left_out_and_consumption_goes_on() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.wait(1.0)
    core.commits_answered = False
    blocker = _blocked(core, 10, every=2)
    lengths = []
    for _ in range(20):
        core.wait(1.0)
        if not core.core.snapshot(core.now).partitions:
            break
        commits = core.seen(Commit)[1 + len(lengths) :]
        if not commits:
            break
        (commit,) = commits
        (offset,) = commit.offsets
        lengths.append(len(offset.metadata))
        core.refusals = {at(0): "OFFSET_METADATA_TOO_LARGE"} if offset.metadata else {}
        core.answer_commit(commit)
    assert lengths == sorted(lengths, reverse=True) and lengths[-1] == 0 and len(lengths) >= 2
    core.refusals.clear()
    core.commits_answered = True
    core.accept(blocker)
    core.settle()
    assert core.committed() == 10


def test_incident_14_a_map_that_outgrows_its_limit_stops_nothing() -> None:
    core = Harness(
        batch=ONE_BY_ONE,
        delivery=DeliveryOptions(concurrency=1000, requests_per_second=100_000),
        ledger=LedgerOptions(metadata_max_characters=200),
    )
    _blocked(core, 800, every=2)
    core.wait(1.0)
    assert 190 < len(core.broker[at(0)].metadata) <= 200
    core.settle()
    assert core.committed() == 800


def test_metadata_may_be_turned_off() -> None:
    core = Harness(batch=ONE_BY_ONE, ledger=LedgerOptions(metadata_max_characters=0))
    _blocked(core, 5)
    core.wait(1.0)
    assert core.broker[at(0)].metadata == ""


def test_with_nothing_outstanding_the_client_s_position_is_committed() -> None:
    core = Harness()
    core.accept(*core.take(event(0)))
    core.core.positioned({at(0): 5})  # it has passed a transaction's markers
    assert core.committed() == 5


def test_the_client_s_position_passes_nothing_that_is_outstanding() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.core.positioned({at(0): 5})
    assert core.committed() == 0
    core.accept(send)
    assert core.committed() == 5


def test_a_position_below_what_was_read_or_of_another_partition_changes_nothing() -> None:
    core = Harness()
    core.accept(*core.take(event(0), event(1)))
    core.core.positioned({at(0): 1, at(9): 77})
    assert core.committed() == 2


def test_a_position_behind_a_gap_that_is_followed_by_more_records_moves_on() -> None:
    core = Harness()
    core.core.positioned({at(0): 5})
    core.accept(*core.take(event(7)))
    assert core.committed() == 8


def test_a_commit_names_the_epoch_it_belongs_to() -> None:
    core = Harness(partitions=())
    start = core.assign(0)
    core.accept(*core.take(event(0)))
    core.wait(1.0)
    assert core.broker[at(0)].epoch == start.epoch
    (again,) = core.core.restart([at(0)], core.now)
    assert again.epoch > start.epoch
    core.accept(*core.take(event(1)))
    core.wait(1.0)
    assert core.broker[at(0)].epoch == again.epoch


def test_a_commit_left_out_for_its_old_epoch_is_made_again() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.advance()
    core.commits_answered = False
    core.accept(*core.take(event(0)))
    core.wait(1.0)
    (commit,) = core.seen(Commit)[1:]
    core.core.restart([at(0)], core.now)
    core.core.commit_done(commit.commit_id, (), core.now)  # left out by the poll thread, without a word
    core.commits_answered = True
    core.wait(2.0)
    assert core.committed() == 1


def test_incident_9_a_commit_never_moves_backwards() -> None:
    core = Harness(batch=ONE_BY_ONE)
    for offset in range(0, 60, 3):
        sends = core.take(*(event(offset + n, who=f"p{n}") for n in range(3)))
        for send in reversed(sends):
            core.accept(send)
            core.wait(0.5)
    offsets = [one.offset for commit in core.seen(Commit) for one in commit.offsets]
    assert offsets == sorted(offsets) and offsets[-1] >= 57


@pytest.mark.parametrize("late", [True, False])
def test_a_commit_s_answer_after_its_partition_was_lost_touches_nothing(late: bool) -> None:
    core = Harness()
    core.commits_answered = False
    core.accept(*core.take(event(0)))
    (commit,) = core.seen(Commit)
    core.core.lose([at(0)], core.now)
    core.assign(0, committed=0)
    if late:
        core.advance()
    core.answer_commit(commit)
    core.commits_answered = True
    core.receive(event(0))
    core.settle()
    assert core.committed() == 1
