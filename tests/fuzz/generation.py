"""Strategies of hostile records: from bytes that are no JSON to events in which one value is beyond all bounds."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.events.generation import FRAGMENTS, calls, damaged, json_values, spoiled, track_v2
from tests.fuzz.case import Case, Hostile

LENGTHS = (100, 101, 150, 151, 1_001, 31_900, 32_000, 100_001)
"""At Customer.io's limits and one beyond."""
TEXTS = [
    *(b'"%b"' % (b"x" * length) for length in LENGTHS),
    '"{}"'.format("é" * 76).encode(),
    *(rb'"\ud800"', rb'"\udc00"', rb'"\ud83d\ude00"', rb'"\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"'),
    *('"\u2028"'.encode(), '"\ufeff"'.encode(), b'""', b'" "', rb'"\n"', '"\u200b"'.encode()),
]
BEYOND_BOUNDS = [
    *(b"[" * depth + b"]" * depth for depth in (490, 501, 980, 993, 3_000)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (490, 501, 990)),
    b"[" + b"{}," * 600 + b"0]",
    *(b"1" * digits for digits in (19, 20, 21, 400, 4_299, 4_301)),
    *(
        b"1e999",
        b"-1e999",
        b"1e-999999",
        b"-0",
        b"-0.0",
        b"NaN",
        b"Infinity",
        b"01",
        b"1" + b"0" * 400 + b".5",
    ),
    *TEXTS,
    *(b'{"a":1,"a":2}', b'{"_update":1}', b'{"_update":true}', b'{"":{}}', b'{"id":"1","id":"2"}'),
    *(b"null", b"true", b"[]", b"{}", b'["x"]', b"-1", b"0"),
]
MEGABYTE = b'"%b"' % (b"i" * 1_000_000)
_PLACEHOLDER = "\u0001placeholder"
_WRITTEN_PLACEHOLDER = msgspec.json.encode(_PLACEHOLDER)


@st.composite
def with_value_beyond_bounds(draw: st.DrawFn) -> bytes:
    """An event in which one member, at any depth, has such a value, or comes twice."""
    document = draw(track_v2() | calls())
    target: dict[str, Any] = document
    while True:
        name = draw(st.sampled_from(sorted(target)))
        inner = target[name]
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if not isinstance(inner, dict) or not inner or draw(st.booleans()):
            break
        target = inner
    values = TEXTS if isinstance(target[name], str) else BEYOND_BOUNDS
    if draw(st.integers(0, 3)):
        target[name] = _PLACEHOLDER
    else:
        target[draw(st.sampled_from(["id", "type", "event_id", "timestamp", "x"]))] = _PLACEHOLDER
    json = msgspec.json.encode(document)
    if draw(st.integers(0, 9)) == 0:  # a member of the same name before it: the last one counts
        json = (
            b"{" + msgspec.json.encode(name) + b":" + draw(st.sampled_from(BEYOND_BOUNDS)) + b"," + json[1:]
        )
    value = MEGABYTE if draw(st.integers(0, 39)) == 0 else draw(st.sampled_from(values))
    return json.replace(_WRITTEN_PLACEHOLDER, value)


@st.composite
def _with_id(draw: st.DrawFn) -> bytes:
    """Events whose ids come again, with the same content or another."""
    document = draw(track_v2() | calls())
    id_ = draw(st.sampled_from(["a", "b"]))
    document["event_id"] = id_
    if "messageId" in document:
        document["messageId"] = id_
    return msgspec.json.encode(document)


@st.composite
def _cloud_event(draw: st.DrawFn, values: st.SearchStrategy[bytes]) -> bytes:
    return b'{"specversion":"1.0","id":%b,"data":%b}' % (
        draw(st.sampled_from([b'"c"', b"7", b"null", b"{}", b'""'])),
        draw(values),
    )


_events = (track_v2() | calls()).map(msgspec.json.encode)
_values = st.one_of(
    _events,
    _with_id(),
    with_value_beyond_bounds(),
    with_value_beyond_bounds(),
    spoiled(track_v2() | calls()).map(msgspec.json.encode),
    damaged(track_v2() | calls()),
    _cloud_event(_events | with_value_beyond_bounds()),
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(b"".join),
    json_values.map(msgspec.json.encode),
    st.binary(max_size=200),
)
_header_names = st.sampled_from(
    [
        *("event_id", "ce_id", "region", "content-type", "traceparent", "tracestate", "", "\ufffd", "a\nb"),
        *(f"dead-letter.{name}" for name in ("reason", "message", "topic", "partition", "offset")),
        *(f"dead-letter.{name}" for name in ("timestamp", "attempts", "truncated", "replay")),
        "x" * 1_000,
    ]
) | st.text(st.characters(codec="utf-8"), max_size=8)
_header_values = (
    st.none()
    | st.binary(max_size=30)
    | st.sampled_from(
        [
            *(
                b"application/cloudevents+json",
                b"application/cloudevents+json; charset=x",
                b"us",
                b" EU ",
                b"a",
            ),
            *(b"", b" ", b"\xff" * 26, b"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", b"line\r\nbreak", b"\x00", b"-1"),
            *(b"9" * 19, b"0", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01", b"x" * 10_000),
            b"00-" + b"a" * 32 + b"-" + b"1" * 16 + b"-01",
            b"vendor=value," * 60,
        ]
    )
)
_headers = st.lists(st.tuples(_header_names, _header_values), max_size=4)
_cloud_headers = _headers.map(lambda headers: [("content-type", b"application/cloudevents+json"), *headers])

records = st.builds(
    Hostile,
    st.none() | _values | _values | _values | _values,
    st.none() | st.binary(max_size=10) | st.just(b"k" * 10_000),
    _headers | _cloud_headers | st.just([]),
    st.sampled_from([-1, 0, 999, 1_764_000_000_000, 2**62]),
)
_beyond_bounds = with_value_beyond_bounds().map(Hostile)
cases = st.builds(
    Case,
    st.tuples(_beyond_bounds)
    | st.lists(records, min_size=1, max_size=3).map(tuple),  # larger ones are drawn in vain
    st.integers(0, 2**20),
)
