"""The region that a record names, told without decoding the rest: the other regions' groups pass over the record."""

import msgspec

from connector.events.headers import NO_HEADERS, REGION, header_text, read_headers
from connector.events.record import Record
from connector.events.refusal import RefusedError

UNCLEAR = ""
"""It takes a closer look. No region has an empty name."""


class _Named(msgspec.Struct):
    region: str | None = None


_read = msgspec.json.Decoder(_Named).decode


def named_region(record: Record) -> str | None:
    """What `decode` would find in the event or its headers; None: neither names one. `UNCLEAR` for all that cannot be
    read, and for an event within a CloudEvent."""
    value = record.value()
    if value is None:
        return UNCLEAR
    try:
        named = record.headers()
        headers = read_headers(named) if named else NO_HEADERS
        region = UNCLEAR if headers.is_cloud_event else _read(value).region
        if region is None and headers.region is not None:
            region = header_text(headers.region, REGION)
    except (msgspec.DecodeError, RefusedError, RecursionError, UnicodeDecodeError):
        return UNCLEAR
    return region if region is None else region.strip().lower()
