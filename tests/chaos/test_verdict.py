"""The judge of the scenarios sees what is wrong, and only that."""

from collections.abc import Mapping, Sequence

from tests.chaos.outside import DeadLetter
from tests.chaos.traffic import Published
from tests.chaos.verdict import Accepted, Evidence, Verdict, judge


def published(
    number: int, offset: int, *, partition: int = 0, counts: bool = True, reason: str | None = None
) -> Published:
    return Published(
        number=number,
        key=b"ada",
        value=b"",
        identifier="id:ada",
        counts=counts,
        reason=reason,
        partition=partition,
        offset=offset,
    )


def verdict(
    records: Sequence[Published],
    accepted: Sequence[int],
    *,
    eu: Sequence[int] = (),
    states: Mapping[str, int] | None = None,
    letters: Sequence[DeadLetter] = (),
    may_be_rejected: bool = False,
    may_repeat_letters: bool = False,
) -> Verdict:
    regions = {"us": accepted, "eu": eu}
    evidence = Evidence(
        records,
        {name: [Accepted(number, "id:ada") for number in numbers] for name, numbers in regions.items()},
        states or {},
        letters,
    )
    return judge(evidence, may_be_rejected=may_be_rejected, may_repeat_letters=may_repeat_letters)


def letter(offset: int, reason: str) -> DeadLetter:
    return DeadLetter(0, offset, reason, truncated=False)


ROW = [published(1, 10), published(2, 11), published(3, 12)]


def test_all_accepted_once_and_in_order_is_well() -> None:
    found = verdict(ROW, [1, 2, 3])
    assert not found.faults
    assert (found.published, found.accepted) == (3, 3)


def test_an_event_that_nobody_has_accepted_is_lost() -> None:
    found = verdict(ROW, [1, 3])
    assert found.lost == 1
    assert "event 2" in found.faults[0]


def test_an_event_that_is_recorded_twice_is_counted_twice() -> None:
    assert verdict(ROW, [1, 2, 3, 2]).counted_twice == 1


def test_an_event_in_both_regions_is_counted_twice() -> None:
    assert verdict(ROW, [1, 2, 3], eu=[2]).counted_twice == 1


def test_a_state_may_be_told_again() -> None:
    row = [published(1, 10, counts=False), published(2, 11)]
    assert not verdict(row, [1, 2, 1], states={"id:ada": 1}).faults


def test_an_event_in_the_other_region_is_astray() -> None:
    assert "another region" in verdict(ROW, [1, 2], eu=[3]).faults[0]


def test_an_event_before_an_earlier_one_is_out_of_order() -> None:
    assert verdict(ROW, [2, 1, 3]).out_of_order == 1


def test_partitions_have_no_order_among_each_other() -> None:
    assert not verdict([published(1, 10), published(2, 3, partition=1)], [2, 1]).faults


def test_an_event_that_was_published_elsewhere_too_may_come_from_there() -> None:
    assert not verdict([*ROW, published(3, 5, partition=1)], [3, 1, 2]).faults


def test_a_state_that_was_overtaken_by_an_earlier_one_is_out_of_order() -> None:
    row = [published(1, 10, counts=False), published(2, 11, counts=False)]
    assert verdict(row, [1, 2, 1], states={"id:ada": 1}).out_of_order == 1


def test_what_is_beyond_help_must_be_a_dead_letter() -> None:
    row = [*ROW, published(4, 13, reason="invalid")]
    assert not verdict(row, [1, 2, 3], letters=[letter(13, "invalid")]).faults
    assert verdict(row, [1, 2, 3]).dead_letters_wrong == 1
    assert verdict(row, [1, 2, 3], letters=[letter(13, "empty")]).dead_letters_wrong == 1


def test_a_good_event_must_be_no_dead_letter() -> None:
    found = verdict(ROW, [1, 3], letters=[letter(11, "poison")])
    assert (found.lost, found.dead_letters_wrong) == (1, 1)


def test_a_rejected_event_is_not_lost() -> None:
    assert not verdict(ROW, [1, 3], letters=[letter(11, "rejected")], may_be_rejected=True).faults


def test_a_dead_letter_may_be_repeated_only_after_a_death() -> None:
    row = [*ROW, published(4, 13, reason="invalid")]
    twice = [letter(13, "invalid"), letter(13, "invalid")]
    assert verdict(row, [1, 2, 3], letters=twice).dead_letters_wrong == 1
    assert not verdict(row, [1, 2, 3], letters=twice, may_repeat_letters=True).faults


def test_an_event_that_nobody_published_is_no_good_sign() -> None:
    assert "event 9" in verdict(ROW, [1, 2, 3, 9]).faults[0]
