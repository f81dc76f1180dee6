"""The short cut for plain events gives what the way through the vocabularies gives, byte for byte."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from connector.events import decode as decode_module
from connector.events.event import Event
from connector.events.plain import plain_event
from tests.events.decoding import TIMESTAMP, bought, decode, track, without
from tests.events.generation import calls, track_v2

_decode_message = decode_module._decode_message


@pytest.mark.parametrize(
    "value",
    [
        bought(attributes={"a": 1}),
        track("x", timestamp="2025-11-24T16:00:00.123Z", properties={"a": 1}),
    ],
)
def test_commonest_events_are_plain(value: Any) -> None:
    assert plain_event(_message(value)) is not None


@pytest.mark.parametrize(
    "value",
    [
        bought(),
        bought(attributes=None),
        bought(attributes={}, action="page"),
        bought(attributes={}, region="eu"),
        bought(attributes={}, timestamp=None),
        bought(attributes={}, timestamp=TIMESTAMP * 1000),
        bought(attributes={}, identifiers={"email": "a@b.example"}),
        bought(attributes={}, identifiers={"id": 42}),
        bought(attributes={}, event_id=" "),
        without(bought(attributes={}), "event_id"),
        track("User Deleted", timestamp="2025-11-24", properties={}),
        track("x", timestamp="2025-11-24", properties={}, userId="a@b.example"),
        track("x", timestamp="2025-11-24", properties={}, userId="cio_a3"),
        track("x", timestamp="2025-11-24", properties={}, event_id="e"),
        track("x", timestamp="soon", properties={}),
    ],
)
def test_anything_else_is_not(value: Any) -> None:
    assert plain_event(_message(value)) is None


@settings(max_examples=300)
@given(track_v2() | calls())
def test_both_ways_agree(value: Any) -> None:
    # A header that says nothing leads past the short cut.
    past = decode(value, headers=[("content-type", b"application/json")])
    assert decode(value) == past
    if isinstance(past, Event):
        assert decode(value, key=b"k", lanes_key="record_key") == decode(
            value, key=b"k", lanes_key="record_key", headers=[("content-type", b"application/json")]
        )


@pytest.mark.parametrize("size", [31_900, 32_100, 100_000])
def test_both_ways_agree_on_size(size: int) -> None:
    value = bought(attributes={"pad": "x" * size})
    past = decode(value, headers=[("content-type", b"application/json")])
    assert decode(value) == past


def _message(value: Any) -> Any:
    return _decode_message(msgspec.json.encode(value))
