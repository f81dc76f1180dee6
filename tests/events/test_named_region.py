"""Told without decoding, and never otherwise than by decoding."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events.decode import Decoder
from connector.events.event import Event
from connector.events.named_region import UNCLEAR, named_region
from connector.events.options import EventOptions
from connector.events.record import StoredRecord

decode = Decoder(EventOptions(), "identifier")
TRACK = {"type": "track", "userId": "42", "event": "Paid"}


def record(value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> StoredRecord:
    return StoredRecord("events", 0, 7, value, None, headers)


def event(**members: object) -> bytes:
    return msgspec.json.encode({**TRACK, **members})


@pytest.mark.parametrize(
    ("value", "headers", "region"),
    [
        (event(), [], None),
        (event(region=None), [], None),
        (event(region=" EU "), [("region", b"us")], "eu"),
        (event(), [("region", b"EU"), ("region", b"us")], "eu"),
        (event(), [("region", None)], None),
        (event(region=""), [], UNCLEAR),
        (event(region="  "), [], UNCLEAR),
        (event(), [("region", b" ")], UNCLEAR),
        (event(), [("region", b"\xff")], UNCLEAR),
        (event(region=7), [], UNCLEAR),
        (event(region="eu"), [("content-type", b"application/cloudevents+json")], UNCLEAR),
        (None, [], UNCLEAR),
        (b"", [], UNCLEAR),
        (b"{", [], UNCLEAR),
        (b"[" * 100_000, [], UNCLEAR),
        (b'{"a":' + b"[" * 100_000, [], UNCLEAR),
    ],
)
def test_the_region_is_told_or_it_is_unclear(
    value: bytes | None, headers: list[tuple[str, bytes | None]], region: str | None
) -> None:
    assert named_region(record(value, headers)) == region


_REGIONS = st.one_of(
    st.none(), st.sampled_from(["eu", "US", " eu\t", "", " ", "\u00a0", "\u0130", "é"]), st.integers()
)


@given(
    _REGIONS, st.one_of(st.just("absent"), st.binary(max_size=4), st.just(b"EU"), st.none()), st.booleans()
)
def test_what_is_told_is_what_decoding_finds(
    region: object, header: str | bytes | None, member: bool
) -> None:
    headers: list[tuple[str, bytes | None]] = [] if isinstance(header, str) else [("region", header)]
    told = record(event(region=region) if member else event(), headers)
    named, decoded = named_region(told), decode(told, "cluster", "")
    if named == UNCLEAR:
        assert not isinstance(decoded, Event)
    else:
        assert isinstance(decoded, Event) and decoded.region == named
