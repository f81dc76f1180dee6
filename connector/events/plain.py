"""The commonest events by a short cut: persons' events and track calls in which nothing is out of the ordinary.

Most of the traffic is like this. What is plain is decoded many at a time, step by step: each step's code stays in the
processor's cache, and much of it is a single call for all. Whatever is not plain, or wrong in any way, is left to the
vocabularies, one by one; a test holds both ways together, byte for byte.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any
from zlib import crc32

from connector.events.event import Event, RequestKind
from connector.events.headers import NO_HEADERS, EventHeaders
from connector.events.identifiers import encode_json
from connector.events.key_lanes import key_lane
from connector.events.limits import EVENT_NAME_BYTES_MAX, ID_BYTES_MAX, OPERATION_BYTES_MAX
from connector.events.named_region import UNCLEAR, region_said
from connector.events.record import Record
from connector.events.refusal import RefusedError
from connector.events.segment_calls import CIO_ID_PREFIX, Track
from connector.events.segment_semantics import SEMANTIC_EVENTS
from connector.events.timestamps import SECONDS_MAX, common_iso_8601, unix_seconds
from connector.events.track_v2 import Person
from connector.events.ulid import ULID_CHARACTERS, ulids_from_ids

_V2 = RequestKind.V2
_ACTION = "person.event"
_OPENING_BRACE = 0x7B
_LANE = b"id:"
_LANE_BYTES_MAX = len(_LANE) + ID_BYTES_MAX
_NAME_JSON_BYTES_MAX = EVENT_NAME_BYTES_MAX + 2
"""With its quotes. A name with escapes is longer as JSON than it counts, and then not plain."""

_CONTENT = (
    b'{"type":"person","action":"event","identifiers":{"id":%b},"name":%b,"attributes":%b,"timestamp":%d'
)
_WITH_TAIL = b'%b,"id":"%b"}'
_CONTENT_BYTES_MAX = OPERATION_BYTES_MAX - len(_WITH_TAIL % (b"", b"0" * ULID_CHARACTERS))


def plain_events(
    records: Sequence[Record], messages: Sequence[Any], headers: Sequence[EventHeaders], by_record_key: bool
) -> tuple[list[Event], list[int]]:
    """The events of those records in which all is plain, in order, and the places of the others.

    `messages` and `headers` are what the records were read as; without a message, a record is one of the others.
    """
    ids, contents, lanes, regions, others = _columns(messages, headers)
    if by_record_key or others or headers.count(NO_HEADERS) != len(headers):
        left_out = set(others)
        places = [place for place in range(len(records)) if place not in left_out]
        replayed: Iterable[bool] = [headers[place].replayed for place in places]
        if by_record_key:
            lanes = [key_lane(records[place], lane) for place, lane in zip(places, lanes, strict=True)]
    else:
        replayed = repeat(False)
    ulids = ulids_from_ids(ids)
    bodies = [_WITH_TAIL % (content, ulid.encode()) for content, ulid in zip(contents, ulids, strict=True)]
    digests = map(crc32, contents)
    events = map(
        Event,
        ids,
        ulids,
        digests,
        regions,
        repeat(_ACTION),
        bodies,
        lanes,
        repeat(b""),  # lane_secondary
        repeat(_V2),
        repeat(None),  # second
        repeat(None),  # identify_digest
        replayed,
    )
    return list(events), others


def _columns(
    messages: Sequence[Any], headers: Sequence[EventHeaders]
) -> tuple[list[str], list[bytes], list[bytes], list[str | None], list[int]]:
    """Of what is plain: event ids, contents (see `encode`), lanes, regions. And the places of all else."""
    ids: list[str] = []
    contents: list[bytes] = []
    lanes: list[bytes] = []
    regions: list[str | None] = []
    others: list[int] = []
    for place, message in enumerate(messages):
        if type(message) is Person:
            identifiers = message.identifiers
            if message.action != "event" or identifiers is None or len(identifiers) != 1:
                others.append(place)
                continue
            event_id, person_id, name = message.event_id, identifiers.get("id"), message.name
            name_json = _name_json(name) if name is not None and len(name) <= EVENT_NAME_BYTES_MAX else None
            attributes, seconds = bytes(message.attributes), message.timestamp
        elif type(message) is Track and message.event_id is None:
            event_id, person_id, name = message.message_id, message.user_id, message.event
            name_json = _track_json(name) if name is not None and len(name) <= EVENT_NAME_BYTES_MAX else None
            attributes, timestamp = bytes(message.properties), message.timestamp
            seconds = (common_iso_8601(timestamp) or _seconds(timestamp)) if type(timestamp) is str else None
            if type(person_id) is not str or "@" in person_id or person_id.startswith(CIO_ID_PREFIX):
                others.append(place)
                continue
        else:
            others.append(place)
            continue
        region = message.region
        if region is not None or headers[place] is not NO_HEADERS:
            region = _region(region, headers[place])
        if (
            name_json is None
            or type(event_id) is not str
            or type(person_id) is not str
            or type(seconds) is not int
            or not event_id
            or not person_id
            or event_id.isspace()
            or person_id.isspace()
            or not 0 < seconds < SECONDS_MAX
            or not attributes
            or attributes[0] != _OPENING_BRACE
            or len(lane := _LANE + person_id.encode()) > _LANE_BYTES_MAX
            or region == UNCLEAR
        ):
            others.append(place)
            continue
        content = _CONTENT % (encode_json(person_id), name_json, attributes, seconds)
        if len(content) > _CONTENT_BYTES_MAX:
            others.append(place)
            continue
        ids.append(event_id)
        contents.append(content)
        lanes.append(lane)
        regions.append(region)
    return ids, contents, lanes, regions, others


def _region(region: str | None, headers: EventHeaders) -> str | None:
    try:
        return region_said(region, headers)
    except RefusedError:
        return UNCLEAR


@lru_cache(1024)
def _name_json(name: str) -> bytes | None:
    """The JSON of an event's name, of which there are few; None where it takes a closer look."""
    json = encode_json(name)
    return None if name.isspace() or not name or len(json) > _NAME_JSON_BYTES_MAX else json


@lru_cache(1024)
def _track_json(name: str) -> bytes | None:
    """The same of a track call, where some names mean something else than an event."""
    name = name.strip()
    return None if name in SEMANTIC_EVENTS else _name_json(name)


def _seconds(timestamp: str) -> int | None:
    try:
        return unix_seconds(timestamp, "timestamp")
    except RefusedError:
        return None
