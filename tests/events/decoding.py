"""Short ways to decode in tests."""

import json
from typing import Any, Literal

import msgspec

from connector.events.decode import Decoder
from connector.events.event import Event, Operation, Reason, Rejection, Tombstone
from connector.events.options import EventOptions, SegmentOptions
from connector.events.record import Headers, StoredRecord

TIMESTAMP = 1_764_000_000
RECORD_TIMESTAMP_MS = 1_765_000_000_999
RECORD_TIMESTAMP = RECORD_TIMESTAMP_MS // 1000


def decode(
    value: Any,
    *,
    key: bytes | None = None,
    headers: Headers | None = None,
    timestamp_ms: int = RECORD_TIMESTAMP_MS,
    offset: int = 7,
    ulid: str = "",
    lanes_key: Literal["identifier", "record_key"] = "identifier",
    options: EventOptions | None = None,
    **segment: Any,
) -> Event | Rejection | Tombstone:
    """`value` is bytes, or what is written as JSON. `segment` are options of the Segment vocabulary."""
    if value is not None and not isinstance(value, bytes):
        value = msgspec.json.encode(value)
    options = options or EventOptions(segment=SegmentOptions(**segment))
    record = StoredRecord("events", 3, offset, value, key, headers, timestamp_ms)
    return Decoder(options, lanes_key)(record, "cluster", ulid)


def event(value: Any, **how: Any) -> Event:
    decoded = decode(value, **how)
    assert isinstance(decoded, Event), decoded
    return decoded


def operation(value: Any, **how: Any) -> Event:
    """An event of one operation, which stands in it."""
    decoded = event(value, **how)
    assert decoded.second is None
    return decoded


def sent(value: Any, **how: Any) -> Any:
    """The body of the one operation, read as strict JSON."""
    return body_of(operation(value, **how))


def body_of(operation: Operation | Event) -> Any:
    return json.loads(operation.body.decode(), parse_constant=_refuse_constant)


def refused(value: Any, reason: Reason = Reason.INVALID, **how: Any) -> str:
    """The message of a rejection for this reason."""
    decoded = decode(value, **how)
    assert isinstance(decoded, Rejection), decoded
    assert decoded.reason is reason, decoded
    return decoded.message


def person(action: str, **fields: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": {"id": "42"}, **fields}


def company(action: str, **fields: Any) -> dict[str, Any]:
    identifiers = {"object_type_id": "1", "object_id": "acme"}
    return {"type": "object", "action": action, "identifiers": identifiers, **fields}


def bought(**fields: Any) -> dict[str, Any]:
    return {**person("event", event_id="e-1", name="bought", timestamp=TIMESTAMP), **fields}


def call(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "messageId": "m-1", "userId": "42", "timestamp": TIMESTAMP, **fields}


def track(name: str, **fields: Any) -> dict[str, Any]:
    return call("track", event=name, **fields)


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
