"""The v1 calls of Customer.io's SDKs."""

from typing import Any

import msgspec
import pytest

from tests.simulator.conftest import SocketlessAPI
from tests.simulator.operations import COMPANY, TIMESTAMP, ULID

CALLS: dict[str, tuple[str, str, Any, str, str]] = {
    "identify": ("PUT", "/api/v1/customers/42", {"plan": "pro"}, "person.identify", "id:42"),
    "identify by e-mail": ("PUT", "/api/v1/customers/a%40b.c", {}, "person.identify", "email:a@b.c"),
    "identify by cio_id": ("PUT", "/api/v1/customers/cio_a3", {}, "person.identify", "cio_id:a3"),
    "identify with a slash": ("PUT", "/api/v1/customers/a%2Fb", {}, "person.identify", "id:a/b"),
    "identify with relationships": (
        "PUT",
        "/api/v1/customers/42",
        {
            "_timestamp": TIMESTAMP,
            "cio_relationships": {"action": "add_relationships", "relationships": [{"identifiers": COMPANY}]},
        },
        "person.identify",
        "id:42",
    ),
    "delete": ("DELETE", "/api/v1/customers/42", b"", "person.delete", "id:42"),
    "event": ("POST", "/api/v1/customers/42/events", {"name": "bought", "id": ULID}, "person.event", "id:42"),
    "page": ("POST", "/api/v1/customers/42/events", {"name": "/", "type": "page"}, "person.page", "id:42"),
    "anonymous": (
        "POST",
        "/api/v1/events",
        {"name": "x", "anonymous_id": "a"},
        "anonymous.event",
        "anonymous:a",
    ),
    "anonymous screen": (
        "POST",
        "/api/v1/events",
        {"name": "x", "type": "screen"},
        "anonymous.screen",
        "anonymous:",
    ),
    "device": (
        "PUT",
        "/api/v1/customers/42/devices",
        {"device": {"id": "t", "platform": "android", "last_used": TIMESTAMP}},
        "person.add_device",
        "id:42",
    ),
    "device deleted": ("DELETE", "/api/v1/customers/42/devices/t%2F1", b"", "person.delete_device", "id:42"),
    "merge": (
        "POST",
        "/api/v1/merge_customers",
        {"primary": {"id": "1"}, "secondary": {"email": "a@b.c"}},
        "person.merge",
        "id:1",
    ),
    "suppress": ("POST", "/api/v1/customers/42/suppress", b"", "person.suppress", "id:42"),
    "suppress with an empty object": (
        "POST",
        "/api/v1/customers/42/suppress",
        b"{}",
        "person.suppress",
        "id:42",
    ),
    "unsuppress": ("POST", "/api/v1/customers/42/unsuppress", b"", "person.unsuppress", "id:42"),
    "push": (
        "POST",
        "/api/v1/push/events",
        {"delivery_id": "RP", "event": "opened", "device_id": "t", "timestamp": TIMESTAMP},
        "delivery.event",
        "delivery:RP",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_become_operations(track: SocketlessAPI, name: str) -> None:
    method, path, body, action, identifier = CALLS[name]
    assert track.ask(method, path, body).status == 200
    assert [(taken.action, taken.identifier) for taken in track.us.operations] == [(action, identifier)]
    assert track.violations.total == 0


INVALID: dict[str, tuple[str, str, Any, str]] = {
    "no JSON": ("PUT", "/api/v1/customers/42", b"{", ""),
    "no object": ("PUT", "/api/v1/customers/42", b"[]", ""),
    "empty person": ("PUT", "/api/v1/customers/", {}, "identifier"),
    "long person": ("PUT", "/api/v1/customers/" + "x" * 151, {}, "identifier"),
    "timestamp": ("PUT", "/api/v1/customers/42", {"_timestamp": "now"}, "_timestamp"),
    "attribute": ("PUT", "/api/v1/customers/42", {"plan": "x" * 1001}, "attributes.plan"),
    "relationships": ("PUT", "/api/v1/customers/42", {"cio_relationships": []}, "cio_relationships"),
    "relationship action": (
        "PUT",
        "/api/v1/customers/42",
        {"cio_relationships": {"action": "add", "relationships": []}},
        "cio_relationships.action",
    ),
    "event without name": ("POST", "/api/v1/customers/42/events", {"data": {}}, "name"),
    "event with attributes": (
        "POST",
        "/api/v1/customers/42/events",
        {"name": "x", "attributes": {}},
        "attributes",
    ),
    "event type": ("POST", "/api/v1/customers/42/events", {"name": "x", "type": "click"}, "type"),
    "event id": ("POST", "/api/v1/customers/42/events", {"name": "x", "id": "1"}, "id"),
    "anonymous event of a person": (
        "POST",
        "/api/v1/events",
        {"name": "x", "identifiers": {}},
        "identifiers",
    ),
    "anonymous id": ("POST", "/api/v1/events", {"name": "x", "anonymous_id": 1}, "anonymous_id"),
    "data too long": ("POST", "/api/v1/events", {"name": "x", "data": {"a": "x" * 100_000}}, "data"),
    "device token": (
        "PUT",
        "/api/v1/customers/42/devices",
        {"device": {"token": "t", "platform": "ios"}},
        "device.token",
    ),
    "delete with a body": ("DELETE", "/api/v1/customers/42", b'{"a":1}', ""),
    "push event": (
        "POST",
        "/api/v1/push/events",
        {"delivery_id": "RP", "event": "clicked", "device_id": "t"},
        "event",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_calls_are_refused_in_v1s_words(track: SocketlessAPI, name: str) -> None:
    method, path, body, field = INVALID[name]
    reply = track.ask(method, path, body)
    assert reply.status == 400
    (message,) = msgspec.json.decode(reply.body)["meta"]["errors"]
    assert message.startswith(field)
    assert track.us.operations == []
    assert [violation.field for violation in track.violations.kept] == [field]


def test_an_invalid_merge_is_refused_in_words_of_its_own(track: SocketlessAPI) -> None:
    body = {"primary": {"id": "1", "email": "a@b.c"}, "secondary": {"id": "2"}}
    reply = track.ask("POST", "/api/v1/merge_customers", body)
    assert reply.status == 400
    assert msgspec.json.decode(reply.body)["meta"]["error"].startswith("primary")


def test_a_delete_may_carry_a_content_type_and_no_body(track: SocketlessAPI) -> None:
    assert track.ask("DELETE", "/api/v1/customers/42", b"", content_type="application/json").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/segments/1/add_customers", 404),
        ("GET", "/", 404),
        ("POST", "/api/v2/entities", 404),
        ("GET", "/api/v2/batch", 405),
        ("POST", "/api/v1/customers/42", 405),
        ("POST", "/api/v1/accounts/region", 405),
    ],
)
def test_other_paths_and_methods_do_not_exist(
    track: SocketlessAPI, method: str, path: str, status: int
) -> None:
    assert track.ask(method, path, {}).status == status
    assert track.violations.total == 1
