"""Each call of the Segment spec, row by row."""

from typing import Any

import pytest

from connector.events.event import RequestKind
from tests.events.decoding import (
    RECORD_TIMESTAMP,
    TIMESTAMP,
    body_of,
    call,
    event,
    operation,
    refused,
    sent,
    track,
    without,
)

URL_OF_100_BYTES = "https://example.com/" + "a" * 80


def test_track_is_a_person_event() -> None:
    value = track(
        "Order Created", properties={"total": 1.5}, context={"ip": "::1"}, sentAt="2025-01-01T00:00:00Z"
    )
    assert operation(value).action == "person.event"
    assert sent(value) == {
        "type": "person",
        "action": "event",
        "identifiers": {"id": "42"},
        "name": "Order Created",
        "attributes": {"total": 1.5},
        "timestamp": TIMESTAMP,
        "id": event(value).ulid,
    }


def test_name_of_a_track_call_is_trimmed() -> None:
    assert sent(track("  Order Created\n"))["name"] == "Order Created"


@pytest.mark.parametrize("name", ["", "  ", None])
def test_track_needs_a_name(name: Any) -> None:
    assert refused(call("track", event=name)) == "`event` is missing or empty"
    assert refused(call("track")) == "`event` is missing or empty"


@pytest.mark.parametrize("type_", ["track", "page", "screen"])
def test_properties_other_than_an_object_are_refused(type_: str) -> None:
    assert refused(call(type_, event="x", name="x", properties=[])) == "`properties` is not an object"


def test_message_id_is_the_event_id() -> None:
    assert event(track("x")).id == "m-1"


def test_iso_8601_timestamp_becomes_seconds() -> None:
    assert sent(track("x", timestamp="2025-11-24T17:00:00.987654321+01:00"))["timestamp"] == 1_764_000_000


def test_call_without_a_timestamp_takes_the_records() -> None:
    for value in (track("x"), call("identify"), call("page", name="x"), call("screen", name="x")):
        assert sent(without(value, "timestamp"))["timestamp"] == RECORD_TIMESTAMP


class TestWho:
    """`userId`, else an e-mail address among the traits, else `anonymousId`."""

    @pytest.mark.parametrize(
        ("user_id", "identifiers"),
        [
            ("42", {"id": "42"}),
            (42, {"id": "42"}),
            ("jane@example.com", {"email": "jane@example.com"}),
            ("jane@home", {"id": "jane@home"}),
            ("@", {"id": "@"}),
            ("cio_a3000001", {"cio_id": "a3000001"}),
            ("cio_", {"id": "cio_"}),
            ("CIO_1", {"id": "CIO_1"}),
        ],
    )
    def test_user_id(self, user_id: Any, identifiers: dict[str, str]) -> None:
        assert sent(track("x", userId=user_id))["identifiers"] == identifiers
        assert sent(call("identify", userId=user_id))["identifiers"] == identifiers

    def test_user_id_that_is_an_email_address_may_stay_an_id(self) -> None:
        value = track("x", userId="jane@example.com")
        assert sent(value, user_id_is_email=False)["identifiers"] == {"id": "jane@example.com"}

    @pytest.mark.parametrize("user_id", [None, ""])
    def test_email_address_among_the_traits_stands_in(self, user_id: Any) -> None:
        email = {"email": "jane@example.com"}
        for traits in ({"traits": email}, {"context": {"traits": email}}):
            assert sent(track("x", **{"userId": user_id, **traits}))["identifiers"] == email
            assert sent(call("identify", **{"userId": user_id, **traits}))["identifiers"] == email

    def test_email_address_among_the_traits_may_be_left_alone(self) -> None:
        value = track("x", userId=None, traits={"email": "jane@example.com"})
        assert "`userId`" in refused(value, email_from_traits=False)

    @pytest.mark.parametrize("email", ["n/a", "", 5, None, {"home": "a@example.com"}])
    def test_what_is_no_email_address_identifies_nobody(self, email: Any) -> None:
        value = track("x", userId=None, traits={"email": email})
        assert refused(value).startswith("`userId` and `anonymousId` are missing")

    def test_white_space_is_no_id(self) -> None:
        assert refused(track("x", userId=" ")) == "`userId` is empty"
        assert refused(track("x", userId=None, anonymousId="\t")) == "`anonymousId` is empty"

    def test_anonymous_event_is_a_v1_request(self) -> None:
        value = track("x", userId="", anonymousId="a-1", properties={"total": 1})
        decoded = operation(value)
        assert decoded.kind is RequestKind.V1_EVENTS
        assert body_of(decoded) == {
            "anonymous_id": "a-1",
            "name": "x",
            "data": {"total": 1},
            "timestamp": TIMESTAMP,
            "id": event(value).ulid,
        }

    @pytest.mark.parametrize("type_", ["page", "screen"])
    def test_anonymous_page_and_screen_carry_their_type(self, type_: str) -> None:
        decoded = operation(call(type_, userId=None, anonymousId="a-1", name="Home"))
        assert decoded.kind is RequestKind.V1_EVENTS
        assert body_of(decoded)["type"] == type_

    def test_anonymous_identify_has_nothing_to_hang_on(self) -> None:
        assert refused(call("identify", userId=None, anonymousId="a-1")).startswith("`userId` is missing")

    @pytest.mark.parametrize("context", [[], "x", 5, {"traits": []}, {"traits": {"email": 5}}])
    def test_context_that_says_nothing_is_as_good_as_absent(self, context: Any) -> None:
        assert sent(track("x", context=context)) == sent(track("x"))
        value = track("x", userId=None, anonymousId="a-1")
        assert sent({**value, "context": context}) == sent(value)


