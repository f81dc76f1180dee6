"""From a Kafka record to the operations that are sent, or to the reason why it never can be. Pure, and total."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Literal, cast
from zlib import crc32

import msgspec

from connector.events import segment, track_v2
from connector.events.encode import EVENT_ACTIONS, Draft, finish
from connector.events.event import TOMBSTONE, Decoded, Event, Reason, Rejection, RequestKind
from connector.events.headers import (
    CE_ID,
    EVENT_ID,
    NO_HEADERS,
    EventHeaders,
    header_text,
    read_headers,
)
from connector.events.identifiers import text_of
from connector.events.key_lanes import key_lanes
from connector.events.limits import NESTING_MAX, OPERATION_BYTES_MAX
from connector.events.named_region import region_said
from connector.events.nesting import is_too_deep
from connector.events.options import EventOptions
from connector.events.plain import plain_events
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
_TOGETHER = 64
"""Records that take each step of decoding together: enough for a step's code to stay in the processor's cache, few
enough for the records to stay there, too."""

_decode_message = msgspec.json.Decoder(Message).decode


class _CloudEvent(msgspec.Struct):
    id: str | int | None = None
    data: msgspec.Raw = ABSENT


_decode_cloud_event = msgspec.json.Decoder(_CloudEvent).decode


class Decoder:
    """Reads records, one or many at a time. Never raises, whatever their bytes are.

    `lanes_key` says whether order is kept for each identifier, or for each record key; records without a key keep to
    their identifier then.
    """

    def __init__(self, options: EventOptions, lanes_key: Literal["identifier", "record_key"]) -> None:
        self._handlers: dict[type, Callable[[Any], tuple[Draft, ...]]] = {
            **track_v2.HANDLERS,
            **segment.handlers(options.segment),
        }
        self._by_record_key = lanes_key == "record_key"
        self._record_timestamp = options.record_timestamp

    def __call__(self, record: Record, cluster_id: str, ulid: str = "") -> Decoded:
        """`cluster_id` is part of the ULID of an event without an id. A given `ulid` is used instead of the derived
        one: for a conflict, which is sent under another."""
        return self._decode(record, cluster_id, ulid, None)

    def many(self, records: Sequence[Record], cluster_id: str) -> list[Decoded]:
        """The same of each of these records, in less time."""
        decoded: list[Decoded] = []
        for begin in range(0, len(records), _TOGETHER):
            decoded += self._together(records[begin : begin + _TOGETHER], cluster_id)
        return decoded

    def _together(self, records: Sequence[Record], cluster_id: str) -> list[Decoded]:
        headers = [read_headers(names) if names else NO_HEADERS for names in [r.headers() for r in records]]
        messages = _messages(
            [None if head.is_cloud_event else r.value() for head, r in zip(headers, records, strict=True)]
        )
        plain, others = plain_events(records, messages, headers, self._by_record_key)
        decoded: list[Decoded] = [*plain]
        for place in others:
            decoded.insert(place, self._decode(records[place], cluster_id, "", messages[place]))
        return decoded

    def _decode(self, record: Record, cluster_id: str, ulid: str, known: Message | None) -> Decoded:
        """`known`: what the value was read as, and found to be UTF-8 and not too deep, already."""
        value = record.value()
        if value is None:
            return TOMBSTONE
        if not value or value.isspace():
            return Rejection(Reason.EMPTY, "the value is empty")
        try:
            headers = read_headers(record.headers())
            if known is not None:
                return self._event(record, cluster_id, ulid, known, headers, None)
            _check_utf8((value,))
            data, cloud_event_id = _unwrap(value) if headers.is_cloud_event else (value, None)
            message = _decode_message(data)
            if is_too_deep(value):
                return _TOO_DEEP
            return self._event(record, cluster_id, ulid, message, headers, cloud_event_id)
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

    def _event(
        self,
        record: Record,
        cluster_id: str,
        ulid: str,
        message: Message,
        headers: EventHeaders,
        cloud_event_id: str | int | None,
    ) -> Event | Rejection:
        event_id = _event_id(message, headers, cloud_event_id)
        if not ulid and event_id is not None:
            ulid = ulid_from_id(event_id)
        ulid = ulid or headers.replayed_ulid or _ulid_of_place(record, cluster_id)
        region = region_said(message.region, headers)
        drafts = self._handlers[type(message)](message)
        first, *others = drafts
        assert len(others) < 2 and all(_stand_together(first, other) for other in others), (
            "one lane, one request"
        )
        digest, operations = 0, []
        for draft in drafts:
            digest = crc32(draft.content, digest)
            seconds = _record_seconds(record) if self._record_timestamp and draft.takes_time else None
            operation = finish(draft, ulid, seconds)
            if len(operation.body) > OPERATION_BYTES_MAX and draft.kind is _V2:
                return _too_large(operation.action, operation.body)
            operations.append(operation)
        lane, lane_secondary = first.lane, first.lane_secondary
        if self._by_record_key:
            lane, lane_secondary = key_lanes(record, lane, lane_secondary)
        return Event(
            event_id,
            ulid,
            digest,
            region,
            operations[0].action,
            operations[0].body,
            lane,
            lane_secondary,
            first.kind,
            operations[1] if len(operations) > 1 else None,
            _state_digest(first.state) if first.state else None,
            headers.replayed,
        )


def _stand_together(one: Draft, other: Draft) -> bool:
    """Do both wait in the same place for the same kind of request?"""
    return (one.kind, one.lane, one.lane_secondary) == (other.kind, other.lane, other.lane_secondary)


def _messages(values: Sequence[bytes | None]) -> list[Message | None]:
    """What each value is as a message; None: there is no value, or it takes a closer look."""
    if None not in values:
        known = cast("Sequence[bytes]", values)
        try:
            _check_utf8(known)
            if max(map(len, known)) <= 2 * NESTING_MAX or not any(map(is_too_deep, known)):
                return list(map(_decode_message, known))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # one of them
    return [_message(value) for value in values]


def _check_utf8(values: Sequence[bytes]) -> None:
    """msgspec does not check the UTF-8 of what passes through raw. Raises UnicodeDecodeError."""
    if not all(map(bytes.isascii, values)):
        for value in values:
            value.decode()


def _message(value: bytes | None) -> Message | None:
    try:
        if value is None or is_too_deep(value):
            return None
        _check_utf8((value,))
        message: Message = _decode_message(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return message


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


def _record_seconds(record: Record) -> int | None:
    """None also where it is no milliseconds: Customer.io would take the present for it."""
    milliseconds = record.timestamp()[1]
    return milliseconds // 1000 if 1000 <= milliseconds < 1000 * SECONDS_MAX else None


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
