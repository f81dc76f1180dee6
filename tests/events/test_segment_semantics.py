"""Track calls that Customer.io documents as semantic events become the operation of that name."""

from typing import Any

import pytest

from tests.events.decoding import (
    RECORD_TIMESTAMP,
    TIMESTAMP,
    body_of,
    event,
    operation,
    refused,
    sent,
    track,
    without,
)

IPHONE = {"device": {"token": "t-1", "type": "ios"}}
COMPANY = {"object_type_id": "1", "object_id": "acme"}


@pytest.mark.parametrize(
    ("name", "action"),
    [("User Deleted", "delete"), ("User Suppressed", "suppress"), ("User Unsuppressed", "unsuppress")],
)
def test_person_operations(name: str, action: str) -> None:
    assert operation(track(name)).action == f"person.{action}"
    assert sent(track(f" {name} ")) == {"type": "person", "action": action, "identifiers": {"id": "42"}}
    email = {"email": "jane@example.com"}
    assert sent(track(name, userId=None, context={"traits": email}))["identifiers"] == email
    assert refused(track(name, userId=None, anonymousId="a-1")).startswith("`userId` is missing")


@pytest.mark.parametrize(
    ("type_", "platform"),
    [
        ("ios", "ios"),
        ("iOS", "ios"),
        ("iPadOS", "ios"),
        ("tvOS", "ios"),
        ("watchOS", "ios"),
        ("visionOS", "ios"),
        ("android", "android"),
        ("Android", "android"),
    ],
)
def test_device_created_or_updated(type_: str, platform: str) -> None:
    value = track("Device Created or Updated", context={"device": {"token": "t-1", "type": type_}})
    assert operation(value).action == "person.add_device"
    assert sent(value) == {
        "type": "person",
        "action": "add_device",
        "identifiers": {"id": "42"},
        "device": {"token": "t-1", "platform": platform, "last_used": TIMESTAMP},
    }


def test_device_among_the_properties() -> None:
    value = track("Device Created or Updated", properties=IPHONE)
    assert sent(value)["device"] == {"token": "t-1", "platform": "ios", "last_used": TIMESTAMP}


def test_device_attributes_are_strings() -> None:
    properties = {
        "app_version": "3",
        "push_enabled": True,
        "build": 12,
        "score": 1.5,
        "gone": None,
        "screen": {"width": 1},
        "device": {"x": 1},
    }
    value = track("Device Created or Updated", context=IPHONE, properties=properties)
    assert sent(value)["device"]["attributes"] == {
        "app_version": "3",
        "push_enabled": "true",
        "build": "12",
        "score": "1.5",
        "screen": '{"width":1}',
    }


def test_device_without_a_time_was_last_used_at_the_records() -> None:
    value = without(track("Device Created or Updated", context=IPHONE), "timestamp")
    assert sent(value)["device"]["last_used"] == RECORD_TIMESTAMP


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "`context.device.token` is missing"),
        ({"device": {"type": "ios"}}, "`context.device.token` is missing"),
        ({"device": {"token": "", "type": "ios"}}, "`context.device.token` is empty"),
        ({"device": {"token": ["t"], "type": "ios"}}, "`context.device.token` is neither a string nor"),
        ({"device": {"token": "t-1"}}, "`context.device.type` is neither iOS"),
        ({"device": {"token": "t-1", "type": "web"}}, "`context.device.type` is neither iOS"),
        ({"device": {"token": "t-1", "type": 5}}, "`context.device.type` is neither iOS"),
        ({"device": "t-1"}, "`context.device.token` is missing"),
    ],
)
def test_device_rules(context: Any, message: str) -> None:
    assert refused(track("Device Created or Updated", context=context)).startswith(message)


def test_device_deleted() -> None:
    value = track("Device Deleted", context={"device": {"token": "t-1"}})
    assert operation(value).action == "person.delete_device"
    assert sent(value)["device"] == {"token": "t-1"}
    assert refused(track("Device Deleted")) == "`context.device.token` is missing"
    assert refused(track("Device Deleted", userId=None, anonymousId="a-1", context=IPHONE)).startswith(
        "`userId`"
    )


