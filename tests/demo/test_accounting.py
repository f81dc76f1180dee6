"""The account holds for a flawless delivery, and finds each thing that may go wrong with it."""

from collections.abc import Sequence

import pytest

from connector.demo.accounting import Account, account
from connector.demo.evidence import Acceptance, DeadLetter, Evidence, Publication, Step
from connector.events.event import Reason
from tests.demo.delivery import copies, delivered_traffic


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return delivered_traffic()


def verdict(evidence: Evidence, **changes: object) -> Account:
    return account(evidence._replace(**changes))


def single(evidence: Evidence) -> Publication:
    """A good event that was published once and is one operation."""
    return next(
        each
        for each in evidence.publications
        if each.reason is None and len(each.steps) == 1 and len(copies(evidence, each)) == 1
    )


def without(evidence: Evidence, publication: Publication) -> list[Acceptance]:
    fingerprints = {step.fingerprint for step in publication.steps}
    return [each for each in evidence.acceptances if each.fingerprint not in fingerprints]


def only_complaint(found: Account) -> str:
    (complaint,) = found.complaints
    assert not found.ok
    return complaint


def test_flawless_delivery_holds(evidence: Evidence) -> None:
    found = account(evidence)
    assert found.complaints == ()
    assert found.ok
    assert found.published == len(evidence.publications) == 2_000
    assert found.balanced
    assert found.duplicates > 0
    assert found.dead_lettered == len(evidence.dead_letters) > 0
    assert (found.lost, found.out_of_order, found.wrong_region, found.uncommitted, found.repeated) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert sum(found.accepted_by_region.values()) == found.accepted
    assert sum(found.dead_letters_by_reason.values()) == found.dead_lettered


def test_lost_event_is_found(evidence: Evidence) -> None:
    lost = single(evidence)
    found = verdict(evidence, acceptances=without(evidence, lost))
    assert found.lost == 1
    assert not found.balanced
    assert f"partition {lost.partition} offset {lost.offset}" in only_complaint(found)


def test_all_records_of_a_lost_event_are_lost(evidence: Evidence) -> None:
    lost = next(each for each in evidence.publications if len(copies(evidence, each)) > 1)
    found = verdict(evidence, acceptances=without(evidence, lost))
    assert found.lost == len(copies(evidence, lost))


def test_half_an_event_is_lost(evidence: Evidence) -> None:
    two = next(each for each in evidence.publications if len(each.steps) == 2)
    half = [each for each in evidence.acceptances if each.fingerprint != two.steps[1].fingerprint]
    assert verdict(evidence, acceptances=half).lost == 1


def test_missing_dead_letter_is_lost(evidence: Evidence) -> None:
    found = verdict(evidence, dead_letters=evidence.dead_letters[1:])
    assert found.lost == 1
    assert only_complaint(found).startswith("lost: 1")


def test_wrong_region_is_found(evidence: Evidence) -> None:
    astray = single(evidence)
    other = "us" if astray.region == "eu" else "eu"
    moved = [
        each._replace(region=other) if each.fingerprint == astray.steps[0].fingerprint else each
        for each in evidence.acceptances
    ]
    found = verdict(evidence, acceptances=moved)
    assert found.wrong_region == 1
    assert found.lost == found.out_of_order == 0
    assert found.accepted_by_region[other] == account(evidence).accepted_by_region[other] + 1
    assert "wrong region" in only_complaint(found)


def test_event_in_both_regions_is_in_the_wrong_one(evidence: Evidence) -> None:
    astray = single(evidence)
    other = "us" if astray.region == "eu" else "eu"
    found = verdict(
        evidence, acceptances=[*evidence.acceptances, Acceptance(other, astray.steps[0].fingerprint)]
    )
    assert found.wrong_region == 1


