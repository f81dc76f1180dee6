"""What a record turns into, whatever its bytes are."""

import json
from typing import Any

import pytest
from confluent_kafka import Message

from connector.events.decode import Decoder
from connector.events.event import TOMBSTONE, Event, Reason, Rejection
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from tests.events.decoding import (
    RECORD_TIMESTAMP,
    RECORD_TIMESTAMP_MS,
    TIMESTAMP,
    bought,
    call,
    company,
    decode,
    event,
    operation,
    person,
    refused,
    sent,
    track,
    without,
)

SECRET = "s3cr3t-value"


def test_null_value_is_a_tombstone_and_never_a_delete() -> None:
    assert decode(None) is TOMBSTONE
    assert decode(None, key=b"42", headers=[("region", b"\xff")]) is TOMBSTONE


@pytest.mark.parametrize("value", [b"", b" ", b"\r\n\t "])
def test_empty_value(value: bytes) -> None:
    assert refused(value, Reason.EMPTY) == "the value is empty"


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"not json",
        b"\x00\x00\x00\x00\x01{}",  # Confluent's wire format
        b'\xef\xbb\xbf{"type":"track"}',
        b'{"type":"track"} x',
        b"{'type':'track'}",
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":NaN}}',
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":01}}',
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":1,}}',
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":"\x01"}}',
    ],
)
def test_value_that_is_no_json(value: bytes) -> None:
    assert refused(value, Reason.UNDECODABLE)


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"])
def test_value_that_is_no_utf8(bad: bytes) -> None:
    """Wherever it stands: msgspec does not look into what passes through raw."""
    for template in (
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":"%b"}}',
        b'{"type":"person","action":"event","identifiers":{"id":"%b"},"name":"n"}',
        b'{"type":"track","userId":"42","event":"x","properties":{"%b":1}}',
        b'{"type":"track","userId":"42","event":"x","context":{"page":"%b"}}',
    ):
        message = refused(template % bad, Reason.UNDECODABLE)
        assert message == f"the value is not UTF-8 (byte {template.index(b'%b')})"


@pytest.mark.parametrize("lone", [rb"\ud800", rb"\udc00", rb"\ud83d\u0041", rb"\ude00\ud83d"])
def test_half_a_surrogate_pair_is_no_text(lone: bytes) -> None:
    for template in (
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":"%b"},"x":"      "}',
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"%b","x":"      "}',
    ):
        refused(template % lone, Reason.UNDECODABLE)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused_not_a_crash(opening: bytes, closing: bytes) -> None:
    nested = opening * 100_000 + b"1" + closing * 100_000
    for template in (
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":{"a":%b}}',
        b'{"type":"track","userId":"42","event":"x","context":{"a":%b}}',
        b'{"type":"delivery","action":"event","x":%b}',
    ):
        message = refused(template % nested, Reason.UNDECODABLE)
        assert message == "the value is nested too deeply: more than 500 levels"


def test_nesting_of_a_hundred_levels_is_sent() -> None:
    attributes: Any = {}
    for _ in range(100):
        attributes = {"a": [attributes]}
    assert sent(bought(attributes=attributes))["attributes"] == attributes


@pytest.mark.parametrize("value", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_value_other_than_an_object_is_invalid(value: bytes) -> None:
    assert refused(value).startswith("Expected `object`, got ")


@pytest.mark.parametrize("number", [b"9" * 30, b"9" * 5_000, b"-1", b"1e400", b"-1e5"])
def test_extreme_numbers(number: bytes) -> None:
    for field in (b"timestamp", b"event_id"):
        value = b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","%b":%b}' % (
            field,
            number,
        )
        assert isinstance(decode(value), Event | Rejection)
    value = b'{"type":"group","groupId":"a","traits":{"objectTypeId":%b}}' % number
    assert isinstance(decode(value), Event | Rejection)
    assert isinstance(decode(b'{"type":"identify","userId":"1","traits":{"createdAt":%b}}' % number), Event)


