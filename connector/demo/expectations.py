"""What must become of each published record: its region and reason as the traffic says, its operations as the
connector's own decoder reads it. The decoder is pure, and its results have tests of their own; here they serve to
recognise what arrives."""

from collections.abc import Iterable, Iterator
from typing import cast
from zlib import crc32

from confluent_kafka import Message

from connector.demo.evidence import Acceptance, DeadLetter, Publication, Step
from connector.demo.publishing import Published
from connector.events.decode import Decoder
from connector.events.event import Event, Operation, RequestKind
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.kafka.dead_letter_record import OFFSET, PARTITION, REASON
from connector.simulator import Workspace

_EVENT_ACTIONS = ("person.event", "person.page", "person.screen")


def publications(published: Iterable[Published], topic: str, cluster_id: str) -> Iterator[Publication]:
    """The published records as the account wants them."""
    decode = Decoder(EventOptions(), "identifier")
    for record, offset, timestamp_ms in published:
        decoded = decode(
            StoredRecord(
                topic, record.partition, offset, record.value, record.key, record.headers, timestamp_ms
            ),
            cluster_id,
        )
        steps: tuple[Step, ...] = ()
        if isinstance(decoded, Event):
            steps = tuple([_step(decoded, operation) for operation in decoded.operations])
        yield Publication(
            record.event,
            record.partition,
            offset,
            record.region,
            record.reason,
            steps,
            content_digest(record.key, record.value),
        )


def dead_letter(message: Message) -> DeadLetter:
    """A message of the dead-letter topic."""
    headers: dict[str, bytes] = dict(cast(list[tuple[str, bytes]], message.headers() or []))
    return DeadLetter(
        int(headers[PARTITION]),
        int(headers[OFFSET]),
        headers[REASON].decode(),
        content_digest(cast(bytes, message.key()), cast(bytes, message.value())),
    )


def content_digest(key: bytes | None, value: bytes | None) -> int:
    """CRC-32 of a record's key and value."""
    return crc32(value or b"", crc32(key or b""))


def acceptances(workspaces: Iterable[Workspace]) -> Iterator[Acceptance]:
    """What Customer.io's stand-in has accepted, region by region: nobody is in two."""
    for workspace in workspaces:
        for operation in workspace.operations:
            fingerprint = (operation.action, operation.identifier, operation.id or operation.digest)
            yield Acceptance(workspace.region, fingerprint)


def _step(event: Event, operation: Operation) -> Step:
    action, ulid = operation.action, event.ulid
    identifier = event.lane.decode()
    identifiers: tuple[str, ...] = (identifier,)
    if event.lane_secondary:
        identifiers += (event.lane_secondary.decode(),)
    if event.kind is RequestKind.V1_EVENTS:
        return Step((action.replace("person.", "anonymous."), identifier, ulid), identifiers)
    if action in _EVENT_ACTIONS:
        return Step((action, identifier, ulid), identifiers)
    return Step((action, identifier, crc32(operation.body)), identifiers)