def test_uncommitted_records_are_counted_over_all_groups(evidence: Evidence) -> None:
    first, second = evidence.committed
    committed = {
        first: dict(evidence.committed[first]),
        second: evidence.committed[second] | {0: evidence.ends[0] - 3},
    }
    assert verdict(evidence, committed=committed).uncommitted == 3
    del committed[first][1]
    found = verdict(evidence, committed=committed)
    assert found.uncommitted == 3 + evidence.ends[1]
    assert found.complaints == (
        f"not committed by {first}: {evidence.ends[1]}",
        f"not committed by {second}: 3",
    )


def test_repetition_is_excused_by_a_lost_answer_alone(evidence: Evidence) -> None:
    again = evidence._replace(acceptances=[*evidence.acceptances, evidence.acceptances[5]])
    assert account(again).repeated == 1
    assert "more than once" in only_complaint(account(again))
    assert account(again, answers_were_lost=True).ok


def test_events_that_customerio_ignored_count_as_repetition(evidence: Evidence) -> None:
    assert "more than once, though no answer was lost: 2" in only_complaint(verdict(evidence, ignored=2))


def test_events_ignored_though_they_differ_are_never_excused(evidence: Evidence) -> None:
    found = account(evidence._replace(ignored=1, ignored_wrongly=1), answers_were_lost=True)
    assert "same ULID" in only_complaint(found)


