"""What was published against what became of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tests.chaos.outside import DeadLetter
from tests.chaos.traffic import Published

_SHOWN = 5


class Accepted(NamedTuple):
    """One operation that Customer.io recorded, in the order of a region's recording."""

    number: int
    identifier: str


class Evidence(NamedTuple):
    """Everything that is known from outside when all is over."""

    published: Sequence[Published]
    accepted: Mapping[str, Sequence[Accepted]]
    """Region -> in order."""
    states: Mapping[str, int]
    """Person -> the number of the identify whose attributes hold now."""
    dead_letters: Sequence[DeadLetter]


class Verdict(msgspec.Struct):
    """What the evidence says."""

    published: int = 0
    """Events, without their duplicates."""
    accepted: int = 0
    counted_twice: int = 0
    lost: int = 0
    out_of_order: int = 0
    dead_letters: int = 0
    dead_letters_wrong: int = 0
    faults: list[str] = []
    """Everything that is wrong, the first few of each kind."""


def judge(evidence: Evidence, *, may_be_rejected: bool = False, may_repeat_letters: bool = False) -> Verdict:
    """`may_be_rejected`: Customer.io refused items at random. `may_repeat_letters`: processes died, and what they had
    not committed was dealt with again."""
    verdict = Verdict()
    by_number: dict[int, list[Published]] = {}
    for record in evidence.published:
        by_number.setdefault(record.number, []).append(record)
    wanted = {n: r for n, r in by_number.items() if r[0].reason is None and not r[0].filtered}
    first = _first_places(evidence.accepted)
    rejected = _judge_letters(verdict, evidence, by_number, may_be_rejected, may_repeat_letters)
    verdict.published = len(by_number)
    verdict.accepted = len(first)
    _judge_loss(verdict, wanted, first, rejected)
    _judge_counts(verdict, wanted, evidence.accepted)
    _judge_order(verdict, wanted, first, rejected)
    _judge_states(verdict, wanted, evidence.states, rejected)
    return verdict


def _first_places(accepted: Mapping[str, Sequence[Accepted]]) -> dict[int, tuple[str, int]]:
    """Number -> region and place of its first acceptance."""
    first: dict[int, tuple[str, int]] = {}
    for region, operations in accepted.items():
        for place, operation in enumerate(operations):
            first.setdefault(operation.number, (region, place))
    return first


def _judge_letters(
    verdict: Verdict,
    evidence: Evidence,
    by_number: Mapping[int, Sequence[Published]],
    may_be_rejected: bool,
    may_repeat: bool,
) -> set[int]:
    """Returns the numbers of which a record was rejected."""
    by_place = {(r.partition, r.offset): r for records in by_number.values() for r in records}
    times = Counter((letter.partition, letter.offset) for letter in evidence.dead_letters)
    verdict.dead_letters = len(times)
    rejected, wrong = set(), []
    for letter in evidence.dead_letters:
        record = by_place.get((letter.partition, letter.offset))
        if record is None:
            wrong.append(
                f"a dead letter names the place {letter.partition}:{letter.offset}, which is nobody's"
            )
        elif letter.reason == "rejected" and may_be_rejected and record.reason is None:
            rejected.add(record.number)
        elif letter.reason != record.reason:
            wrong.append(f"{_named(record)} is a dead letter as {letter.reason} instead of {record.reason}")
    for record in by_place.values():
        count = times[record.partition, record.offset]
        if record.reason is not None and not count:
            wrong.append(f"{_named(record)} is no dead letter and should be, as {record.reason}")
        elif count > 1 and not may_repeat:
            wrong.append(f"{_named(record)} is a dead letter {count} times")
    verdict.dead_letters_wrong = len(wrong)
    _add(verdict, wrong)
    return rejected


def _judge_loss(
    verdict: Verdict,
    wanted: Mapping[int, Sequence[Published]],
    first: Mapping[int, tuple[str, int]],
    rejected: set[int],
) -> None:
    lost = [
        records[0] for number, records in wanted.items() if number not in first and number not in rejected
    ]
    verdict.lost = len(lost)
    _add(verdict, (f"{_named(record)} is lost" for record in lost))
    astray = [r[0] for n, r in wanted.items() if n in first and first[n][0] != r[0].region]
    _add(verdict, (f"{_named(record)} was accepted in another region than its own" for record in astray))
    strangers = first.keys() - wanted.keys()
    _add(verdict, (f"event {number} was accepted and should not have been" for number in sorted(strangers)))


def _judge_counts(
    verdict: Verdict, wanted: Mapping[int, Sequence[Published]], accepted: Mapping[str, Sequence[Accepted]]
) -> None:
    times = Counter(operation.number for operations in accepted.values() for operation in operations)
    twice = [n for n, count in times.items() if count > 1 and n in wanted and wanted[n][0].counts]
    verdict.counted_twice = len(twice)
    _add(verdict, (f"{_named(wanted[n][0])} was recorded {times[n]} times" for n in twice))


def _judge_order(
    verdict: Verdict,
    wanted: Mapping[int, Sequence[Published]],
    first: Mapping[int, tuple[str, int]],
    rejected: set[int],
) -> None:
    """First acceptance follows the log, for each person and partition. What was also said in another partition may
    have come from there, and what was rejected once comes by its duplicate."""
    rows: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for number, records in wanted.items():
        partitions = {record.partition for record in records}
        if number in first and number not in rejected and len(partitions) == 1:
            offset = min(record.offset for record in records)
            row = rows.setdefault((records[0].identifier, records[0].partition), [])
            row.append((offset, first[number][1], number))
    late = []
    for (identifier, partition), row in rows.items():
        latest = (-1, -1, -1)
        for offset, place, number in sorted(row):
            if place < latest[1]:
                late.append(
                    f"event {number} of {identifier} at {partition}:{offset} was accepted before event "
                    f"{latest[2]} at {partition}:{latest[0]}"
                )
            else:
                latest = (offset, place, number)
    verdict.out_of_order += len(late)
    _add(verdict, late)


def _judge_states(
    verdict: Verdict,
    wanted: Mapping[int, Sequence[Published]],
    states: Mapping[str, int],
    rejected: set[int],
) -> None:
    """What Customer.io believes of each person in the end is what was said last."""
    last: dict[str, tuple[int, int]] = {}
    for number, records in wanted.items():
        record = records[0]
        if not record.counts and record.identifier.startswith("id:") and number not in rejected:
            offset = min(each.offset for each in records)
            last[record.identifier] = max(last.get(record.identifier, (-1, -1)), (offset, number))
    stale = [
        f"{identifier} is as event {states.get(identifier)} says, not as event {number}"
        for identifier, (_, number) in last.items()
        if states.get(identifier) != number and states.get(identifier) not in rejected
    ]
    verdict.out_of_order += len(stale)
    _add(verdict, stale)


def _add(verdict: Verdict, faults: Iterable[str]) -> None:
    found = list(faults)
    verdict.faults += found[:_SHOWN]
    if len(found) > _SHOWN:
        verdict.faults.append(f"... and {len(found) - _SHOWN} more of this kind")


def _named(record: Published) -> str:
    return f"event {record.number} of {record.identifier or 'nobody'} at {record.partition}:{record.offset}"
