"""Dead letters put back on the topics that they came from.

A replay is a consumer group of its own without members. What it has committed for a partition is how far it came, and
beside it stands what was asked for: so its id is all that is needed to go on with it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_hex
from threading import Event
from typing import NamedTuple, TypeGuard

import msgspec
from confluent_kafka import KafkaException, TopicPartition

from connector.dead_letters.filters import Filters
from connector.dead_letters.letter import DeadLetter, Foreign, Place, read_letter
from connector.dead_letters.outgoing import replayed
from connector.dead_letters.retention import note_age
from connector.dead_letters.selection import Selection
from connector.dead_letters.source import Bounds, Source
from connector.dead_letters.writer import Writer
from connector.errors import ConfigurationError, UnavailableError
from connector.events.record import Record
from connector.kafka.errors import connector_error
from connector.kafka.group_offsets import group_offsets
from connector.kafka.reach import Reached

METADATA_CHARACTERS_MAX = 4000
_VERSION = 1


class Replay(NamedTuple):
    """What is put back, and how far it has come."""

    id: str
    """Group id and transactional id."""
    topic: str
    """The dead-letter topic."""
    filters: Filters
    partitions: Mapping[int, Bounds]
    """From where to where each is still to be worked off."""


class Survey(NamedTuple):
    """What a replay is going to do."""

    selection: Selection
    targets: Counter[str]
    """How many dead letters go back on which topic."""
    oldest_ms: Mapping[str, int]
    """The oldest timestamp among those of each topic; Unix milliseconds."""
    missed: int
    """Records of the dead-letter topic that retention deleted before this replay came to them."""


class _Note(msgspec.Struct, frozen=True):
    """Stands in the commit metadata of each partition."""

    version: int
    end: int
    filters: Filters


_note = msgspec.json.Decoder(_Note)


def new_replay(source: Source, filters: Filters, group_id: str, now: datetime) -> Replay:
    """A replay of all there is now. Raises ConfigurationError for more filters than can be kept."""
    replay_id = f"{group_id}-replay-{now:%Y%m%dT%H%M%SZ}-{token_hex(2)}"
    partitions = {number: bounds for number, bounds in source.bounds.items() if bounds.low < bounds.end}
    replay = Replay(replay_id, source.topic, filters, partitions)
    if any(len(_metadata(replay, partition)) > METADATA_CHARACTERS_MAX for partition in partitions):
        raise ConfigurationError(
            "too many filters", "Replay in several parts, or use dlq export and dlq import"
        )
    return replay


def found_replay(kafka: Reached, servers: str, replay_id: str) -> Replay:
    """One that was begun. Raises ConnectorError."""
    try:
        offsets = group_offsets(kafka.admin, replay_id)
    except KafkaException as exception:
        raise connector_error(exception.args[0], servers, group_id=replay_id) from None
    partitions: dict[int, Bounds] = {}
    topic, filters = "", None
    for partition, committed in sorted(offsets.items()):
        try:
            note = _note.decode(committed.metadata)
        except msgspec.DecodeError:
            continue
        if note.version == _VERSION:
            topic, filters = partition.topic, note.filters
            partitions[partition.partition] = Bounds(committed.offset, note.end)
    if filters is None:
        raise ConfigurationError(
            f"there is no replay {replay_id} at {servers}",
            "Give the id that dlq replay printed; Kafka keeps it for offsets.retention.minutes (7 days)",
        )
    return Replay(replay_id, topic, filters, partitions)


def survey(source: Source, replay: Replay) -> Survey:
    """Reads everything once, since copies of a dead letter may stand anywhere."""
    selection = Selection(replay.filters)
    targets: Counter[str] = Counter()
    oldest_ms: dict[str, int] = {}
    missed = 0
    for partition, (position, end) in replay.partitions.items():
        low = source.bounds[partition].low if partition in source.bounds else end
        missed += max(0, min(low, end) - position)
        for batch in source.batches(partition, low, end):
            for letter in selection.among(batch):
                if _can_go(letter) and letter.place.offset >= position:
                    targets[letter.origin.topic] += 1
                    note_age(oldest_ms, letter.origin.topic, letter.origin.timestamp_ms)
    return Survey(selection, targets, oldest_ms, missed)


def require_topics(kafka: Reached, servers: str, targets: Counter[str], otherwise: str) -> None:
    """Raises UnavailableError where a topic is gone. `otherwise`: what can be done but to create it."""
    missing = sorted(targets.keys() - kafka.metadata.topics.keys())
    if missing:
        raise UnavailableError(
            f"dead letters belong on topics that are not at {servers}, or may not be seen: {', '.join(missing)}",
            f"Create them, or {otherwise}",
        )


def begin(writer: Writer, replay: Replay) -> None:
    """Notes down what is asked for. From now on the replay can be resumed."""
    writer.commit([_position(replay, partition, low) for partition, (low, _) in replay.partitions.items()])


def go_on(
    source: Source,
    replay: Replay,
    copies: set[Place],
    writer: Writer,
    stopped: Event,
    progress: Callable[[int], None],
) -> bool:
    """Puts back what is left. `progress` is told how many that were so far. False: `stopped` before the end; what was
    written is committed. Raises ConnectorError."""

    def commit(partition: int, offset: int) -> None:
        writer.commit([_position(replay, partition, offset)])
        progress(writer.committed_records)

    for partition, (position, end) in replay.partitions.items():
        if position >= end or partition not in source.bounds:
            continue
        for batch in source.batches(partition, max(position, source.bounds[partition].low), end):
            for record in batch:
                letter = _to_replay(record, replay.filters, copies)
                if letter is None:
                    continue
                if writer.is_due:
                    commit(partition, letter.place.offset)
                writer.wait_for_turn(stopped)
                if stopped.is_set():
                    if writer.is_open:
                        commit(partition, letter.place.offset)
                    return False
                writer.write(replayed(letter, source.kafka.cluster_id), f"dead letter {letter.place}")
            if writer.is_open:
                commit(partition, (batch[-1].offset() or 0) + 1)
            if stopped.is_set():
                return False
        commit(partition, end)
    return True


def partition_counts(kafka: Reached) -> dict[str, int]:
    """How many partitions each topic has."""
    return {name: len(topic.partitions) for name, topic in kafka.metadata.topics.items()}


def _can_go(letter: DeadLetter | Foreign) -> TypeGuard[DeadLetter]:
    return isinstance(letter, DeadLetter) and letter.truncated_bytes is None


def _to_replay(record: Record, filters: Filters, copies: set[Place]) -> DeadLetter | None:
    letter = read_letter(record)
    if _can_go(letter) and filters.choose(letter) and letter.place not in copies:
        return letter
    return None


def _position(replay: Replay, partition: int, offset: int) -> TopicPartition:
    return TopicPartition(replay.topic, partition, offset, _metadata(replay, partition))


def _metadata(replay: Replay, partition: int) -> str:
    note = _Note(_VERSION, replay.partitions[partition].end, replay.filters)
    return msgspec.json.encode(note).decode()