def test_unknown_operation_is_found(evidence: Evidence) -> None:
    stranger = Acceptance("us", ("person.event", "id:nobody", "01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    found = verdict(evidence, acceptances=[*evidence.acceptances, stranger])
    assert "nobody has published it: 1" in only_complaint(found)


def test_dead_letter_of_an_unknown_record_is_found(evidence: Evidence) -> None:
    stranger = DeadLetter(0, 1_000_000, "invalid", 0)
    found = verdict(evidence, dead_letters=[*evidence.dead_letters, stranger])
    assert "nobody has published it: 1" in only_complaint(found)


def test_dead_letter_written_twice_counts_once(evidence: Evidence) -> None:
    found = verdict(evidence, dead_letters=[*evidence.dead_letters, evidence.dead_letters[0]])
    assert found.ok
    assert found.dead_lettered == len(evidence.dead_letters)


def test_dead_letter_for_another_reason_is_found(evidence: Evidence) -> None:
    first, *others = evidence.dead_letters
    other = Reason.POISON.value
    found = verdict(evidence, dead_letters=[first._replace(reason=other), *others])
    assert "another reason" in only_complaint(found)


def test_dead_letter_that_was_changed_is_found(evidence: Evidence) -> None:
    first, *others = evidence.dead_letters
    found = verdict(evidence, dead_letters=[first._replace(digest=first.digest + 1), *others])
    assert "another key or value" in only_complaint(found)


def test_good_event_in_the_dead_letters_is_found(evidence: Evidence) -> None:
    good = single(evidence)
    letters = [*evidence.dead_letters, DeadLetter(good.partition, good.offset, "invalid", good.digest)]
    found = verdict(evidence, dead_letters=letters, acceptances=without(evidence, good))
    assert found.balanced
    assert "nothing is wrong with it" in only_complaint(found)


def test_duplicate_of_a_dead_letter_is_not_lost(evidence: Evidence) -> None:
    first = next(each for each in evidence.publications if len(copies(evidence, each)) == 2)
    letters = [*evidence.dead_letters, DeadLetter(first.partition, first.offset, "rejected", first.digest)]
    found = verdict(evidence, dead_letters=letters, acceptances=without(evidence, first))
    assert found.lost == 0
    assert found.balanced
    assert "nothing is wrong with it: 1 " in only_complaint(found)


def test_record_with_two_endings_is_found(evidence: Evidence) -> None:
    good = single(evidence)
    letters = [*evidence.dead_letters, DeadLetter(good.partition, good.offset, "invalid", good.digest)]
    found = verdict(evidence, dead_letters=letters)
    assert any("accepted as well" in complaint for complaint in found.complaints)


def test_mistake_that_was_accepted_is_found(evidence: Evidence) -> None:
    bad = next(each for each in evidence.publications if each.reason is Reason.REJECTED)
    accepted = [*evidence.acceptances, *(Acceptance(bad.region, step.fingerprint) for step in bad.steps)]
    letters = [each for each in evidence.dead_letters if (each.partition, each.offset) != bad.place]
    found = verdict(evidence, acceptances=accepted, dead_letters=letters)
    assert any("should have become a dead letter" in complaint for complaint in found.complaints)


# Order, on histories small enough to be read.


def publication(
    event: int, *identifiers: str, partition: int = 0, offset: int, steps: int = 1
) -> Publication:
    made = tuple(
        Step(("person.event", identifiers[0], f"{event}.{number}"), identifiers) for number in range(steps)
    )
    return Publication(event, partition, offset, "us", None, made, 0)


def overtaken(publications: Sequence[Publication], accepted: str) -> int:
    """`accepted` are events in the order of acceptance, `1.0` being the first operation of event 1."""
    fingerprints = {
        str(step.fingerprint[2]): step.fingerprint for each in publications for step in each.steps
    }
    acceptances = [Acceptance("us", fingerprints[name]) for name in accepted.split()]
    ends = {0: len(publications), 1: len(publications)}
    return account(Evidence(publications, acceptances, [], ends, {"group": ends})).out_of_order


def test_order_of_one_person_in_one_partition() -> None:
    log = [publication(number, "id:1", offset=number) for number in range(3)]
    assert overtaken(log, "0.0 1.0 2.0") == 0
    assert overtaken(log, "0.0 2.0 1.0") == 1
    assert overtaken(log, "2.0 0.0 1.0") == 1
    assert overtaken(log, "2.0 1.0 0.0") == 2


def test_order_between_people_does_not_matter() -> None:
    log = [publication(0, "id:1", offset=0), publication(1, "id:2", offset=1)]
    assert overtaken(log, "1.0 0.0") == 0


def test_order_between_partitions_does_not_matter() -> None:
    log = [publication(0, "id:1", offset=0), publication(1, "id:1", partition=1, offset=0)]
    assert overtaken(log, "1.0 0.0") == 0


@pytest.mark.parametrize("person", ["id:1", "id:2"])
def test_merge_keeps_the_order_of_both_people(person: str) -> None:
    log = [publication(0, person, offset=0), publication(1, "id:1", "id:2", offset=1)]
    assert overtaken(log, "0.0 1.0") == 0
    assert overtaken(log, "1.0 0.0") == 1


def test_both_operations_of_one_event_keep_their_order() -> None:
    log = [publication(0, "id:1", offset=0, steps=2), publication(1, "id:1", offset=1)]
    assert overtaken(log, "0.0 0.1 1.0") == 0
    assert overtaken(log, "0.1 0.0 1.0") == 1
    assert overtaken(log, "0.0 1.0 0.1") == 1


def test_duplicate_in_the_same_partition_has_its_originals_place() -> None:
    log = [publication(event, "id:1", offset=offset) for offset, event in enumerate((0, 1, 0))]
    assert overtaken(log, "0.0 1.0") == 0


def test_event_of_two_partitions_may_come_early_but_never_late() -> None:
    log = [
        publication(0, "id:1", offset=0),
        publication(1, "id:1", offset=1),
        publication(2, "id:1", offset=2),
        publication(1, "id:1", partition=1, offset=0),
    ]
    assert overtaken(log, "0.0 1.0 2.0") == 0
    assert overtaken(log, "1.0 0.0 2.0") == 0
    assert overtaken(log, "0.0 2.0 1.0") == 1


def test_first_acceptance_is_what_counts() -> None:
    log = [publication(number, "id:1", offset=number) for number in range(2)]
    assert overtaken(log, "0.0 1.0 0.0") == 0
