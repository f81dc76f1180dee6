"""Each operation of Track v2: what is sent, and what is refused by name."""

from typing import Any

import pytest

from connector.events.event import RequestKind
from tests.events.decoding import (
    RECORD_TIMESTAMP,
    TIMESTAMP,
    body_of,
    bought,
    company,
    decode,
    event,
    operation,
    person,
    refused,
    sent,
    without,
)

OBJECTS = [{"identifiers": {"object_type_id": "1", "object_id": "acme"}}]
PEOPLE = [{"identifiers": {"id": "42"}}]
DEVICE = {"token": "t-1", "platform": "ios", "last_used": TIMESTAMP, "attributes": {"app_version": "3"}}


@pytest.mark.parametrize("action", ["event", "page", "screen"])
def test_event_page_and_screen(action: str) -> None:
    value = person(action, event_id="e-1", name="bought", timestamp=TIMESTAMP, attributes={"total": 1.5})
    decoded = operation(value)
    assert decoded.kind is RequestKind.V2
    assert decoded.action == f"person.{action}"
    assert body_of(decoded) == {
        "type": "person",
        "action": action,
        "identifiers": {"id": "42"},
        "name": "bought",
        "attributes": {"total": 1.5},
        "timestamp": TIMESTAMP,
        "id": event(value).ulid,
    }


def test_attributes_pass_through_as_they_are_written() -> None:
    attributes = rb'{"b" : 1.50,"a":[ ],"\u00e9":"\ud83d\ude00","n":123456789012345678901234567890,"e":1e400}'
    value = (
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","attributes":%b}'
        % attributes
    )
    assert b'"attributes":' + attributes in operation(value).body


def test_absent_and_null_attributes_are_left_out() -> None:
    assert "attributes" not in sent(bought())
    assert "attributes" not in sent(bought(attributes=None))


@pytest.mark.parametrize("attributes", [[], "text", 5, True])
def test_attributes_other_than_an_object_are_refused(attributes: Any) -> None:
    assert refused(bought(attributes=attributes)) == "`attributes` is not an object"
    assert refused(person("identify", attributes=attributes)) == "`attributes` is not an object"
    assert refused(company("identify", attributes=attributes)) == "`attributes` is not an object"


def test_members_that_the_api_does_not_know_are_left_out() -> None:
    assert sent(bought(source="billing", trace={"a": 1})) == sent(bought())


@pytest.mark.parametrize("kind", ["id", "email", "phone", "cio_id"])
def test_person_is_named_by_one_identifier(kind: str) -> None:
    identifiers = {kind: "+14155552671"}
    assert sent(bought(identifiers=identifiers))["identifiers"] == identifiers
    assert sent(person("delete", identifiers=identifiers))["identifiers"] == identifiers


def test_null_identifiers_are_as_good_as_absent() -> None:
    value = person("delete", identifiers={"id": None, "email": "a@example.com"})
    assert sent(value)["identifiers"] == {"email": "a@example.com"}


@pytest.mark.parametrize(
    "identifiers",
    [
        {},
        None,
        {"id": None},
        {"id": "1", "email": "a@example.com"},
        {"name": "1"},
        {"id": "1", "name": "2"},
        {"object_id": "1"},
    ],
)
def test_none_or_several_identifiers_are_refused(identifiers: Any) -> None:
    message = "`identifiers` does not hold exactly one of `id`, `email`, `phone`, `cio_id`"
    assert refused(person("delete", identifiers=identifiers)) == message
    assert refused(bought(identifiers=identifiers)) == message + ", `anonymous_id`"


@pytest.mark.parametrize("value", ["", " ", "\t\n", "\u00a0"])
@pytest.mark.parametrize("kind", ["id", "email", "phone", "cio_id", "anonymous_id"])
def test_empty_ids_are_refused(kind: str, value: str) -> None:
    assert refused(bought(identifiers={kind: value})) == "`identifiers` is empty"


def test_whole_numbers_as_ids_are_sent_as_strings() -> None:
    decoded = event(bought(event_id=1001, identifiers={"id": 42}))
    assert decoded.id == "1001"
    assert decoded.ulid == event(bought(event_id="1001")).ulid
    assert body_of(decoded)["identifiers"] == {"id": "42"}
    assert decoded.lane == b"id:42"
    relationships = [{"identifiers": {"object_type_id": 1, "object_id": 7}}]
    assert sent(person("identify", cio_relationships=relationships))["cio_relationships"] == [
        {"identifiers": {"object_type_id": "1", "object_id": "7"}}
    ]


