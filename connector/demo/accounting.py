"""What became of everything that was published, seen from outside: from what Customer.io holds, what the dead-letter
topic holds and what the consumer groups have committed. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from connector.demo.evidence import Acceptance, DeadLetter, Evidence, Fingerprint, Publication

_EXAMPLES = 3


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Every record has exactly one ending: published = accepted + duplicates + dead_lettered, and nothing lost."""

    published: int
    """Records."""
    accepted: int
    """Events that Customer.io has: of each the first record."""
    duplicates: int
    """Further records of events that were accepted, or of which one record is a dead letter."""
    dead_lettered: int
    """Records."""
    lost: int
    """Records whose event has neither been accepted nor become a dead letter."""
    out_of_order: int
    """Operations accepted after one of the same person that stands behind them in the same partition."""
    wrong_region: int
    """Operations accepted in another region than their person's."""
    uncommitted: int
    """Records between the committed offsets and the ends of the logs, over all groups."""
    accepted_by_region: dict[str, int]
    dead_letters_by_reason: dict[str, int]
    repeated: int
    """Operations that reached Customer.io more than once: harmless, but only a lost answer is a good excuse."""
    complaints: tuple[str, ...]
    """What is wrong, a line each. Empty: everything holds."""

    @property
    def ok(self) -> bool:
        return not self.complaints

    @property
    def balanced(self) -> bool:
        return self.published == self.accepted + self.duplicates + self.dead_lettered


def account(evidence: Evidence, *, answers_were_lost: bool = False) -> Account:
    """Hold everything against everything. `answers_were_lost`: what was accepted may have been sent again."""
    publications = evidence.publications
    accepted_at = _first_acceptances(evidence.acceptances)
    letters = {(letter.partition, letter.offset): letter for letter in evidence.dead_letters}
    endings = _endings(publications, accepted_at, letters)
    wrong_region = list(_misplaced(publications, evidence.acceptances))
    astray = {step.fingerprint for publication in wrong_region for step in publication.steps}
    out_of_order = list(_overtaken(publications, accepted_at, astray))
    uncommitted = {
        group: _uncommitted(offsets, evidence.ends) for group, offsets in evidence.committed.items()
    }
    repeated = len(evidence.acceptances) - len(accepted_at) + evidence.ignored
    complaints = [
        *_complaint("lost", endings.lost),
        *_complaint("out of order", out_of_order),
        *_complaint("accepted in the wrong region", wrong_region),
        *(f"not committed by {group}: {records}" for group, records in uncommitted.items() if records),
        *_complaints_about_letters(publications, letters, endings.accepted_events),
        *_unknown(publications, evidence),
    ]
    if evidence.ignored_wrongly:
        complaints.append(f"taken for another event with the same ULID: {evidence.ignored_wrongly}")
    if repeated and not answers_were_lost:
        complaints.append(f"reached Customer.io more than once, though no answer was lost: {repeated}")
    return Account(
        published=len(publications),
        accepted=len(endings.accepted),
        duplicates=endings.duplicates,
        dead_lettered=endings.dead_lettered,
        lost=len(endings.lost),
        out_of_order=len(out_of_order),
        wrong_region=len(wrong_region),
        uncommitted=sum(uncommitted.values()),
        accepted_by_region=dict(
            Counter(
                evidence.acceptances[accepted_at[publication.steps[0].fingerprint]].region
                for publication in endings.accepted
            )
        ),
        dead_letters_by_reason=dict(Counter(letter.reason for letter in letters.values())),
        repeated=repeated,
        complaints=tuple(complaints),
    )


class _Endings(NamedTuple):
    """What became of the records."""

    accepted: list[Publication]
    """Of each accepted event the first record that is no dead letter."""
    accepted_events: set[int]
    duplicates: int
    dead_lettered: int
    lost: list[Publication]


def _endings(
    publications: Sequence[Publication],
    accepted_at: Mapping[Fingerprint, int],
    letters: Mapping[tuple[int, int], DeadLetter],
) -> _Endings:
    """One ending for each record."""
    accepted_events = {
        publication.event
        for publication in publications
        if publication.steps and all(step.fingerprint in accepted_at for step in publication.steps)
    }
    dead = {publication.event for publication in publications if publication.place in letters}
    accepted: dict[int, Publication] = {}
    duplicates, dead_lettered, lost = 0, 0, []
    for publication in publications:
        event = publication.event
        if publication.place in letters:
            dead_lettered += 1
        elif event in accepted_events and event not in accepted:
            accepted[event] = publication
        elif event in accepted or event in dead:
            duplicates += 1
        else:
            lost.append(publication)
    return _Endings(list(accepted.values()), accepted_events, duplicates, dead_lettered, lost)


