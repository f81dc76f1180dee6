"""Whatever the bytes of a record are: decoding never raises, and what is sent is valid."""

import json
from typing import Any, Literal

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.events.event import Event, Rejection, RequestKind
from connector.simulator.v1 import read_anonymous_event
from connector.simulator.v2 import read_operation
from tests.events.decoding import body_of, decode
from tests.events.generation import FRAGMENTS, calls, damaged, json_values, spoiled, track_v2

HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["event_id", "ce_id", "region", "content-type", "dead-letter.replay", "traceparent"]),
        st.none() | st.binary(max_size=30) | st.just(b"application/cloudevents+json"),
    ),
    max_size=3,
)
KEYS = st.none() | st.binary(max_size=10)
LANES: st.SearchStrategy[Literal["identifier", "record_key"]] = st.sampled_from(["identifier", "record_key"])


@settings(max_examples=500)
@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(b"".join)
    | json_values.map(msgspec.json.encode)
    | damaged(track_v2() | calls()),
    HEADERS,
    KEYS,
    LANES,
)
@example(b'{"type":"track"', [], None, "identifier")
def test_decoding_never_raises_and_what_is_sent_is_json_in_utf8(
    value: bytes, headers: Any, key: bytes | None, lanes_key: Literal["identifier", "record_key"]
) -> None:
    decoded = decode(value, headers=headers, key=key, lanes_key=lanes_key)
    if isinstance(decoded, Rejection):
        assert decoded.message
        return
    assert isinstance(decoded, Event)
    assert len(decoded.ulid) == 26
    assert decoded.lane
    assert decoded.lane != decoded.lane_secondary
    for operation in decoded.operations:
        assert isinstance(body_of(operation), dict)


@settings(max_examples=500)
@given(spoiled(track_v2() | calls()) | track_v2() | calls(), st.sampled_from([-1, 0, 999, 1_764_000_000_000]))
def test_what_is_sent_keeps_every_rule_of_the_api(value: Any, timestamp_ms: int) -> None:
    """By the judgement of the stand-in, which refuses what the reference does not name."""
    decoded = decode(value, timestamp_ms=timestamp_ms)
    for operation in decoded.operations if isinstance(decoded, Event) else ():
        body = body_of(operation)
        if decoded.kind is RequestKind.V1_EVENTS:
            read_anonymous_event(body)
            assert body["anonymous_id"]
        else:
            assert read_operation(body).action == operation.action


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=5))
def test_attributes_arrive_as_they_were(attributes: dict[str, Any]) -> None:
    value = {"type": "person", "action": "event", "identifiers": {"id": "42"}, "name": "n"}
    for escaped in (False, True):
        written = json.dumps({**value, "attributes": attributes}, ensure_ascii=escaped).encode()
        decoded = decode(written)
        assert isinstance(decoded, Event)
        assert body_of(decoded)["attributes"] == attributes