@pytest.mark.parametrize("value", [1.5, 42.0, True, [], {"a": 1}])
def test_other_types_of_ids_are_refused(value: Any) -> None:
    assert "`$.identifiers[...]`" in refused(bought(identifiers={"id": value}))
    assert "`$.event_id`" in refused(bought(event_id=value))


@pytest.mark.parametrize("phone", ["14155552671", "+", "+1 415", "+1234567890123456", 14155552671])
def test_phone_number_is_in_e164_format(phone: Any) -> None:
    assert refused(bought(identifiers={"phone": phone})).startswith("`identifiers` is not in E.164 format")


def test_anonymous_event_is_a_v1_request() -> None:
    value = bought(identifiers={"anonymous_id": "a-1"}, attributes={"total": 1})
    decoded = operation(value)
    assert decoded.kind is RequestKind.V1_EVENTS
    assert decoded.action == "person.event"
    assert body_of(decoded) == {
        "anonymous_id": "a-1",
        "name": "bought",
        "data": {"total": 1},
        "timestamp": TIMESTAMP,
        "id": event(value).ulid,
    }


@pytest.mark.parametrize("action", ["page", "screen"])
def test_anonymous_page_and_screen_carry_their_type(action: str) -> None:
    assert sent(person(action, name="/", identifiers={"anonymous_id": "a-1"}))["type"] == action


def test_nothing_but_events_is_anonymous() -> None:
    for action in ("identify", "delete", "suppress", "add_device"):
        value = person(action, identifiers={"anonymous_id": "a-1"}, device=DEVICE)
        assert refused(value).startswith("`identifiers` does not hold exactly one of")


@pytest.mark.parametrize("name", [None, "", "  "])
def test_event_needs_a_name(name: Any) -> None:
    assert refused(bought(name=name)) == "`name` is missing or empty"
    assert refused(without(bought(), "name")) == "`name` is missing or empty"


def test_invalid_timestamp_is_refused_not_replaced() -> None:
    for timestamp in ("yesterday", 0, -5):
        assert refused(bought(timestamp=timestamp)) == "`timestamp` is neither a Unix timestamp nor ISO 8601"
        value = person("identify", timestamp=timestamp)
        assert refused(value) == "`timestamp` is neither a Unix timestamp nor ISO 8601"


def test_identify() -> None:
    relationships = [
        {
            "identifiers": {"object_type_id": "1", "object_id": "acme"},
            "relationship_attributes": {"role": "admin"},
        },
        {"identifiers": {"cio_object_id": "obb7"}},
    ]
    value = person(
        "identify", attributes={"plan": "pro"}, timestamp=TIMESTAMP * 1000, cio_relationships=relationships
    )
    assert operation(value).action == "person.identify"
    assert sent(value) == {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "42"},
        "attributes": {"plan": "pro"},
        "cio_relationships": relationships,
        "timestamp": TIMESTAMP,
    }


def test_identify_without_a_timestamp_takes_the_records() -> None:
    assert sent(person("identify"))["timestamp"] == RECORD_TIMESTAMP


@pytest.mark.parametrize("relationships", [None, []])
def test_identify_without_relationships(relationships: Any) -> None:
    assert "cio_relationships" not in sent(person("identify", cio_relationships=relationships))


@pytest.mark.parametrize("action", ["delete", "suppress", "unsuppress"])
def test_delete_suppress_and_unsuppress(action: str) -> None:
    value = person(action, timestamp=TIMESTAMP, attributes={"a": 1})
    assert operation(value).action == f"person.{action}"
    assert sent(value) == {"type": "person", "action": action, "identifiers": {"id": "42"}}


@pytest.mark.parametrize("action", ["add_relationships", "delete_relationships"])
def test_relationships_of_a_person(action: str) -> None:
    value = person(action, cio_relationships=OBJECTS)
    assert operation(value).action == f"person.{action}"
    assert sent(value) == value


@pytest.mark.parametrize("relationships", [None, []])
@pytest.mark.parametrize("action", ["add_relationships", "delete_relationships"])
def test_change_of_relationships_needs_some(action: str, relationships: Any) -> None:
    message = "`cio_relationships` is missing or empty"
    assert refused(person(action, cio_relationships=relationships)) == message
    assert refused(company(action, cio_relationships=relationships)) == message


