"""The lane in which an operation keeps its order."""

from typing import Any

import pytest

from tests.events.decoding import bought, call, company, event, operation, person, track

MERGE = {"type": "person", "action": "merge", "primary": {"id": "42"}, "secondary": {"id": "41"}}
DELIVERY = {
    "type": "delivery",
    "action": "event",
    "identifiers": {"id": "d-1"},
    "name": "opened",
    "attributes": {"device_token": "t"},
}


@pytest.mark.parametrize(
    ("value", "lane"),
    [
        (bought(), b"id:42"),
        (bought(identifiers={"id": 42}), b"id:42"),
        (bought(identifiers={"id": "zoë"}), "id:zoë".encode()),
        (bought(identifiers={"email": "a@b.example"}), b"email:a@b.example"),
        (bought(identifiers={"phone": "+1415"}), b"phone:+1415"),
        (bought(identifiers={"cio_id": "a3"}), b"cio_id:a3"),
        (bought(identifiers={"anonymous_id": "a-1"}), b"anonymous:a-1"),
        (person("identify"), b"id:42"),
        (person("delete"), b"id:42"),
        (person("add_device", device={"token": "t", "platform": "ios"}), b"id:42"),
        (company("delete"), b"object:1:acme"),
        (company("delete", identifiers={"cio_object_id": "obb7"}), b"cio_object_id:obb7"),
        (DELIVERY, b"delivery:d-1"),
        (track("x"), b"id:42"),
        (track("x", userId="a@b.example"), b"email:a@b.example"),
        (track("x", userId=None, anonymousId="a-1"), b"anonymous:a-1"),
        (call("identify"), b"id:42"),
        (call("group", groupId="acme"), b"object:1:acme"),
    ],
)
def test_lane_is_identifier_type_and_value(value: Any, lane: bytes) -> None:
    decoded = operation(value)
    assert decoded.lane == lane
    assert decoded.lane_secondary == b""


def test_lane_of_an_email_address_is_the_same_in_upper_and_lower_case() -> None:
    decoded = operation(bought(identifiers={"email": "Jane@Example.com"}))
    assert decoded.lane == b"email:jane@example.com"
    assert b"Jane@Example.com" in decoded.body


def test_merge_stands_in_both_lanes() -> None:
    for value in (MERGE, call("alias", previousId="41")):
        decoded = operation(value)
        assert (decoded.lane, decoded.lane_secondary) == (b"id:42", b"id:41")


def test_merge_within_one_lane_is_one_place() -> None:
    value = {**MERGE, "primary": {"email": "a@b.example"}, "secondary": {"email": "A@b.example"}}
    decoded = operation(value)
    assert (decoded.lane, decoded.lane_secondary) == (b"email:a@b.example", b"")


class TestByRecordKey:
    @pytest.mark.parametrize(
        "value",
        [bought(), bought(timestamp=None), person("identify"), company("delete"), track("x"), DELIVERY],
    )
    def test_key_is_the_lane(self, value: Any) -> None:
        decoded = operation(value, key=b"p-7", lanes_key="record_key")
        assert decoded.lane == b"key:p-7"
        assert decoded.lane_secondary == b""

    @pytest.mark.parametrize("key", [None, b""])
    @pytest.mark.parametrize("value", [bought(), company("delete"), MERGE])
    def test_identifier_stands_in_for_a_missing_key(self, value: Any, key: bytes | None) -> None:
        assert event(value, key=key, lanes_key="record_key") == event(value)

    @pytest.mark.parametrize(
        ("key", "lanes"),
        [
            (b"42", (b"key:42", b"key:41")),
            (b"41", (b"key:41", b"key:42")),
            (b"p-7", (b"key:p-7", b"key:41")),
        ],
    )
    def test_merge_waits_for_the_person_that_its_key_does_not_name(
        self, key: bytes, lanes: tuple[bytes, bytes]
    ) -> None:
        decoded = operation(MERGE, key=key, lanes_key="record_key")
        assert (decoded.lane, decoded.lane_secondary) == lanes

    def test_both_operations_of_a_call_are_in_one_lane(self) -> None:
        value = track("Application Opened", context={"device": {"token": "t", "type": "ios"}})
        decoded = event(value, key=b"p-7", lanes_key="record_key")
        assert decoded.second is not None
        assert (decoded.lane, decoded.lane_secondary) == (b"key:p-7", b"")

    def test_key_is_ignored_where_order_is_kept_by_identifier(self) -> None:
        assert operation(bought(), key=b"p-7").lane == b"id:42"
