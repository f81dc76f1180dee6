"""What a record's headers say about its event."""

from typing import NamedTuple

from connector.events.record import Headers
from connector.events.refusal import RefusedError
from connector.events.ulid import is_ulid

EVENT_ID = "event_id"
CE_ID = "ce_id"
REGION = "region"
CONTENT_TYPE = "content-type"
REPLAY = "dead-letter.replay"
"""Set on a dead letter that was put back on its topic. Where the event has no id, so that its place stands in for it,
the header's value is the ULID of its first place: the new place must not make another event of it."""

_STRUCTURED_CLOUD_EVENT = b"application/cloudevents+json"


class EventHeaders(NamedTuple):
    """Headers that matter here. Of a repeated one the first counts; a null one is as good as absent."""

    event_id: bytes | None = None
    ce_id: bytes | None = None
    region: bytes | None = None
    replayed: bool = False
    replayed_ulid: str = ""
    is_cloud_event: bool = False
    """The value is a CloudEvent in structured mode, which wraps the event in `data`."""


NO_HEADERS = EventHeaders()
_NAMES = frozenset((EVENT_ID, CE_ID, REGION, CONTENT_TYPE, REPLAY))


def read_headers(headers: Headers | None) -> EventHeaders:
    """The headers that matter here; `NO_HEADERS` itself where there are none."""
    if not headers:
        return NO_HEADERS
    found: dict[str, bytes | None] = {}
    for name, value in headers:
        if name in _NAMES:
            found.setdefault(name, value)
    if not found:
        return NO_HEADERS
    content_type = found.get(CONTENT_TYPE)
    return EventHeaders(
        found.get(EVENT_ID),
        found.get(CE_ID),
        found.get(REGION),
        REPLAY in found,
        _replayed_ulid(found[REPLAY] or b"") if REPLAY in found else "",
        content_type is not None and _is_cloud_event(content_type),
    )


def _is_cloud_event(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == _STRUCTURED_CLOUD_EVENT


def _replayed_ulid(value: bytes) -> str:
    text = value.decode("ascii", "replace")
    return text.upper() if is_ulid(text) else ""


def header_text(value: bytes, name: str) -> str:
    """A header's value as text."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise RefusedError(f"header `{name}` is not UTF-8") from None
    if not text or text.isspace():
        raise RefusedError(f"header `{name}` is empty")
    return text
