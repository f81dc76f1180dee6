"""From a Kafka record to the operations that are sent, or to the reason why it never can be. Pure, and total."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal, Protocol
from zlib import crc32

import msgspec

from connector.events import segment, track_v2
from connector.events.encode import EVENT_ACTIONS, Draft, finish
from connector.events.event import TOMBSTONE, Event, Operation, Reason, Rejection, RequestKind, Tombstone
from connector.events.headers import (
    CE_ID,
    EVENT_ID,
    NO_HEADERS,
    REGION,
    EventHeaders,
    header_text,
    read_headers,
)
from connector.events.identifiers import text_of
from connector.events.limits import NESTING_MAX, OPERATION_BYTES_MAX
from connector.events.nesting import is_too_deep
from connector.events.options import EventOptions
from connector.events.plain import PlainEvent, plain_event
from connector.events.raw import ABSENT, json_object
from connector.events.record import Record
from connector.events.refusal import RefusedError
from connector.events.segment_calls import Alias, Call, Group, Identify, Page, Screen, Track
from connector.events.timestamps import SECONDS_MAX
from connector.events.track_v2 import Delivery, Object, Person
from connector.events.ulid import ulid_from_id, ulid_from_place

Message = Person | Object | Delivery | Identify | Track | Page | Screen | Group | Alias
"""Both vocabularies, told apart by `type`."""

_TYPES = "person, object, delivery, identify, track, page, screen, group, alias"

_TOO_DEEP = Rejection(Reason.UNDECODABLE, f"the value is nested too deeply: more than {NESTING_MAX} levels")
_V2 = RequestKind.V2

_decode_message = msgspec.json.Decoder(Message).decode


class Decode(Protocol):
    """Reads one record. Never raises, whatever its bytes are."""

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Event | Rejection | Tombstone:
        """`cluster_id` is part of the ULID of an event without an id. A given `ulid` is used instead of the derived
        one: for a conflict, which is sent under another."""
        ...


class _CloudEvent(msgspec.Struct):
    id: str | int | None = None
    data: msgspec.Raw = ABSENT


_decode_cloud_event = msgspec.json.Decoder(_CloudEvent).decode


def make_decoder(options: EventOptions, lanes_key: Literal["identifier", "record_key"]) -> Decode:
    """A decoder for these options.

    `lanes_key` says whether order is kept for each identifier, or for each record key; records without a key keep to
    their identifier then.
    """
    handlers: dict[type, Callable[[Any], tuple[Draft, ...]]] = {
        **track_v2.HANDLERS,
        **segment.handlers(options.segment),
    }
    by_record_key = lanes_key == "record_key"
    record_timestamp = options.record_timestamp

    def short_cut(
        record: Record,
        ulid: str,
        message: Message,
        headers: EventHeaders,
        plain: PlainEvent,
    ) -> Event | Rejection:
        event_id, content, lane = plain
        unnamed = message.region is None and headers is NO_HEADERS
        region = None if unnamed else _region(message, headers)
        if not ulid:
            ulid = ulid_from_id(event_id)
        if by_record_key:
            lane, _ = _key_lanes(record, lane, b"")
        body = b'%b,"id":"%b"}' % (content, ulid.encode())
        if len(body) > OPERATION_BYTES_MAX:
            return _too_large("person.event", body)
        operation = Operation(_V2, "person.event", body, lane)
        return Event(event_id, ulid, crc32(content), region, (operation,), None, headers.replayed)

    def careful(
        record: Record,
        cluster_id: str,
        ulid: str,
        message: Message,
        headers: EventHeaders,
        cloud_event_id: str | int | None = None,
    ) -> Event | Rejection:
        event_id = _event_id(message, headers, cloud_event_id)
        if not ulid and event_id is not None:
            ulid = ulid_from_id(event_id)
        ulid = ulid or headers.replayed_ulid or _ulid_of_place(record, cluster_id)
        region = _region(message, headers)
        drafts = handlers[type(message)](message)
        digest, operations = 0, []
        for draft in drafts:
            digest = crc32(draft.content, digest)
            seconds = _record_seconds(record) if record_timestamp and draft.takes_time else None
            lane, lane_secondary = draft.lane, draft.lane_secondary
            if by_record_key:
                lane, lane_secondary = _key_lanes(record, lane, lane_secondary)
            operation = finish(draft, ulid, seconds, lane, lane_secondary)
            if len(operation.body) > OPERATION_BYTES_MAX and operation.kind is _V2:
                return _too_large(operation.action, operation.body)
            operations.append(operation)
        identify_digest = _state_digest(drafts[0].state) if drafts[0].state else None
        return Event(event_id, ulid, digest, region, tuple(operations), identify_digest, headers.replayed)

    def decode(record: Record, cluster_id: str, ulid: str = "") -> Event | Rejection | Tombstone:
        value = record.value()
        if value is None:
            return TOMBSTONE
        if not value or value.isspace():
            return Rejection(Reason.EMPTY, "the value is empty")
        try:
            if not value.isascii():
                value.decode()  # msgspec does not check the UTF-8 of what passes through raw
            named = record.headers()
            headers = read_headers(named) if named else NO_HEADERS
            if headers.is_cloud_event:
                data, cloud_event_id = _unwrap(value)
                message = _decode_message(data)
                if is_too_deep(value):
                    return _TOO_DEEP
                return careful(record, cluster_id, ulid, message, headers, cloud_event_id)
            message = _decode_message(value)
            if len(value) > 2 * NESTING_MAX and is_too_deep(value):
                return _TOO_DEEP
            plain = plain_event(message)
            if plain is not None:
                return short_cut(record, ulid, message, headers, plain)
            return careful(record, cluster_id, ulid, message, headers)
        except RefusedError as refused:
            return Rejection(refused.reason, refused.message)
        except msgspec.ValidationError as error:
            return Rejection(Reason.INVALID, _without_value(error))
        except msgspec.DecodeError as error:
            return Rejection(Reason.UNDECODABLE, str(error))
        except UnicodeDecodeError as error:
            return Rejection(Reason.UNDECODABLE, f"the value is not UTF-8 (byte {error.start})")
        except RecursionError:
            return _TOO_DEEP

    return decode


def _unwrap(value: bytes) -> tuple[bytes, str | int | None]:
    """The event in a structured CloudEvent, and the CloudEvent's id."""
    cloud_event = _decode_cloud_event(value)
    data = json_object(cloud_event.data, "data")
    if not data:
        raise RefusedError("the CloudEvent's `data` is missing")
    return data, cloud_event.id


