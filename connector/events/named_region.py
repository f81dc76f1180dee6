"""The region that a record names. It is told without decoding the rest, too: the other regions' groups pass over it."""

import msgspec

from connector.events.headers import REGION, EventHeaders, header_text, read_headers
from connector.events.identifiers import text_of
from connector.events.record import Record
from connector.events.refusal import RefusedError

UNCLEAR = ""
"""It takes a closer look. No region has an empty name."""


class _Named(msgspec.Struct):
    region: str | None = None


_read = msgspec.json.Decoder(_Named).decode


def region_said(region: str | None, headers: EventHeaders) -> str | None:
    """The region that an event or its header names. An empty one is not taken for none: it would go to a default.
    Raises `RefusedError`."""
    if region is not None:
        return text_of(region, "region").strip().lower()
    if headers.region is not None:
        return header_text(headers.region, REGION).strip().lower()
    return None


def named_region(record: Record) -> str | None:
    """What `decode` would find in the event or its headers; None: neither names one. `UNCLEAR` for all that cannot be
    read, and for an event within a CloudEvent."""
    value = record.value()
    if value is None:
        return UNCLEAR
    try:
        headers = read_headers(record.headers())
        return UNCLEAR if headers.is_cloud_event else region_said(_read(value).region, headers)
    except (msgspec.DecodeError, RefusedError, RecursionError, UnicodeDecodeError):
        return UNCLEAR