@pytest.mark.parametrize(
    ("relationships", "message"),
    [
        ({"a": 1}, "in `cio_relationships`: Expected `array | null`, got `object`"),
        ([{}], "in `cio_relationships`: Object missing required field `identifiers` - at `$[0]`"),
        ([*OBJECTS, {"identifiers": {"id": "42"}}], "`cio_relationships[1].identifiers` holds neither"),
        ([{"identifiers": {"object_id": "acme"}}], "`cio_relationships[0].identifiers` holds neither"),
        (
            [{"identifiers": {"object_type_id": "1", "object_id": "a", "cio_object_id": "b"}}],
            "`cio_relationships[0].identifiers` holds neither",
        ),
        (
            [{"identifiers": {"object_type_id": "company", "object_id": "a"}}],
            "`cio_relationships[0].identifiers.object_type_id` is not a whole number from 1 on",
        ),
        (
            [{"identifiers": {"object_type_id": 0, "object_id": "a"}}],
            "`cio_relationships[0].identifiers.object_type_id` is not a whole number from 1 on",
        ),
        (
            [{"identifiers": {"cio_object_id": "b"}, "relationship_attributes": 5}],
            "`cio_relationships[0].relationship_attributes` is not an object",
        ),
    ],
)
def test_relationships_of_a_person_name_objects(relationships: Any, message: str) -> None:
    for action in ("identify", "add_relationships", "delete_relationships"):
        assert refused(person(action, cio_relationships=relationships)).startswith(message)


def test_add_device() -> None:
    value = person("add_device", device=DEVICE)
    assert operation(value).action == "person.add_device"
    assert sent(value) == value


def test_device_without_a_time_was_last_used_at_the_records() -> None:
    device = {"token": "t-1", "platform": "android"}
    assert sent(person("add_device", device=device))["device"] == {**device, "last_used": RECORD_TIMESTAMP}
    assert sent(person("add_device", device=device), timestamp_ms=-1)["device"] == device


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (None, "in `device`: Object missing required field `token`"),
        ({}, "in `device`: Object missing required field `token`"),
        ("t-1", "`device` is not an object"),
        ({"token": "t-1"}, "`device.platform` is not one of ios, android"),
        ({"token": "t-1", "platform": "web"}, "`device.platform` is not one of ios, android"),
        ({"token": " ", "platform": "ios"}, "`device.token` is empty"),
        ({"token": "t", "platform": "ios", "last_used": "x"}, "`device.last_used` is neither"),
        ({"token": "t", "platform": "ios", "attributes": []}, "`device.attributes` is not an object"),
        (
            {"token": "t", "platform": "ios", "attributes": {"push_enabled": True}},
            "in `device.attributes`: Expected `str`",
        ),
        (
            {"token": "t", "platform": "ios", "attributes": {"a": None}},
            "in `device.attributes`: Expected `str`",
        ),
    ],
)
def test_device_rules(device: Any, message: str) -> None:
    assert refused(person("add_device", device=device)).startswith(message)


def test_delete_device() -> None:
    value = person("delete_device", device={"token": "t-1", "platform": "ios"})
    assert operation(value).action == "person.delete_device"
    assert sent(value)["device"] == {"token": "t-1"}
    assert "`token`" in refused(person("delete_device", device={}))


def test_merge() -> None:
    value = {
        "type": "person",
        "action": "merge",
        "primary": {"id": "42"},
        "secondary": {"email": "b@example.com"},
    }
    assert operation(value).action == "person.merge"
    assert sent(value) == value


@pytest.mark.parametrize("same", [{"id": "42"}, {"email": "a@example.com"}, {"cio_id": "a1"}])
def test_merge_of_a_person_with_itself_is_refused(same: dict[str, str]) -> None:
    value = {"type": "person", "action": "merge", "primary": same, "secondary": same}
    assert refused(value) == "`primary` and `secondary` are the same person"


def test_merge_of_equal_values_of_different_kinds() -> None:
    value = {"type": "person", "action": "merge", "primary": {"id": "42"}, "secondary": {"cio_id": "42"}}
    assert sent(value) == value


@pytest.mark.parametrize("field", ["primary", "secondary"])
def test_merge_names_people_by_id_email_or_cio_id(field: str) -> None:
    value = {"type": "person", "action": "merge", "primary": {"id": "1"}, "secondary": {"id": "2"}}
    for identifiers in (None, {}, {"phone": "+1415"}, {"anonymous_id": "a"}, {"id": "1", "email": "a@b.c"}):
        expected = f"`{field}` does not hold exactly one of `id`, `email`, `cio_id`"
        assert refused({**value, field: identifiers}) == expected