def _event_id(message: Message, headers: EventHeaders, cloud_event_id: str | int | None) -> str | None:
    """The first id that is given: in the event, in a header, by the CloudEvent around it, as the `id` of v2."""
    if message.event_id is not None:
        return text_of(message.event_id, "event_id")
    if isinstance(message, Call) and message.message_id is not None:
        return text_of(message.message_id, "messageId")
    if headers.event_id is not None:
        return header_text(headers.event_id, EVENT_ID)
    if headers.ce_id is not None:
        return header_text(headers.ce_id, CE_ID)
    if cloud_event_id is not None:
        return text_of(cloud_event_id, "id")
    if isinstance(message, Person) and message.id is not None and message.action in EVENT_ACTIONS:
        return text_of(message.id, "id")
    return None


def _ulid_of_place(record: Record, cluster_id: str) -> str:
    return ulid_from_place(
        cluster_id, record.topic() or "", record.partition() or 0, record.offset() or 0, record.timestamp()[1]
    )


def _region(message: Message, headers: EventHeaders) -> str | None:
    """The region that the event or its header names. An empty one is not taken for none: it would go to a default."""
    if message.region is not None:
        return text_of(message.region, "region").strip().lower()
    if headers.region is not None:
        return header_text(headers.region, REGION).strip().lower()
    return None


def _record_seconds(record: Record) -> int | None:
    """None also where it is no milliseconds: Customer.io would take the present for it."""
    milliseconds = record.timestamp()[1]
    return milliseconds // 1000 if 1000 <= milliseconds < 1000 * SECONDS_MAX else None


def _key_lanes(record: Record, lane: bytes, lane_secondary: bytes) -> tuple[bytes, bytes]:
    """The lanes where order is kept for each record key.

    A publisher who keys by person names one of a merge's two people by the key. So a merge stands in the key's lane
    and in that of a record keyed by the other person's identifier, which is as near as one can know.
    """
    key = record.key()
    if not key:
        return lane, lane_secondary
    key_lane = b"key:" + key
    if not lane_secondary:
        return key_lane, b""
    primary, secondary = (b"key:" + side.partition(b":")[2] for side in (lane, lane_secondary))
    other = primary if secondary == key_lane else secondary
    return key_lane, b"" if other == key_lane else other


def _state_digest(state: bytes) -> int:
    """64 bits: the identify cache takes equal digests for equal states, and a wrong skip would lose an update."""
    return int.from_bytes(blake2b(state, digest_size=8).digest())


def _too_large(action: str, body: bytes) -> Rejection:
    return Rejection(
        Reason.TOO_LARGE, f"the operation {action} has {len(body)} bytes, more than {OPERATION_BYTES_MAX}"
    )


def _without_value(error: msgspec.ValidationError) -> str:
    """msgspec's message, which names the field; of a `type` that is not known it would name the value too."""
    message = str(error)
    return f"`type` is not one of {_TYPES}" if message.startswith("Invalid value") else message