@pytest.mark.parametrize("name", ["Application Installed", "Application Opened"])
def test_application_event_adds_the_device_before_the_event(name: str) -> None:
    """The event may start a campaign that pushes to the device, so the device is there by then."""
    value = track(name, context=IPHONE, properties={"version": "3"})
    decoded = event(value)
    device, plain = decoded.operations
    assert (device.action, plain.action) == ("person.add_device", "person.event")
    assert decoded.lane == b"id:42"
    assert body_of(device)["device"] == {"token": "t-1", "platform": "ios", "last_used": TIMESTAMP}
    assert body_of(plain)["name"] == name
    assert body_of(plain)["attributes"] == {"version": "3"}
    assert body_of(plain)["id"] == event(value).ulid
    assert "id" not in body_of(device)


def test_application_uninstalled_deletes_the_device_before_the_event() -> None:
    """The event may start a campaign, which should not push to the device that is gone."""
    device, plain = event(track("Application Uninstalled", context=IPHONE)).operations
    assert (device.action, plain.action) == ("person.delete_device", "person.event")


@pytest.mark.parametrize("name", ["Application Installed", "Application Opened", "Application Uninstalled"])
@pytest.mark.parametrize(
    "changes",
    [
        {"context": {}},
        {"context": {"device": {"type": "ios"}}},
        {"context": IPHONE, "userId": None, "anonymousId": "a-1"},
    ],
)
def test_application_event_alone_where_device_or_person_is_missing(
    name: str, changes: dict[str, Any]
) -> None:
    assert operation(track(name, **changes)).action == "person.event"


def test_device_of_an_unknown_platform_can_be_deleted_but_not_added() -> None:
    context = {"device": {"token": "t-1", "type": "web"}}
    assert operation(track("Application Opened", context=context)).action == "person.event"
    assert len(event(track("Application Uninstalled", context=context)).operations) == 2


@pytest.mark.parametrize(
    "where",
    [
        {"properties": {"objectId": "acme"}},
        {"properties": {"object_id": "acme"}},
        {"groupId": "acme"},
        {"context": {"groupId": "acme"}},
    ],
)
def test_object_of_a_semantic_event(where: dict[str, Any]) -> None:
    for name in ("Object Deleted", "Relationship Deleted"):
        assert sent(track(name, **where))["identifiers"] == COMPANY


def test_object_deleted() -> None:
    value = track("Object Deleted", userId=None, properties={"objectId": 7, "objectTypeId": 2})
    assert operation(value).action == "object.delete"
    assert sent(value) == {
        "type": "object",
        "action": "delete",
        "identifiers": {"object_type_id": "2", "object_id": "7"},
    }
    assert refused(track("Object Deleted")).startswith("`properties.objectId` is missing")
    assert "`properties.objectId`" in refused(track("Object Deleted", properties={"objectId": True}))


def test_relationship_deleted_keeps_its_order_with_the_group_call_that_made_it() -> None:
    value = track("Relationship Deleted", properties={"objectId": "acme"})
    assert operation(value).action == "object.delete_relationships"
    assert operation(value).lane == b"object:1:acme"
    assert sent(value) == {
        "type": "object",
        "action": "delete_relationships",
        "identifiers": COMPANY,
        "cio_relationships": [{"identifiers": {"id": "42"}}],
    }
    assert refused({**value, "userId": None, "anonymousId": "a-1"}).startswith("`userId` is missing")


def test_report_delivery_event() -> None:
    properties = {"deliveryId": "d-1", "metric": "opened", "recipient": "t-1", "href": "x"}
    value = track("Report Delivery Event", userId=None, anonymousId="d-1", properties=properties)
    assert operation(value).action == "delivery.event"
    assert sent(value) == {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "d-1"},
        "name": "opened",
        "attributes": {"device_token": "t-1"},
    }
    for name in ("deliveryId", "metric", "recipient"):
        message = refused({**value, "properties": without(properties, name)})
        assert message.startswith(f"`properties.{name}`")
    assert "`properties.metric`" in refused({**value, "properties": {**properties, "metric": ["opened"]}})


@pytest.mark.parametrize(
    "name",
    [
        "User Deleted",
        "User Suppressed",
        "User Unsuppressed",
        "Device Created or Updated",
        "Device Deleted",
        "Relationship Deleted",
        "Object Deleted",
        "Report Delivery Event",
        "Application Opened",
    ],
)
def test_semantic_events_may_stay_plain_ones(name: str) -> None:
    decoded = operation(track(name, context=IPHONE), semantic_events=False)
    assert decoded.action == "person.event"
    assert body_of(decoded)["name"] == name