def test_object_identify() -> None:
    relationships = [
        {"identifiers": {"id": "42"}, "relationship_attributes": {"role": "admin"}},
        {"identifiers": {"email": "a@example.com"}},
        {"identifiers": {"cio_id": "a1"}},
    ]
    value = company("identify", attributes={"name": "Acme"}, cio_relationships=relationships)
    assert operation(value).action == "object.identify"
    assert sent(value) == value


def test_object_identify_anonymous() -> None:
    relationships = [{"identifiers": {"anonymous_id": "a-1"}}]
    value = company("identify_anonymous", attributes={"name": "Acme"}, cio_relationships=relationships)
    assert operation(value).action == "object.identify_anonymous"
    assert sent(value) == value
    assert refused(company("identify_anonymous")) == "`cio_relationships` is missing or empty"
    message = "`cio_relationships[0].identifiers` does not hold exactly one of `anonymous_id`"
    assert refused(company("identify_anonymous", cio_relationships=PEOPLE)) == message


def test_object_delete() -> None:
    value = company("delete")
    assert operation(value).action == "object.delete"
    assert sent(value) == value


@pytest.mark.parametrize("action", ["add_relationships", "delete_relationships"])
def test_relationships_of_an_object(action: str) -> None:
    value = company(action, cio_relationships=PEOPLE)
    assert operation(value).action == f"object.{action}"
    assert sent(value) == value


def test_relationships_of_an_object_name_people() -> None:
    for action in ("identify", "add_relationships", "delete_relationships"):
        for identifiers in ({"phone": "+1415"}, {"anonymous_id": "a"}, {"object_id": "a"}, {}):
            value = company(action, cio_relationships=[{"identifiers": identifiers}])
            expected = (
                "`cio_relationships[0].identifiers` does not hold exactly one of `id`, `email`, `cio_id`"
            )
            assert refused(value) == expected


def test_objects_have_no_timestamp() -> None:
    for action in ("identify", "delete"):
        assert "timestamp" not in sent(company(action, timestamp=TIMESTAMP))


@pytest.mark.parametrize(
    "identifiers",
    [None, {}, {"object_id": "acme"}, {"object_type_id": "1"}, {"id": "42"}, {"cio_object_id": None}],
)
def test_object_needs_its_identifiers(identifiers: Any) -> None:
    assert refused(company("delete", identifiers=identifiers)).startswith("`identifiers` holds neither")


def test_object_may_be_named_by_customerios_own_id() -> None:
    value = company("delete", identifiers={"cio_object_id": "obb7"})
    assert sent(value) == value


@pytest.mark.parametrize("name", ["opened", "converted", "delivered"])
def test_delivery(name: str) -> None:
    value = {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "d-1"},
        "name": name,
        "attributes": {"device_token": "t-1"},
    }
    assert operation(value).action == "delivery.event"
    assert sent(value) == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "identify"}, "`action` is not `event`"),
        ({"identifiers": {"email": "d-1"}}, "`identifiers` does not hold exactly one of `id`"),
        ({"identifiers": {"id": ""}}, "`identifiers.id` is empty"),
        ({"name": "clicked"}, "`name` is not one of opened, converted, delivered"),
        ({"name": None}, "`name` is not one of opened, converted, delivered"),
        ({"attributes": None}, "in `attributes`: Object missing required field `device_token`"),
        ({"attributes": {}}, "in `attributes`: Object missing required field `device_token`"),
        ({"attributes": {"device_token": 5}}, "in `attributes`: Expected `str`, got `int`"),
        ({"attributes": {"device_token": " "}}, "`attributes.device_token` is empty"),
    ],
)
def test_delivery_rules(change: dict[str, Any], message: str) -> None:
    value = {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "d-1"},
        "name": "opened",
        "attributes": {"device_token": "t-1"},
    }
    assert refused({**value, **change}).startswith(message)


def test_unknown_types_and_actions_are_refused() -> None:
    assert refused({"type": "robot", "action": "event"}).startswith("`type` is not one of person, object, ")
    assert refused({"action": "event"}) == "Object missing required field `type`"
    assert refused({"type": "person"}) == "Object missing required field `action`"
    assert refused(person("explode")).startswith("`action` is not one of event, page, screen, identify, ")
    assert refused(company("explode")).startswith("`action` is not one of identify, ")


def test_type_may_stand_anywhere_in_the_object() -> None:
    value = bought()
    assert decode(value) == decode(dict(reversed(value.items())))
