"""Mistakes that could be in the core, each put there on purpose: the simulation has to find every one of them.

A mutant replaces one attribute of one class of `connector.core`. `python -m tests.simulation.mutants` says for each
which seed finds it first.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from msgspec import structs

from connector.core.admission import Admission
from connector.core.answers import Accepted, PartlyRejected
from connector.core.buffer import Buffer
from connector.core.circuit import Circuit
from connector.core.commits import Commits
from connector.core.core import Core
from connector.core.dedup import IdWindow
from connector.core.effects import Outcome, Start
from connector.core.endings import Endings
from connector.core.entry import Entry
from connector.core.flight import Chunk, Flight
from connector.core.identifies import IdentifyCache
from connector.core.inputs import Credit
from connector.core.ledger import Ledger
from connector.core.partitions import Partitions
from connector.core.region import Region
from connector.core.token_bucket import TokenBucket
from connector.core.verdicts import Verdicts
from connector.events.event import Event
from tests.simulation.violation import Violation
from tests.simulation.world import run

SEEDS_MAX = 600
"""Every mutant is found within the first so many seeds."""


class Mutant(NamedTuple):
    """`attribute` of `owner` is replaced by what `mutate` makes of it."""

    owner: type
    attribute: str
    mutate: Callable[[Any], Any]


MUTANTS: dict[str, Mutant] = {}


def _mutant(owner: type, attribute: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """The function below says what the attribute becomes; its name and docstring say what the mistake is."""

    def enter(mutate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        MUTANTS[mutate.__name__] = Mutant(owner, attribute, mutate)
        return mutate

    return enter


def _decoding_otherwise(original: Any, change: Callable[[Event], Event]) -> Any:
    def changed(decoded: Any) -> Any:
        return change(decoded) if isinstance(decoded, Event) else decoded

    def init(admission: Admission, options: Any, decode: Any, *rest: Any) -> None:
        class DecodeOtherwise:
            def __call__(self, record: Any, cluster_id: str, ulid: str = "") -> Any:
                return changed(decode(record, cluster_id, ulid))

            def many(self, records: Any, cluster_id: str) -> Any:
                return list(map(changed, decode.many(records, cluster_id)))

        original(admission, options, DecodeOtherwise(), *rest)

    return init


# --- ledger and commits


@_mutant(Ledger, "watermark")
def commits_one_too_far(original: property) -> property:
    """The record at the watermark counts as ended."""

    def watermark(ledger: Ledger) -> int:
        mark = ledger.mark + 1
        return ledger.offsets[mark] if mark < len(ledger.offsets) else ledger.next_offset

    return property(watermark)


@_mutant(Ledger, "runs_beyond")
def map_claims_one_too_many(original: Any) -> Any:
    """A run of finished records in the metadata is one longer than it is."""

    def runs_beyond(ledger: Ledger) -> Iterator[Any]:
        for finished in original(ledger):
            yield finished._replace(end=finished.end + 1)

    return runs_beyond


@_mutant(Ledger, "was_finished")
def map_is_believed_from_its_first_gap(original: Any) -> Any:
    """Whatever lies before the end of a finished run counts as finished."""

    def was_finished(ledger: Ledger, offset: int) -> bool:
        original(ledger, offset)
        return bool(ledger.finished)

    return was_finished


@_mutant(Commits, "done")
def refused_commit_counts_as_done(original: Any) -> Any:
    """What the broker refused is not committed again."""
    return lambda commits, commit_id, failures: original(commits, commit_id, ())


@_mutant(Commits, "done")
def commit_that_was_left_out_counts_as_done(original: Any) -> Any:
    """What the poll thread did not commit, because its epoch was over, is not committed again."""

    def done(commits: Commits, commit_id: int, failures: Any) -> Any:
        commits._under_way = {
            place: (ledger, offset._replace(epoch=ledger.epoch))
            for place, (ledger, offset) in commits._under_way.items()
        }
        return original(commits, commit_id, failures)

    return done


@_mutant(Commits, "_metadata")
def metadata_knows_no_limit(original: Any) -> Any:
    """The map is written however long it is."""

    def metadata(commits: Commits, ledger: Ledger, watermark: int) -> str:
        return str(original(commits, ledger, watermark)).ljust(4001, " ")

    return metadata


@_mutant(Partitions, "restart")
def restart_passes_over_what_was_lost(original: Any) -> Any:
    """After an error of the client, reading goes on one record too late."""

    def restart(partitions: Partitions, places: Any, now: float) -> list[Start]:
        return [Start(one.partition, one.offset + 1, one.epoch) for one in original(partitions, places, now)]

    return restart


# --- revokes


@_mutant(Endings, "dropped")
def revoked_id_stays_on_its_way(original: Any) -> Any:
    """A dropped record's id is not forgotten, so that its redelivery hangs on a record that is no more."""

    def dropped(endings: Endings, entry: Entry, region: str, now: float) -> bool:
        kept = bool(original(endings, entry, region, now))
        if not kept:
            endings._memories[region].on_way[entry.event.ulid] = entry
        return kept

    return dropped