class TestIdentify:
    def test_traits_are_the_attributes(self) -> None:
        value = call("identify", traits={"plan": "pro", "nested": {"a": [1]}})
        assert operation(value).action == "person.identify"
        assert sent(value) == {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "42"},
            "attributes": {"plan": "pro", "nested": {"a": [1]}},
            "timestamp": TIMESTAMP,
        }

    @pytest.mark.parametrize("traits", [None, {}, {"plan": "pro"}, {"name": "Zoé \u2028"}])
    def test_anonymous_id_is_added(self, traits: Any) -> None:
        value = call("identify", anonymousId='a"1', traits=traits)
        assert sent(value)["attributes"] == {**(traits or {}), "anonymous_id": 'a"1'}

    @pytest.mark.parametrize("traits", [b"{ }", b'{ "a" : 1 }', rb'{"\u0061":1}'])
    def test_anonymous_id_is_added_however_the_traits_are_written(self, traits: bytes) -> None:
        value = b'{"type":"identify","userId":"42","anonymousId":"a-1","traits":%b}' % traits
        assert sent(value)["attributes"]["anonymous_id"] == "a-1"

    @pytest.mark.parametrize("traits", [b'{"anonymous_id":"b"}', rb'{"\u0061nonymous_id":"b"}'])
    def test_anonymous_id_among_the_traits_counts(self, traits: bytes) -> None:
        value = b'{"type":"identify","userId":"42","anonymousId":"a-1","traits":%b}' % traits
        assert operation(value).body.count(b"nonymous_id") == 1
        assert sent(value)["attributes"] == {"anonymous_id": "b"}

    def test_anonymous_id_may_be_left_out(self) -> None:
        value = call("identify", anonymousId="a-1", traits={"plan": "pro"})
        assert sent(value, anonymous_id_on_identify=False)["attributes"] == {"plan": "pro"}

    @pytest.mark.parametrize(
        "created", ["2025-11-24T16:00:00Z", 1_764_000_000, 1_764_000_000_123, "1764000000"]
    )
    def test_created_at_in_unix_seconds(self, created: Any) -> None:
        value = call("identify", traits={"createdAt": created, "plan": "pro"})
        assert sent(value)["attributes"] == {"created_at": 1_764_000_000, "plan": "pro"}

    def test_explicit_created_at_wins(self) -> None:
        value = call("identify", traits={"createdAt": "2025-11-24", "created_at": 5})
        assert sent(value)["attributes"] == {"created_at": 5}

    @pytest.mark.parametrize("created", ["long ago", None, True, {"year": 2025}, []])
    def test_unreadable_created_at_is_an_attribute_like_any_other(self, created: Any) -> None:
        value = call("identify", traits={"createdAt": created})
        assert sent(value)["attributes"] == {"createdAt": created}

    def test_traits_in_the_context_stand_in_for_absent_ones(self) -> None:
        context = {"traits": {"plan": "pro"}}
        assert sent(call("identify", context=context))["attributes"] == {"plan": "pro"}
        assert sent(call("identify", context=context, traits={"plan": "basic"}))["attributes"] == {
            "plan": "basic"
        }

    def test_traits_other_than_an_object_are_refused(self) -> None:
        assert refused(call("identify", traits=["a"])) == "`traits` is not an object"


class TestPage:
    def test_name_is_the_url(self) -> None:
        value = call("page", name="Pricing", properties={"url": "https://example.com/pricing"})
        assert operation(value).action == "person.page"
        assert sent(value) == {
            "type": "person",
            "action": "page",
            "identifiers": {"id": "42"},
            "name": "https://example.com/pricing",
            "attributes": {"url": "https://example.com/pricing"},
            "timestamp": TIMESTAMP,
            "id": event(value).ulid,
        }

    @pytest.mark.parametrize("properties", [None, {}, {"url": None}, {"url": ""}, {"url": 5}, {"url": ["x"]}])
    def test_name_stands_in_for_the_url(self, properties: Any) -> None:
        assert sent(call("page", name="Pricing", properties=properties))["name"] == "Pricing"

    def test_neither_is_refused(self) -> None:
        assert refused(call("page", properties={"title": "x"})) == "`name` is missing or empty"

    def test_url_of_exactly_100_bytes(self) -> None:
        assert sent(call("page", properties={"url": URL_OF_100_BYTES}))["name"] == URL_OF_100_BYTES

    @pytest.mark.parametrize("rest", ["?q=1", "#top", "?q=1#top", "#top?"])
    def test_long_url_goes_without_query_and_fragment(self, rest: str) -> None:
        url = URL_OF_100_BYTES + rest
        body = sent(call("page", name="Pricing", properties={"url": url}))
        assert body["name"] == URL_OF_100_BYTES
        assert body["attributes"]["url"] == url

    def test_name_stands_in_for_a_url_that_is_too_long_even_so(self) -> None:
        url = URL_OF_100_BYTES + "a?q=1"
        assert sent(call("page", name="Pricing", properties={"url": url}))["name"] == "Pricing"
        assert refused(call("page", properties={"url": url})) == "`properties.url` is longer than 100 bytes"


