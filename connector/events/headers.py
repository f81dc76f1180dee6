"""What a record's headers say about its event."""

from typing import NamedTuple

from connector.events.record import Headers
from connector.events.refusal import RefusedError

EVENT_ID = "event_id"
CE_ID = "ce_id"
REGION = "region"
CONTENT_TYPE = "content-type"
REPLAY = "dead-letter.replay"
"""Set on a dead letter that was put back on its topic."""

_STRUCTURED_CLOUD_EVENT = b"application/cloudevents+json"


class EventHeaders(NamedTuple):
    """Headers that matter here. Of a repeated one the first counts; a null one is as good as absent."""

    event_id: bytes | None = None
    ce_id: bytes | None = None
    region: bytes | None = None
    replayed: bool = False
    is_cloud_event: bool = False
    """The value is a CloudEvent in structured mode, which wraps the event in `data`."""


NO_HEADERS = EventHeaders()


def read_headers(headers: Headers | None) -> EventHeaders:
    """The headers that matter here."""
    if not headers:
        return NO_HEADERS
    found: dict[str, bytes | None] = {}
    for name, value in headers:
        if name not in found:
            found[name] = value
    content_type = found.get(CONTENT_TYPE) or b""
    return EventHeaders(
        event_id=found.get(EVENT_ID),
        ce_id=found.get(CE_ID),
        region=found.get(REGION),
        replayed=REPLAY in found,
        is_cloud_event=content_type.partition(b";")[0].strip().lower() == _STRUCTURED_CLOUD_EVENT,
    )


def header_text(value: bytes, name: str) -> str:
    """A header's value as text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise RefusedError(f"header `{name}` is not UTF-8") from None
