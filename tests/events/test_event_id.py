"""Where the event id, the region and the replay come from: the event, its headers, a CloudEvent around it."""

from typing import Any

import pytest

from connector.events.event import Reason
from connector.events.ulid import ulid_from_id, ulid_from_place
from tests.events.decoding import (
    RECORD_TIMESTAMP_MS,
    body_of,
    bought,
    call,
    event,
    person,
    refused,
    track,
    without,
)

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
CLOUD_EVENT = [("content-type", b"application/cloudevents+json; charset=utf-8")]


class TestOrderOfIds:
    """event_id or messageId, then the header event_id, then ce_id, then the id of v2."""

    @pytest.mark.parametrize(
        ("fields", "headers", "expected"),
        [
            ({"event_id": "a", "id": "d"}, [("event_id", b"b"), ("ce_id", b"c")], "a"),
            ({"id": "d"}, [("ce_id", b"c"), ("event_id", b"b")], "b"),
            ({"id": "d"}, [("ce_id", b"c")], "c"),
            ({"id": "d"}, [("other", b"x")], "d"),
            ({"id": ULID}, None, ULID),
            ({}, None, None),
            ({"event_id": None, "id": None}, [("event_id", None)], None),
        ],
    )
    def test_of_a_v2_event(self, fields: Any, headers: Any, expected: str | None) -> None:
        decoded = event(without(bought(), "event_id") | fields, headers=headers)
        assert decoded.id == expected

    def test_of_a_segment_call(self) -> None:
        headers = [("event_id", b"h")]
        assert event(track("x"), headers=headers).id == "m-1"
        assert event(track("x", event_id="e-1"), headers=headers).id == "e-1"
        assert event(track("x", messageId=None), headers=headers).id == "h"
        assert event(track("x", messageId=17)).id == "17"

    def test_of_a_v2_operation_other_than_an_event(self) -> None:
        """There `id` is no event id: a person's id there would make duplicates of all that person's identifies."""
        assert event(person("identify", id="42")).id is None

    def test_first_of_repeated_headers_counts(self) -> None:
        headers = [("event_id", b"a"), ("event_id", b"b")]
        assert event(person("delete"), headers=headers).id == "a"


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_empty_event_ids_are_refused(empty: str) -> None:
    """They would make one event of many."""
    assert refused(bought(event_id=empty)) == "`event_id` is empty"
    assert refused(track("x", messageId=empty)) == "`messageId` is empty"
    header = empty.encode()
    assert refused(person("delete"), headers=[("event_id", header)]) == "header `event_id` is empty"
    assert refused(person("delete"), headers=[("ce_id", header)]) == "header `ce_id` is empty"
    assert refused(without(bought(id=empty), "event_id")) == "`id` is empty"


def test_header_that_is_not_utf8_is_refused() -> None:
    for name in ("event_id", "ce_id", "region"):
        assert refused(person("delete"), headers=[(name, b"\xff")]) == f"header `{name}` is not UTF-8"


def test_every_event_carries_the_ulid_of_its_id() -> None:
    for value in (bought(), call("page", name="x", messageId="e-1"), track("x", messageId="e-1")):
        decoded = event(value)
        assert decoded.ulid == ulid_from_id("e-1")
        assert body_of(decoded)["id"] == decoded.ulid


def test_given_ulid_is_used_instead() -> None:
    """For a conflict, which is sent under another."""
    for value in (
        bought(),
        track("x"),
        without(bought(), "event_id"),
        bought(identifiers={"anonymous_id": "a"}),
    ):
        decoded = event(value, ulid=ULID)
        assert decoded.ulid == ULID
        assert body_of(decoded)["id"] == ULID
        assert decoded.digest == event(value).digest


def test_place_stands_in_for_a_missing_id() -> None:
    value = without(bought(), "event_id")
    decoded = event(value)
    assert decoded.id is None
    assert decoded.ulid == ulid_from_place("cluster", "events", 3, 7, RECORD_TIMESTAMP_MS)
    assert decoded.ulid == event(value).ulid
    assert decoded.ulid != event(value, offset=8).ulid


class TestRegion:
    def test_field_then_header_in_lower_case(self) -> None:
        headers = [("region", b" EU ")]
        assert event(bought()).region is None
        assert event(bought(), headers=headers).region == "eu"
        assert event(bought(region="US"), headers=headers).region == "us"
        assert event(track("x", region="Eu")).region == "eu"
        assert event(bought(region=None)).region is None

    def test_empty_region_is_refused(self) -> None:
        """It would go to a default region, which may be the wrong one."""
        assert refused(bought(region=" ")) == "`region` is empty"
        assert refused(bought(), headers=[("region", b"")]) == "header `region` is empty"

    def test_region_is_no_content(self) -> None:
        assert b"region" not in event(bought(region="eu")).body


class TestReplay:
    def test_header_sets_replayed(self) -> None:
        assert not event(bought()).replayed
        assert event(bought(), headers=[("dead-letter.replay", b"1")]).replayed
        assert event(bought(), headers=[("dead-letter.replay", None)]).replayed

    def test_ulid_of_an_event_with_an_id_is_unchanged(self) -> None:
        assert event(bought(), headers=[("dead-letter.replay", ULID.encode())]).ulid == event(bought()).ulid

    def test_header_keeps_the_ulid_of_an_event_without_an_id(self) -> None:
        value = without(bought(), "event_id")
        before = event(value)
        replayed = event(value, offset=99, headers=[("dead-letter.replay", before.ulid.encode())])
        assert replayed == event(value, offset=7, headers=[("dead-letter.replay", b"1")])
        assert replayed.ulid == before.ulid


class TestCloudEvents:
    def test_structured_mode_unwraps_data(self) -> None:
        cloud_event = {"specversion": "1.0", "id": "c-1", "source": "/shop", "type": "shop.order"}
        value = without(bought(), "event_id")
        decoded = event({**cloud_event, "data": value}, headers=CLOUD_EVENT)
        assert decoded.id == "c-1"
        assert decoded.operations == event(value, ulid=ulid_from_id("c-1")).operations

    def test_id_of_the_event_itself_comes_first(self) -> None:
        assert event({"id": "c-1", "data": bought()}, headers=CLOUD_EVENT).id == "e-1"

    def test_binary_mode_has_its_id_in_a_header(self) -> None:
        headers = [("ce_specversion", b"1.0"), ("ce_id", b"c-1"), ("content-type", b"application/json")]
        assert event(without(bought(), "event_id"), headers=headers).id == "c-1"

    @pytest.mark.parametrize("value", [{"id": "c-1"}, {"id": "c-1", "data": None}])
    def test_missing_data_is_refused(self, value: Any) -> None:
        assert refused(value, headers=CLOUD_EVENT) == "the CloudEvent's `data` is missing"

    def test_other_data_is_refused(self) -> None:
        assert refused({"id": "c-1", "data": "e30="}, headers=CLOUD_EVENT) == "`data` is not an object"
        assert refused(b"[]", headers=CLOUD_EVENT) == "Expected `object`, got `array`"
        assert refused(b"{", Reason.UNDECODABLE, headers=CLOUD_EVENT)