@_mutant(Endings, "dropped")
def revoked_id_counts_as_accepted(original: Any) -> Any:
    """A dropped record's id enters the window, so that its redelivery is taken for a duplicate."""

    def dropped(endings: Endings, entry: Entry, region: str, now: float) -> bool:
        ulid, digest = entry.event.ulid, entry.event.digest
        kept = bool(original(endings, entry, region, now))
        if not kept:
            endings._memories[region].window.add((ulid,), (digest,), now)
        return kept

    return dropped


@_mutant(Entry, "succeed")
def duplicate_goes_with_its_revoked_original(original: Any) -> Any:
    """Nobody takes the place of an original whose partition is revoked."""
    return lambda entry: False


@_mutant(Partitions, "_begin")
def answers_after_a_revoke_touch_the_new_ledger(original: Any) -> Any:
    """What was under way when a partition was lost is noted in whatever ledger the partition has next."""
    former: dict[tuple[int, Any], Ledger] = {}

    def begin(partitions: Partitions, assignment: Any, now: float) -> Start:
        start: Start = original(partitions, assignment, now)
        ledger = partitions.ledgers[start.partition]
        before = former.get((id(partitions), start.partition))
        if before is not None:
            before.live, before.flags, before.offsets, before.trimmed = True, ledger.flags, ledger.offsets, 0
        former[id(partitions), start.partition] = ledger
        return start

    return begin


@_mutant(Region, "withdraw")
def unsent_records_of_a_revoked_partition_are_sent(original: Any) -> Any:
    """A revoke drops nothing."""
    return lambda region, now: None


@_mutant(Partitions, "_awaits")
def revoke_waits_for_ever(original: Any) -> Any:
    """The deadline of a revoke is not kept."""

    def awaits(partitions: Partitions, ledgers: Any) -> bool:
        waits = bool(original(partitions, ledgers))
        if waits:
            partitions._revokes = [one._replace(deadline=float("inf")) for one in partitions._revokes]
        return waits

    return awaits


# --- dedup


@_mutant(Admission, "_hang")
def duplicate_ends_before_its_original(original: Any) -> Any:
    """A duplicate of a record that is still on its way ends at once."""

    def hang(admission: Admission, arrival: Any, event: Any, first: Entry, outcome: Outcome) -> None:
        admission._end(arrival, outcome, next(iter(admission._regions)), event)

    return hang


@_mutant(IdWindow, "add")
def window_remembers_nothing(original: Any) -> Any:
    """Accepted ids are forgotten at once."""
    return lambda window, ids, digests, now: None


@_mutant(Admission, "__init__")
def replayed_dead_letter_is_a_duplicate(original: Any) -> Any:
    """A replay is held against the window like any record."""
    return _decoding_otherwise(original, lambda event: structs.replace(event, replayed=False))


@_mutant(Admission, "_known_before")
def conflict_counts_as_duplicate(original: Any) -> Any:
    """Other content under a known id is not noticed."""

    def known_before(admission: Admission, arrival: Any, event: Any, known: Any, region: Region) -> None:
        if isinstance(known, int):
            admission._end(arrival, Outcome.DUPLICATE, region.name, event)
        else:
            admission._hang(arrival, event, known, Outcome.DUPLICATE)

    return known_before


@_mutant(IdentifyCache, "departs")
def identify_cache_ignores_deletes(original: Any) -> Any:
    """A, delete, A: the second A is skipped, since A had been accepted."""

    def departs(cache: IdentifyCache, entry: Entry) -> None:
        if entry.event.identify_digest is not None:
            original(cache, entry)

    return departs