class TestRecordTimestamp:
    def test_stands_in_for_a_missing_one(self) -> None:
        for value in (without(bought(), "timestamp"), bought(timestamp=None), person("identify")):
            assert sent(value)["timestamp"] == RECORD_TIMESTAMP

    def test_does_not_replace_the_events_own(self) -> None:
        assert sent(bought())["timestamp"] == TIMESTAMP

    def test_of_minus_one_is_none(self) -> None:
        assert "timestamp" not in sent(bought(timestamp=None), timestamp_ms=-1)
        assert "timestamp" not in sent(person("identify"), timestamp_ms=-1)

    def test_may_be_switched_off(self) -> None:
        assert "timestamp" not in sent(bought(timestamp=None), options=EventOptions(record_timestamp=False))

    def test_stays_away_from_what_has_none(self) -> None:
        for value in (
            person("delete"),
            person("suppress"),
            company("identify"),
            call("alias", previousId="1"),
        ):
            assert "timestamp" not in sent(value)


@pytest.mark.parametrize(
    "value",
    [
        {"type": SECRET},
        bought(timestamp=SECRET),
        bought(identifiers={SECRET: "1"}),
        bought(identifiers={"id": {"a": SECRET}}),
        bought(identifiers={"id": SECRET * 20}),
        bought(name=SECRET * 20),
        bought(attributes=SECRET),
        bought(attributes=[SECRET]),
        bought(attributes={"a": SECRET * 5_000}),
        person(SECRET),
        person("add_device", device={"token": SECRET, "platform": SECRET}),
        person("add_device", device={"token": SECRET, "platform": "ios", "attributes": {SECRET: [SECRET]}}),
        person("identify", cio_relationships=[{"identifiers": {"id": SECRET}}]),
        person("identify", cio_relationships=[{"identifiers": {"object_type_id": SECRET, "object_id": "a"}}]),
        company("identify", cio_relationships={SECRET: SECRET}),
        {"type": "person", "action": "merge", "primary": {"id": SECRET}, "secondary": {"id": SECRET}},
        {"type": "delivery", "action": SECRET},
        call("identify", userId=None, traits={"email": SECRET}),
        call("group", groupId="a", traits={"objectTypeId": SECRET}),
        call("alias", userId=SECRET, previousId=SECRET),
        track("Report Delivery Event", properties={"deliveryId": SECRET, "metric": SECRET}),
        track("Device Created or Updated", context={"device": {"token": SECRET, "type": SECRET}}),
        f'{{"type":"track","{SECRET}":{SECRET}}}'.encode(),
        f'{{"type":"track","{SECRET}":"'.encode() + b"\xff",
    ],
)
def test_messages_never_hold_values(value: Any) -> None:
    decoded = decode(value)
    assert isinstance(decoded, Rejection)
    assert SECRET not in decoded.message
    assert 0 < len(decoded.message) < 300


def test_kafkas_own_messages_are_read() -> None:
    value = json.dumps(bought(timestamp=None)).encode()
    message = Message(
        topic="events", partition=3, offset=7, key=b"42", value=value, headers=[("region", b"eu")],
        timestamp=(1, RECORD_TIMESTAMP_MS),
    )  # fmt: skip
    stored = StoredRecord("events", 3, 7, value, b"42", [("region", b"eu")], RECORD_TIMESTAMP_MS)
    decoder = Decoder(EventOptions(), "record_key")
    decoded = decoder(message, "cluster")
    assert decoded == decoder(stored, "cluster")
    assert isinstance(decoded, Event)
    assert decoded.lane == b"key:42"


def test_same_bytes_give_the_same_operations_each_time() -> None:
    assert event(track("x", properties={"a": 1})) == event(track("x", properties={"a": 1}))
    assert operation(bought()).body == operation(bought()).body


def test_a_record_timestamp_that_is_no_milliseconds_is_none() -> None:
    """Of publishers that write nanoseconds: Customer.io would take the present for it."""
    assert sent(person("identify"), timestamp_ms=99_999_999_999_999)["timestamp"] == 99_999_999_999
    assert "timestamp" not in sent(person("identify"), timestamp_ms=100_000_000_000_000)
    assert "timestamp" not in sent(person("identify"), timestamp_ms=1_764_000_000_000_000_000)
