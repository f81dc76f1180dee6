"""Digests tell content from what comes with the record: a duplicate from a conflict, a changed person from the same."""

import json
from typing import Any

import pytest

from tests.events.decoding import TIMESTAMP, bought, call, company, event, person, track, without

DEVICE = {"token": "t-1", "platform": "ios"}


@pytest.mark.parametrize(
    "value",
    [
        bought(attributes={"a": 1}),
        without(bought(), "timestamp"),
        without(bought(), "event_id"),
        bought(identifiers={"anonymous_id": "a-1"}, timestamp=None),
        person("identify", attributes={"a": 1}),
        person("add_device", device=DEVICE),
        company("identify", attributes={"a": 1}),
        track("x"),
        without(call("page", name="x"), "timestamp"),
        without(track("Application Opened", context={"device": {"token": "t", "type": "ios"}}), "timestamp"),
    ],
)
def test_resend_of_the_same_event_has_the_same_digest(value: dict[str, Any]) -> None:
    resend = {**value, "sentAt": "2030-01-01T00:00:00Z", "receivedAt": "2030-01-01T00:00:00Z"}
    decoded = event(resend, timestamp_ms=1_900_000_000_000, offset=99, headers=[("traceparent", b"00-1")])
    assert decoded.digest == event(value).digest
    assert decoded.digest == event(value, timestamp_ms=-1).digest


def test_digest_is_fixed() -> None:
    """CRC-32 of what is sent, less the ULID and what the record adds."""
    assert event(bought(attributes={"total": 1})).digest == 59_301_386
    assert event(person("identify", attributes={"total": 1})).digest == 2_392_763_911


def test_same_moment_written_differently_is_the_same_content() -> None:
    for timestamp in (TIMESTAMP * 1000, str(TIMESTAMP), "2025-11-24T16:00:00Z"):
        assert event(bought(timestamp=timestamp)).digest == event(bought()).digest


@pytest.mark.parametrize(
    "change",
    [
        {"attributes": {"total": 2}},
        {"attributes": None},
        {"timestamp": TIMESTAMP + 1},
        {"timestamp": None},
        {"name": "sold"},
        {"identifiers": {"id": "43"}},
        {"identifiers": {"email": "42"}},
        {"identifiers": {"anonymous_id": "42"}},
        {"action": "page"},
    ],
)
def test_other_content_has_another_digest(change: dict[str, Any]) -> None:
    value = bought(attributes={"total": 1})
    assert event({**value, **change}).digest != event(value).digest


def test_each_operation_of_a_call_counts() -> None:
    def opened(token: str, version: int) -> int:
        context = {"device": {"token": token, "type": "ios"}}
        return event(track("Application Opened", context=context, properties={"version": version})).digest

    assert len({opened("t", 1), opened("u", 1), opened("t", 2)}) == 3


class TestIdentifyDigest:
    @pytest.mark.parametrize(
        "value",
        [
            bought(),
            person("delete"),
            person("add_device", device=DEVICE),
            company("identify"),
            track("x"),
            call("group", groupId="a"),
        ],
    )
    def test_nothing_but_a_persons_identify_has_one(self, value: Any) -> None:
        assert event(value).identify_digest is None

    @pytest.mark.parametrize(
        "attributes", [b'{"_update":true}', b'{"a":1, "_update" : true}', rb'{"\u005fupdate":true}']
    )
    def test_update_of_existing_people_has_none(self, attributes: bytes) -> None:
        value = (
            b'{"type":"person","action":"identify","identifiers":{"id":"42"},"attributes":%b}' % attributes
        )
        assert event(value).identify_digest is None
        value = b'{"type":"identify","userId":"42","traits":%b}' % attributes
        assert event(value).identify_digest is None

    def test_what_only_looks_like_an_update_has_one(self) -> None:
        for attributes in ({"name": "Zo\u00e9", "note": "_update"}, {"nested": {"_update": True}}):
            value = json.dumps(person("identify", attributes=attributes)).encode()
            assert event(value).identify_digest is not None

    def test_timestamp_and_event_id_do_not_count(self) -> None:
        value = person("identify", attributes={"plan": "pro"}, timestamp=1, event_id="a")
        later = {**value, "timestamp": 2, "event_id": "b"}
        assert event(value).identify_digest == event(later).identify_digest is not None
        assert event(without(value, "timestamp")).identify_digest == event(value).identify_digest

    @pytest.mark.parametrize(
        "change",
        [
            {"attributes": {"plan": "basic"}},
            {"attributes": None},
            {"identifiers": {"id": "43"}},
            {"identifiers": {"email": "42"}},
            {"cio_relationships": [{"identifiers": {"cio_object_id": "o"}}]},
        ],
    )
    def test_identifiers_attributes_and_relationships_count(self, change: dict[str, Any]) -> None:
        value = person("identify", attributes={"plan": "pro"})
        assert event({**value, **change}).identify_digest != event(value).identify_digest

    def test_segment_identify(self) -> None:
        value = call("identify", traits={"plan": "pro"})
        assert event(value).identify_digest == event({**value, "timestamp": TIMESTAMP + 9}).identify_digest
        assert event(value).identify_digest != event({**value, "anonymousId": "a-1"}).identify_digest