@_mutant(IdentifyCache, "unchanged")
def identify_cache_remembers_all_that_was_ever_said(original: Any) -> Any:
    """A, B, A: the second A is skipped, since A had been said."""
    said: dict[int, set[tuple[bytes, int]]] = {}

    def unchanged(cache: IdentifyCache, event: Any, now: float) -> Entry | bool:
        if event.identify_digest is None or not isinstance(original(cache, event, now), bool):
            return original(cache, event, now)
        what = (event.lane, event.identify_digest)
        known = said.setdefault(id(cache._accepted), set())
        if what in known and not cache._on_way:
            return True
        known.add(what)
        return False

    return unchanged


# --- answers


@_mutant(Flight, "split")
def second_half_of_a_bisected_batch_is_forgotten(original: Any) -> Any:
    """Only the first half is sent again."""

    def split(flight: Flight, lane_of: Any) -> Flight | None:
        other: Flight | None = original(flight, lane_of)
        if other is None:
            del flight.chunks[-2]
        else:
            flight.lanes += other.lanes
        return None

    return split


@_mutant(Flight, "split")
def second_half_of_a_bisected_batch_goes_first(original: Any) -> Any:
    """The halves of what concerns one person are sent in the wrong order."""

    def split(flight: Flight, lane_of: Any) -> Flight | None:
        other: Flight | None = original(flight, lane_of)
        if other is None:
            flight.chunks[-2:] = flight.chunks[:-3:-1]
        return other

    return split


@_mutant(Verdicts, "_unavailable")
def retry_is_sent_in_another_order(original: Any) -> Any:
    """A failed request's operations are turned round."""

    def unavailable(verdicts: Verdicts, flight: Flight, *rest: Any) -> Any:
        chunk: Chunk = flight.current
        chunk.entries, chunk.bodies = chunk.entries[::-1], chunk.bodies[::-1]
        return original(verdicts, flight, *rest)

    return unavailable


@_mutant(Verdicts, "_settle_parts")
def partial_rejection_counts_as_success(original: Any) -> Any:
    """207 is taken for 200: what was refused vanishes."""

    def settle_parts(verdicts: Verdicts, chunk: Chunk, answer: Any, now: float) -> None:
        verdicts._endings.accepted(chunk.entries, verdicts._region, now)

    return settle_parts


@_mutant(Verdicts, "_unattributable")
def unreadable_answer_counts_as_success(original: Any) -> Any:
    """A 207 that nobody can read is taken for 200."""

    def unattributable(
        verdicts: Verdicts, flight: Flight, channel: Any, sent_at: float, alone: bool, now: float
    ) -> Any:
        verdicts._endings.accepted(flight.chunks.pop().entries, verdicts._region, now)
        return [flight]

    return unattributable


def _judged_as_accepted(original: Any, kind: str) -> Any:
    def judge(verdicts: Verdicts, flight: Flight, channel: Any, answer: Any, *rest: Any) -> Any:
        return original(
            verdicts, flight, channel, Accepted() if type(answer).__name__ == kind else answer, *rest
        )

    return judge


@_mutant(Verdicts, "judge")
def failed_request_counts_as_accepted(original: Any) -> Any:
    """A timeout is taken for an ending."""
    return _judged_as_accepted(original, "Unavailable")


@_mutant(Verdicts, "judge")
def refused_key_counts_as_accepted(original: Any) -> Any:
    """401 is taken for an ending."""
    return _judged_as_accepted(original, "Unauthorised")


@_mutant(Verdicts, "judge")
def rejected_item_is_confused_with_its_neighbour(original: Any) -> Any:
    """`batch_index` is taken as counting from 1."""

    def judge(verdicts: Verdicts, flight: Flight, channel: Any, answer: Any, *rest: Any) -> Any:
        if isinstance(answer, PartlyRejected):
            count = len(flight.current.entries)
            errors = tuple(type(one)((one.index - 1) % count, one.message) for one in answer.errors)
            answer = PartlyRejected(errors, answer.attributable)
        return original(verdicts, flight, channel, answer, *rest)

    return judge


@_mutant(Endings, "_ends_accepted")
def record_ends_with_its_first_operation(original: Any) -> Any:
    """A call that became two operations ends when one of them is accepted."""

    def ends_accepted(endings: Endings, entry: Entry, region: str, now: float) -> bool:
        if entry.unsettled > 1:
            entry.ledger.flags[entry.index - entry.ledger.trimmed] = 1
        return bool(original(endings, entry, region, now))

    return ends_accepted


