"""What every record has come to, as cores tell it on the way and as the world sees it at the end."""

from collections.abc import Sequence

from connector.core.effects import Dropped, Ended, Outcome, WriteDeadLetter
from connector.core.options import CoreOptions
from connector.events.event import Event, Reason
from tests.simulation.checks.order import OrderChecks
from tests.simulation.customerio import People, Workspace
from tests.simulation.kafka import Broker
from tests.simulation.publisher import Flaw
from tests.simulation.scenario import DEFAULT_REGION, Scenario
from tests.simulation.truth import Fact, Published, PublishedRecord, Truth
from tests.simulation.violation import Violation


class Trace:
    """Travels with one delivery of a record to one core."""

    __slots__ = ("closed", "published")

    def __init__(self, published: Published) -> None:
        self.published = published
        self.closed = ""


class EndingChecks:
    """Endings as the cores tell them."""

    def __init__(self, options: CoreOptions, truth: Truth) -> None:
        self._options = options
        self._truth = truth
        self.accepted_times: dict[tuple[str, int], int] = {}
        """Event -> traced records of it that ended as accepted."""

    def ended(self, effect: Ended, serves: tuple[str, ...]) -> None:
        """A core says that a traced record has its ending."""
        trace, outcome = effect.trace, effect.outcome
        assert isinstance(trace, Trace)
        self._close(trace, str(outcome))
        published, truth = trace.published, self._truth
        event = published.event
        true = truth.ended(published, serves)
        if outcome is Outcome.ACCEPTED:
            true = published.serial in truth.accepted or (
                event is not None and self._accepted_elsewhere(event)
            )
            if event is not None:
                name = (event.ulid, event.digest)
                self.accepted_times[name] = self.accepted_times.get(name, 0) + 1
        elif outcome is Outcome.DEAD_LETTERED:
            true = published.serial in truth.letters
            if true and effect.reason not in {letter.reason for letter in truth.letters[published.serial]}:
                raise Violation(f"{published} is dead-lettered, but not as {effect.reason}")
        elif outcome is Outcome.FILTERED:
            nature = published.nature
            other = nature.region not in serves if nature.region else DEFAULT_REGION not in serves
            true = nature.tombstone or other
        elif outcome is Outcome.UNCHANGED:
            true = event is not None and truth.unchanged(event, published.nature.region)
        if not true:
            raise Violation(f"{published} is said to be {outcome}, which is not true")

    def _accepted_elsewhere(self, event: Event) -> bool:
        """A record that comes to the same took this one's place, or gave it its own."""
        return any(other.serial in self._truth.accepted for other in self._truth.same(event))

    def dropped(self, effect: Dropped) -> None:
        """A core says that it forgets a traced record."""
        assert isinstance(effect.trace, Trace)
        self._close(effect.trace, "dropped")

    def _close(self, trace: Trace, how: str) -> None:
        if trace.closed:
            raise Violation(f"{trace.published} is {how} after it was {trace.closed}")
        trace.closed = how

    def writing(self, effect: WriteDeadLetter, serves: tuple[str, ...]) -> Published:
        """A core wants a record dead-lettered: this one."""
        assert isinstance(effect.record, PublishedRecord)
        published = self._truth.published[effect.record.serial]
        nature = published.nature
        if (nature.region or DEFAULT_REGION) not in serves or nature.tombstone:
            raise Violation(f"{published} is none of this group's dead letters")
        allowed = {_reason(published)}
        if self._conflicts(published) and self._options.dedup.events.on_conflict == "dead_letter":
            allowed.add(Reason.CONFLICT)
        if effect.reason not in allowed:
            raise Violation(
                f"{published} is dead-lettered as {effect.reason}, it is {nature}: {effect.message}"
            )
        return published

    def _conflicts(self, published: Published) -> bool:
        event = published.event
        return event is not None and len(self._truth.ulids[event.ulid]) > 1


def _reason(published: Published) -> Reason | None:
    """Why it has to be dead-lettered; None: it can be accepted."""
    nature = published.nature
    if nature.reason is not None:
        return nature.reason
    event = published.event
    if nature.flaw is None or event is None or nature.flawed_operation >= len(event.operations):
        return None
    return Reason.POISON if nature.flaw is Flaw.POISON else Reason.REJECTED


