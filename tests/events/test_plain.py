"""The short cut for plain events gives what the way through the vocabularies gives, byte for byte."""

from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import decode as decode_module
from connector.events.plain import plain_event
from connector.events.record import Headers
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
@given(track_v2() | calls(), st.none() | st.just([("region", b"EU"), ("event_id", b"h"), ("ce_id", b"c")]))
def test_both_ways_agree(value: Any, headers: Headers | None) -> None:
    _assert_agreement(value, headers=headers)
    _assert_agreement(value, headers=headers, key=b"k", lanes_key="record_key")


@pytest.mark.parametrize("size", [31_900, 32_100, 100_000])
def test_both_ways_agree_on_size(size: int) -> None:
    _assert_agreement(bought(attributes={"pad": "x" * size}))


@pytest.mark.parametrize(
    "headers", [[("dead-letter.replay", b"1")], [("region", b"")], [("event_id", b"\xff")]]
)
def test_both_ways_agree_on_headers(headers: Headers) -> None:
    _assert_agreement(bought(attributes={}), headers=headers)
    _assert_agreement(bought(attributes={}, region="EU"), headers=headers)


def _assert_agreement(value: Any, **how: Any) -> None:
    with patch.object(decode_module, "plain_event", return_value=None):
        careful = decode(value, **how)
    assert decode(value, **how) == careful


def _message(value: Any) -> Any:
    return _decode_message(msgspec.json.encode(value))