def test_screen_is_named_by_its_name() -> None:
    value = call("screen", name="Dashboard", properties={"tab": 1})
    assert operation(value).action == "person.screen"
    body = sent(value)
    assert (body["action"], body["name"], body["attributes"]) == ("screen", "Dashboard", {"tab": 1})
    assert refused(call("screen")) == "`name` is missing or empty"


class TestGroup:
    def test_object_with_a_relationship_to_the_person(self) -> None:
        value = call("group", groupId="acme", traits={"name": "Acme", "seats": 5})
        assert operation(value).action == "object.identify"
        assert sent(value) == {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "acme"},
            "attributes": {"name": "Acme", "seats": 5},
            "cio_relationships": [{"identifiers": {"id": "42"}}],
        }

    @pytest.mark.parametrize("name", ["object_type_id", "objectTypeId"])
    @pytest.mark.parametrize("type_id", ["3", 3])
    def test_type_among_the_traits(self, name: str, type_id: Any) -> None:
        body = sent(call("group", groupId=7, traits={name: type_id, "name": "Acme"}))
        assert body["identifiers"] == {"object_type_id": "3", "object_id": "7"}
        assert body["attributes"] == {"name": "Acme"}

    def test_type_from_the_settings(self) -> None:
        assert sent(call("group", groupId="a"), object_type_id="9")["identifiers"]["object_type_id"] == "9"

    @pytest.mark.parametrize("type_id", ["company", "-1", 0, "", 1.5, True, ["1"]])
    def test_invalid_type_is_refused(self, type_id: Any) -> None:
        assert "`traits.objectTypeId`" in refused(
            call("group", groupId="a", traits={"objectTypeId": type_id})
        )

    def test_object_and_relationship_attributes(self) -> None:
        traits = {"objectAttributes": {"name": "Acme"}, "relationshipAttributes": {"role": "admin"}, "x": 1}
        body = sent(call("group", groupId="a", traits=traits))
        assert body["attributes"] == {"name": "Acme"}
        assert body["cio_relationships"] == [
            {"identifiers": {"id": "42"}, "relationship_attributes": {"role": "admin"}}
        ]

    def test_relationship_attributes_beside_plain_traits(self) -> None:
        traits = {"name": "Acme", "relationshipAttributes": {"role": "admin"}}
        assert sent(call("group", groupId="a", traits=traits))["attributes"] == {"name": "Acme"}

    def test_somebody_anonymous(self) -> None:
        value = call("group", groupId="a", userId=None, anonymousId="a-1")
        assert operation(value).action == "object.identify_anonymous"
        assert sent(value)["cio_relationships"] == [{"identifiers": {"anonymous_id": "a-1"}}]

    def test_nobody(self) -> None:
        value = call("group", groupId="a", userId=None, traits={"name": "Acme"})
        assert operation(value).action == "object.identify"
        assert "cio_relationships" not in sent(value)

    def test_groups_email_address_is_not_the_persons(self) -> None:
        value = call("group", groupId="a", userId=None, traits={"email": "info@acme.example"})
        assert "cio_relationships" not in sent(value)
        value["context"] = {"traits": {"email": "jane@example.com"}}
        assert sent(value)["cio_relationships"] == [{"identifiers": {"email": "jane@example.com"}}]

    def test_group_needs_its_id(self) -> None:
        assert refused(call("group")) == "`groupId` is missing"
        assert refused(call("group", groupId="")) == "`groupId` is empty"


class TestAlias:
    def test_merge(self) -> None:
        value = call("alias", userId="42", previousId="old@example.com")
        assert operation(value).action == "person.merge"
        assert sent(value) == {
            "type": "person",
            "action": "merge",
            "primary": {"id": "42"},
            "secondary": {"email": "old@example.com"},
        }

    def test_both_are_needed(self) -> None:
        assert refused(call("alias")) == "`previousId` is missing"
        assert refused(call("alias", userId=None, previousId="1")) == "`userId` is missing"
        assert refused(call("alias", previousId="")) == "`previousId` is empty"

    def test_person_with_itself_is_refused(self) -> None:
        assert refused(call("alias", previousId="42")) == "`userId` and `previousId` are the same person"