class FinalChecks:
    """What the world looks like when everything has come to rest."""

    def __init__(
        self,
        scenario: Scenario,
        truth: Truth,
        broker: Broker,
        workspaces: dict[str, Workspace],
        order: OrderChecks,
        endings: EndingChecks,
    ) -> None:
        self._scenario = scenario
        self._truth = truth
        self._broker = broker
        self._workspaces = workspaces
        self._order = order
        self._endings = endings

    def check(self, applied: dict[tuple[str, bytes], list[int]]) -> None:
        """`applied`: (region, identifier) -> numbers of the records that changed that person, as they came."""
        for published in self._truth.published:
            self._check_fate(published)
        self._check_offsets()
        self._check_people(applied)
        if self._scenario.calm:
            self._check_once()

    def _check_fate(self, published: Published) -> None:
        truth = self._truth
        event, serial = published.event, published.serial
        conflicts = event is not None and len(truth.ulids[event.ulid]) > 1
        if serial in truth.letters and serial in truth.accepted and not conflicts:
            raise Violation(f"{published} has two endings: accepted and dead-lettered")
        responsible = published.nature.region or DEFAULT_REGION
        group = next(number for number, serves in enumerate(self._scenario.serves) if responsible in serves)
        if serial in truth.excused.get(group, ()):
            return
        if not truth.ended(published, self._scenario.serves[group]):
            raise Violation(f"{published} has no ending")
        if event is None:
            return
        if conflicts:
            digests = truth.ulids[event.ulid]
            records = [each for digest in digests for each in truth.classes[event.ulid, digest]]
            # What was dropped for the sake of another is as lost as that one, where the log has lost it.
            drops = self._scenario.options.dedup.events.on_conflict == "drop"
            if drops and any(record.serial in truth.excused.get(group, ()) for record in records):
                return
            if not truth.ulid_ended(event, published.nature.region):
                raise Violation(f"{published} and whatever else has its id was lost")
            return
        same = truth.classes[event.ulid, event.digest]
        if _reason(published) is not None:
            cached = self._scenario.options.dedup.identifies.max_entries
            if cached and truth.unchanged(event, published.nature.region):
                return
            if not any(other.serial in truth.letters for other in same):
                raise Violation(f"{published} is not among the dead letters: {published.nature}")
        elif event.action in ("person.event", "person.page", "person.screen"):
            times = self._order.times_new.get(((event.ulid, event.digest), 0), 0)
            if times != 1:
                raise Violation(f"{published} counts {times} times at Customer.io")

    def _check_offsets(self) -> None:
        for group in range(len(self._scenario.serves)):
            for place, log in self._broker.logs.items():
                committed = self._broker.committed(group, place)
                end = log.records[-1].offset + 1 if log.records else 0
                if committed is None:
                    if end:
                        raise Violation(
                            f"group {group} never committed anything for {place}, which has {end}"
                        )
                elif committed.offset < end:
                    raise Violation(
                        f"group {group} has committed {committed.offset} of {place}, its end is {end}"
                    )

    def _check_once(self) -> None:
        """Without faults nothing is sent twice, not even what Customer.io would ignore."""
        truth = self._truth
        for name, same in truth.classes.items():
            conflicts = len(truth.ulids[name[0]]) > 1
            if conflicts or any(p.nature.replayed or p.serial in truth.letters for p in same):
                continue
            event = same[0].event
            assert event is not None
            for index in range(len(event.operations)):
                times = self._order.times.get((name, index), 0)
                if times > 1:
                    raise Violation(f"{same[0]} was accepted {times} times")
            if self._endings.accepted_times.get(name, 0) > 1:
                raise Violation(f"{len(same)} records of {same[0]} ended as accepted, not as duplicates")

    # --- people

    def _check_people(self, applied: dict[tuple[str, bytes], list[int]]) -> None:
        changes: dict[tuple[str, bytes], list[Published]] = {}
        merged: set[tuple[str, bytes]] = set()
        for published in self._truth.published:
            event = published.event
            if event is None:
                continue
            fact = self._fact(published)
            people = [(published.nature.region, who) for who in fact.who]
            if fact.action in ("person.identify", "person.delete"):
                changes.setdefault(people[0], []).append(published)
            elif len(people) > 1:
                merged.update(people)
        for who, records in changes.items():
            if who not in merged and self._comparable(records, applied.get(who, [])):
                self._check_person(who, records)

    def _comparable(self, records: Sequence[Published], applied: Sequence[int]) -> bool:
        """Is one order of all changes the only right one, and was the last time of each in that order?

        A change that is applied again after later ones, by a former owner whose request was still on its way, can set
        a person back where nothing but a timestamp protects it: that is the documented limit, and not judged here.
        """
        truth = self._truth
        excused = {serial for serials in truth.excused.values() for serial in serials}
        if len({published.place for published in records}) > 1 or any(p.serial in excused for p in records):
            return False
        for published in records:
            event = published.event
            assert event is not None
            if len(truth.ulids[event.ulid]) > 1 or len(truth.classes[event.ulid, event.digest]) > 1:
                return False
        if self._scenario.options.dedup.identifies.max_entries:
            times = [published.record.timestamp()[1] for published in records]
            own = [self._fact(published).timestamp for published in records]
            if times != sorted(times) or any(
                stamp is not None and (own_time < 0 or stamp < own_time // 1000)
                for stamp, own_time in zip(own, times, strict=True)
            ):
                return False
        if any(self._fact(published).update_only for published in records) and len(set(applied)) < len(
            applied
        ):
            return (
                False  # what an update of nobody comes to the second time depends on what followed the first
            )
        last = {serial: place for place, serial in enumerate(applied)}
        order = sorted(last, key=last.__getitem__)
        offsets = [truth.published[serial].offset for serial in order]
        return offsets == sorted(offsets)

    def _fact(self, published: Published) -> Fact:
        assert published.event is not None
        return self._truth.facts[published.event.body]

    def _check_person(self, who: tuple[str, bytes], records: Sequence[Published]) -> None:
        people = People()
        for published in sorted(records, key=lambda record: record.offset):
            if _reason(published) is None:
                people.apply(self._fact(published), 1e6)
        right = people.persons.get(who[1])
        found = self._workspaces[who[0]].people.persons.get(who[1])
        if (right and right.plan) != (found and found.plan):
            raise Violation(f"{who} is {found}, should be {right}")
