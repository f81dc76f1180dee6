"""What would become of records: the real core, with everything it wants to send shown instead of sent."""

from collections.abc import Iterable, Iterator

import msgspec

from connector.core.admission import Decode
from connector.core.answers import Accepted
from connector.core.core import Core
from connector.core.effects import Commit, Ended, Outcome, Send, TopicPartition, WriteDeadLetter
from connector.core.inputs import Assignment
from connector.core.options import BatchOptions, CoreOptions, DeadLetterShareOptions
from connector.core.routing import Route
from connector.events.event import RequestKind
from connector.events.record import Record

_NO_LIMIT = 1e9


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


class Fate(msgspec.Struct, frozen=True):
    """What would become of one record."""

    outcome: Outcome
    region: str
    event_id: str | None = None
    operations: tuple[tuple[str, bytes], ...] = ()
    """(`v2` or `v1`, the JSON of the operation as it would be sent); empty unless the outcome is accepted."""
    reason: str = ""
    """For a dead letter: its reason and message."""
    message: str = ""


def dry_run(
    records: Iterable[Record], options: CoreOptions, decode: Decode, route: Route | None, cluster_id: str
) -> Iterator[Fate]:
    """The fate of each record, were every request accepted. Duplicates among them are found as usual."""
    core = Core(_unhurried(options), decode, route, lambda: 0.0, 0.0)
    seen: set[TopicPartition] = set()
    for record in records:
        partition = TopicPartition(record.topic() or "", record.partition() or 0)
        offset = record.offset() or 0
        if partition not in seen:
            seen.add(partition)
            core.assign([Assignment(partition, offset, "", None, 0, offset, "", cluster_id)], 0.0)
        core.receive([record], 0.0, {0: record})
        yield _settle(core)


def _settle(core: Core) -> Fate:
    """Carry out what the core wants for one record, in play, until it has its ending."""
    operations: tuple[tuple[str, bytes], ...] = ()
    message = ""
    ended: Ended | None = None
    while effects := core.advance(0.0):
        for effect in effects:
            match effect:
                case Send():
                    operations += _operations(effect)
                    core.answer(effect.request_id, Accepted(), 0.0)
                case WriteDeadLetter():
                    message = effect.message
                    core.dead_letter_written(effect.letter_id, None, 0.0)
                case Commit():
                    core.commit_done(effect.commit_id, (), 0.0)
                case Ended():
                    ended = effect
    assert ended is not None, "a record alone has its ending at once"
    return Fate(ended.outcome, ended.region, ended.event_id, operations, ended.reason or "", message)


def _operations(send: Send) -> tuple[tuple[str, bytes], ...]:
    if send.operation == "batch":
        batch = msgspec.json.decode(send.body, type=_Batch).batch
        return tuple([(RequestKind.V2.value, bytes(operation)) for operation in batch])
    return ((RequestKind.V1_EVENTS.value, send.body),)


def _unhurried(options: CoreOptions) -> CoreOptions:
    """Nothing lingers, nothing is limited: time stands still here."""
    return msgspec.structs.replace(
        options,
        batch=BatchOptions(max_events=options.batch.max_events, linger_ms=0),
        delivery=msgspec.structs.replace(options.delivery, requests_per_second=_NO_LIMIT),
        dead_letter_share=DeadLetterShareOptions(max_share=1.0),
    )
