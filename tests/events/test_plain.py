"""The short cut for plain events gives what the way through the vocabularies gives, byte for byte."""

from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events.decode import Decoder, _decode_message
from connector.events.headers import NO_HEADERS
from connector.events.options import EventOptions
from connector.events.plain import plain_events
from connector.events.record import Headers, StoredRecord
from tests.events.decoding import TIMESTAMP, bought, track, without
from tests.events.generation import calls, track_v2


@pytest.mark.parametrize(
    "value",
    [
        bought(attributes={"a": 1}),
        track("x", timestamp="2025-11-24T16:00:00.123Z", properties={"a": 1}),
    ],
)
def test_commonest_events_are_plain(value: Any) -> None:
    assert _is_plain(value)


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
    assert not _is_plain(value)


@settings(max_examples=300)
@given(track_v2() | calls(), st.none() | st.just([("region", b"EU"), ("event_id", b"h"), ("ce_id", b"c")]))
def test_both_ways_agree(value: Any, headers: Headers | None) -> None:
    _assert_agreement(value, headers)


@pytest.mark.parametrize("size", [31_800, *range(31_830, 31_860), 31_900, 32_100, 100_000])
def test_both_ways_agree_on_size(size: int) -> None:
    _assert_agreement(bought(attributes={"pad": "x" * size}))


@pytest.mark.parametrize(
    "headers",
    [
        [("dead-letter.replay", b"1")],
        [("region", b"")],
        [("region", b" EU")],
        [("event_id", b"\xff")],
        [("content-type", b"application/cloudevents+json")],
        [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
    ],
)
def test_both_ways_agree_on_headers(headers: Headers) -> None:
    _assert_agreement(bought(attributes={}), headers)
    _assert_agreement(bought(attributes={}, region="EU"), headers)
    _assert_agreement(bought(attributes={}, region=" "), headers)


@pytest.mark.parametrize(
    "timestamp", ["2026-10-09T08:07:06.123Z", "2026-10-09T08:07:06Z", "2026-10-09T08:07:60Z"]
)
def test_both_ways_agree_on_timestamps(timestamp: str) -> None:
    _assert_agreement(track("x", properties={}, timestamp=timestamp))


@pytest.mark.parametrize(
    "name", ["x" * 100, "x" * 101, "\u00e9" * 50, "\u00e9" * 51, '"' * 100, " padded ", "Product Viewed"]
)
def test_both_ways_agree_on_names(name: str) -> None:
    _assert_agreement(bought(attributes={}, name=name))
    _assert_agreement(track(name, properties={}, timestamp="2026-10-09T08:07:06.123Z"))


@pytest.mark.parametrize("event_id", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav", "x" * 26])
def test_both_ways_agree_on_event_ids(event_id: str) -> None:
    _assert_agreement(bought(attributes={}, event_id=event_id))


OTHERS = [
    msgspec.json.encode(bought(attributes={"a": "\u00e9" * 600})),
    None,
    b"",
    b"  ",
    b"{",
    b'"',
    b"\xff",
    b'{"type":"person","action":"event","name":"\xff"}',
    b"[" * 3000,
]


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(OTHERS) | st.builds(msgspec.json.encode, track_v2() | calls()), max_size=10),
    st.sampled_from(["identifier", "record_key"]),
)
def test_records_together_are_what_each_is_alone(
    values: list[bytes | None], lanes_key: Literal["identifier", "record_key"]
) -> None:
    plain = msgspec.json.encode(bought(attributes={}))
    records = [
        StoredRecord("events", 0, offset, value, b"k" if offset % 2 else None)
        for offset, value in enumerate([plain, *values, plain])
    ]
    decode = Decoder(EventOptions(), lanes_key)
    assert decode.many(records, "cluster") == [decode(record, "cluster") for record in records]


def _assert_agreement(value: Any, headers: Headers | None = None) -> None:
    record = StoredRecord("events", 0, 7, msgspec.json.encode(value), b"k", headers, TIMESTAMP * 1000)
    for lanes_key in ("identifier", "record_key"):
        decode = Decoder(EventOptions(), lanes_key)
        assert decode.many([record], "cluster") == [decode(record, "cluster")]


def _is_plain(value: Any) -> bool:
    json = msgspec.json.encode(value)
    record = StoredRecord("events", 0, 7, json)
    events, others = plain_events([record], [_decode_message(json)], [NO_HEADERS], by_record_key=False)
    return len(events) == 1 and not others