def _first_acceptances(acceptances: Sequence[Acceptance]) -> dict[Fingerprint, int]:
    """Fingerprint -> its place in the order of acceptance, when it came first."""
    first: dict[Fingerprint, int] = {}
    for place, acceptance in enumerate(acceptances):
        first.setdefault(acceptance.fingerprint, place)
    return first


def _overtaken(
    publications: Sequence[Publication],
    accepted_at: Mapping[Fingerprint, int],
    astray: Collection[Fingerprint],
) -> Iterator[Publication]:
    """Records that were accepted before an earlier one of the same person in the same partition, each with its event's
    first record in that partition. What went `astray`, to another region, has no order there.

    An event that stands in several partitions may rightly be accepted early, by its record in another one; but
    never late.
    """
    partitions: dict[int, set[int]] = {}
    for publication in publications:
        partitions.setdefault(publication.event, set()).add(publication.partition)
    latest: dict[tuple[int, str], int] = {}
    seen: set[tuple[int, int]] = set()
    for publication in sorted(publications, key=lambda publication: publication.place):
        event, partition = publication.event, publication.partition
        if (partition, event) in seen:
            continue
        seen.add((partition, event))
        for step in publication.steps:
            place = accepted_at.get(step.fingerprint)
            if place is None or step.fingerprint in astray:
                continue
            before = [latest.get((partition, identifier), -1) for identifier in step.identifiers]
            if place < max(before) and len(partitions[event]) == 1:
                yield publication
            for identifier, known in zip(step.identifiers, before, strict=True):
                latest[partition, identifier] = max(place, known)


def _misplaced(
    publications: Sequence[Publication], acceptances: Sequence[Acceptance]
) -> Iterator[Publication]:
    """One for each operation that a region accepted which is not its person's."""
    meant = {step.fingerprint: publication for publication in publications for step in publication.steps}
    for region, fingerprint in dict.fromkeys(acceptances):
        publication = meant.get(fingerprint)
        if publication is not None and publication.region != region:
            yield publication


def _uncommitted(offsets: Mapping[int, int], ends: Mapping[int, int]) -> int:
    """Records behind the committed offsets."""
    return sum(max(0, end - offsets.get(partition, 0)) for partition, end in ends.items())


def _complaints_about_letters(
    publications: Sequence[Publication],
    letters: Mapping[tuple[int, int], DeadLetter],
    accepted_events: Collection[int],
) -> Iterator[str]:
    """Each dead letter must have been expected, with its reason, unchanged, and have had no other ending."""
    unexpected, misjudged, changed, twice = [], [], [], []
    for publication in publications:
        letter = letters.get(publication.place)
        if letter is None:
            continue
        if publication.reason is None:
            unexpected.append(publication)
        elif publication.reason != letter.reason:
            misjudged.append(publication)
        if publication.digest != letter.digest:
            changed.append(publication)
        if publication.event in accepted_events:
            twice.append(publication)
    yield from _complaint("became a dead letter, though nothing is wrong with it", unexpected)
    yield from _complaint("became a dead letter for another reason than its own", misjudged)
    yield from _complaint("became a dead letter with another key or value", changed)
    yield from _complaint("became a dead letter and was accepted as well", twice)
    delivered = [
        publication
        for publication in publications
        if publication.reason is not None and publication.event in accepted_events
    ]
    yield from _complaint("accepted, though it should have become a dead letter", delivered)


def _unknown(publications: Sequence[Publication], evidence: Evidence) -> Iterator[str]:
    """What nobody has published must not have come out."""
    meant = {step.fingerprint for publication in publications for step in publication.steps}
    unknown = sum(1 for acceptance in evidence.acceptances if acceptance.fingerprint not in meant)
    if unknown:
        yield f"accepted, though nobody has published it: {unknown}"
    places = {publication.place for publication in publications}
    foreign = sum(1 for letter in evidence.dead_letters if (letter.partition, letter.offset) not in places)
    if foreign:
        yield f"became a dead letter, though nobody has published it: {foreign}"


def _complaint(what: str, publications: Iterable[Publication]) -> Iterator[str]:
    """One line: how many, and the first few by their places."""
    found = list(publications)
    if found:
        places = ", ".join(
            f"partition {each.partition} offset {each.offset}" for each in islice(found, _EXAMPLES)
        )
        more = ", ..." if len(found) > _EXAMPLES else ""
        yield f"{what}: {len(found)} ({places}{more})"