@_mutant(Endings, "_write")
def dead_letter_counts_before_kafka_has_it(original: Any) -> Any:
    """A record is ended as its dead letter is handed to the producer."""

    def write(endings: Endings, letter: Any, record: Any, message: str, attempts: int) -> None:
        original(endings, letter, record, message, attempts)
        if letter.ledger.live:
            letter.ledger.flags[letter.index - letter.ledger.trimmed] = 1
            elsewhere = Ledger(letter.ledger.partition, 0, 0, 0.0)
            elsewhere.live = False
            endings._letters[endings._letter_id] = structs.replace(letter, ledger=elsewhere)

    return write


# --- lanes, limits and times


@_mutant(Admission, "__init__")
def merge_stands_in_one_lane(original: Any) -> Any:
    """What concerns the second person of a merge does not wait for it."""

    def change(event: Event) -> Event:
        return structs.replace(event, lane_secondary=b"")

    return _decoding_otherwise(original, change)


@_mutant(Admission, "__init__")
def region_that_an_event_names_is_ignored(original: Any) -> Any:
    """Everything goes where the rules or the default say."""
    return _decoding_otherwise(original, lambda event: structs.replace(event, region=None))


@_mutant(Core, "advance")
def requests_start_while_polling_stands_still(original: Any) -> Any:
    """A suspended machine goes on sending what may be another member's."""

    def advance(core: Core, now: float) -> Any:
        core._polled_at = now
        return original(core, now)

    return advance


@_mutant(Region, "_due")
def lane_is_free_while_a_retry_waits(original: Any) -> Any:
    """What follows a failed request overtakes it."""

    def due(region: Region, channel: Any, now: float) -> Any:
        for flight, other in region._waiting:
            other.lanes.release([lane for lane in flight.lanes if lane.busy])
            flight.lanes = []
        return original(region, channel, now)

    return due


@_mutant(Region, "_may_send")
def concurrency_has_no_limit(original: Any) -> Any:
    """As many requests as there are tokens."""
    return lambda region, channel, now: region._tokens.ready_at(now) <= now


@_mutant(TokenBucket, "take")
def tokens_are_never_used_up(original: Any) -> Any:
    """More requests a second than allowed."""
    return lambda bucket: None


@_mutant(Buffer, "credit")
def buffer_has_no_limit(original: Any) -> Any:
    """Everything is taken."""
    return lambda buffer: Credit(1_000_000, 1 << 40)


@_mutant(Circuit, "probed")
def refusing_region_is_not_probed_but_served(original: Any) -> Any:
    """Nothing is held back from a region that refuses or is down."""
    return property(lambda circuit: False)


@_mutant(Region, "_next_probe")
def failed_probe_is_tried_again_and_again(original: Any) -> Any:
    """What was tried last is the next probe."""

    def next_probe(region: Region, channel: Any) -> Any:
        waiting = [flight for flight, other in region._waiting if other is channel]
        if not waiting:
            return original(region, channel)
        region._waiting.remove((waiting[-1], channel))
        return waiting[-1]

    return next_probe


@_mutant(Circuit, "failed")
def retry_after_is_ignored(original: Any) -> Any:
    """The destination's wish is not granted."""

    def failed(circuit: Circuit, *arguments: Any) -> float:
        held = circuit.hold_until
        due_at = float(original(circuit, *arguments))
        circuit.hold_until = held
        return due_at

    return failed


@_mutant(Verdicts, "_unavailable")
def failing_request_is_never_poison(original: Any) -> Any:
    """What never succeeds is retried for ever, and what stands behind it waits."""

    def unavailable(verdicts: Verdicts, flight: Flight, *rest: Any) -> Any:
        flight.current.proof = float("-inf")
        return original(verdicts, flight, *rest)

    return unavailable


# --- looking for them


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """The core with this mistake in it."""
    mutant = MUTANTS[name]
    original = mutant.owner.__dict__[mutant.attribute]
    with patch.object(mutant.owner, mutant.attribute, mutant.mutate(original)):
        yield


def find(name: str) -> tuple[int, str] | None:
    """The first seed that finds the mutant, and how: by a broken promise or a failed assertion of the core's own.

    None: none does. Any other error says that the mutant no longer fits the core.
    """
    with mutated(name):
        for seed in range(SEEDS_MAX):
            try:
                run(seed)
            except (Violation, AssertionError) as error:
                return seed, f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    for mutant_name in sys.argv[1:] or MUTANTS:
        print(f"{mutant_name}: {find(mutant_name)}"[:220], flush=True)
