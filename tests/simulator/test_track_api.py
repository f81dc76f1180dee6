"""Credentials and regions, batches and their limits."""

import json
from typing import Any

import msgspec
import pytest

from connector.simulator import limits
from tests.simulator.conftest import EU, SocketlessAPI
from tests.simulator.operations import VALID, event, person, ulid


def errors(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(body)["errors"]
    return found


def test_wrong_credentials_are_refused(track: SocketlessAPI) -> None:
    for auth in (("us-site", "wrong"), ("wrong", "us-key"), ("us-site", "eu-key"), ("", "")):
        assert track.batch(person("delete"), auth=auth).status == 401
    assert track.us.operations == []
    assert track.us.counts.requests_refused == 4
    assert track.violations.total == 0, "a wrong key is no invalid request"


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic", "Basic ***", "Basic /w=="])
def test_unreadable_credentials_are_refused(track: SocketlessAPI, authorization: str) -> None:
    from connector.simulator.track_api import Request

    request = Request(
        "us", "POST", "/api/v2/batch", authorization, "application/json", b"", lambda region: region
    )
    assert track.api.answer(request, 1.0).status == 401


def test_eu_credentials_at_the_us_host_are_redirected(track: SocketlessAPI) -> None:
    reply = track.batch(person("delete"), host="us", auth=EU)
    assert (reply.status, reply.headers["Location"]) == (308, "http://eu.example/api/v2/batch")
    assert track.workspaces["eu"].operations == []


def test_us_credentials_at_the_eu_host_are_refused(track: SocketlessAPI) -> None:
    assert track.batch(person("delete"), host="eu").status == 401
    assert track.us.operations == []


@pytest.mark.parametrize("host", ["us", "eu"])
def test_the_account_region_is_answered_on_either_host(track: SocketlessAPI, host: str) -> None:
    reply = track.ask("GET", "/api/v1/accounts/region", host=host, auth=EU)
    assert msgspec.json.decode(reply.body) == {
        "url": "http://eu.example",
        "region": "eu",
        "environment_id": 2,
    }
    assert track.ask("GET", "/api/v1/accounts/region", host=host, auth=("x", "y")).status == 401


def test_a_batch_of_everything_is_accepted_in_order(track: SocketlessAPI) -> None:
    documents = [
        {**document, "id": ulid(number)} if "id" in document else document
        for number, document in enumerate(VALID.values())
    ]
    reply = track.batch(*documents)
    assert (reply.status, reply.body) == (200, b"{}")
    assert [taken.action for taken in track.us.operations] == [
        f"{document['type']}.{document['action']}" for document in documents
    ]
    assert [taken.sequence for taken in track.us.operations] == list(range(len(documents)))
    assert track.violations.total == 0


def test_invalid_items_are_named_and_all_others_accepted(track: SocketlessAPI) -> None:
    reply = track.batch(
        event(ulid(1)), person("event"), event(ulid(2)), person("identify", attributes={"p": "x" * 1001})
    )
    assert reply.status == 207
    assert errors(reply.body) == [
        {"batch_index": 1, "reason": "required", "field": "name", "message": "is required"},
        {
            "batch_index": 3,
            "reason": "invalid",
            "field": "attributes.p",
            "message": "property value cannot be longer than 1000 bytes",
        },
    ]
    assert [taken.id for taken in track.us.operations] == [ulid(1), ulid(2)]
    assert track.us.counts.operations_rejected == 2
    assert [(violation.batch_index, violation.action) for violation in track.violations.kept] == [
        (1, "person.event"),
        (3, "person.identify"),
    ]
    assert [violation.in_attributes for violation in track.violations.kept] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"batch": {}}',
        b'{"batch": []}',
        b'{"batch": [], "more": 1}',
        b'{"batch": [{"type": "person"}',
        b'{"batch": [{"type": "\xff"}]}',
        b'{"batch": [{"a": 1e999}]}',
        b'{"batch": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    ],
)
def test_a_malformed_body_is_refused_whole(track: SocketlessAPI, body: bytes) -> None:
    reply = track.ask("POST", "/api/v2/batch", body)
    assert reply.status == 400
    assert errors(reply.body)[0]["reason"] in ("malformed", "required")
    assert track.us.operations == []
    assert track.violations.kept[0].batch_index is None


def test_one_item_in_bad_utf_8_spoils_its_whole_batch(track: SocketlessAPI) -> None:
    good = json.dumps(event(ulid(1))).encode()
    reply = track.ask("POST", "/api/v2/batch", b'{"batch":[' + good + b',{"name":"\xc3"}]}')
    assert reply.status == 400
    assert track.us.operations == []


def padded(size: int, number: int = 0) -> bytes:
    """An event of exactly so many bytes."""
    bare = msgspec.json.encode(event(ulid(number), attributes={"pad": ""}))
    return msgspec.json.encode(event(ulid(number), attributes={"pad": "x" * (size - len(bare))}))


def test_an_operation_of_32_000_bytes_is_accepted_and_a_byte_more_is_not(track: SocketlessAPI) -> None:
    largest, larger = padded(limits.OPERATION_BYTES, 1), padded(limits.OPERATION_BYTES + 1, 2)
    reply = track.ask("POST", "/api/v2/batch", b'{"batch":[' + largest + b"," + larger + b"]}")
    assert [(error["batch_index"], error["reason"]) for error in errors(reply.body)] == [(1, "too_large")]
    assert track.ask("POST", "/api/v2/entity", padded(limits.OPERATION_BYTES, 3)).status == 200
    assert track.ask("POST", "/api/v2/entity", padded(limits.OPERATION_BYTES + 1, 4)).status == 400
    assert [taken.id for taken in track.us.operations] == [ulid(1), ulid(3)]


def test_a_batch_is_smaller_than_500_000_bytes(track: SocketlessAPI) -> None:
    items = [padded(25_000, number) for number in range(19)]
    frame = len(b'{"batch":[]}') + len(items)
    for size, status in ((limits.BATCH_BYTES - 1, 200), (limits.BATCH_BYTES, 400)):
        last = padded(size - frame - sum(map(len, items)), 100)
        body = b'{"batch":[' + b",".join([*items, last]) + b"]}"
        assert len(body) == size
        assert track.ask("POST", "/api/v2/batch", body).status == status
    assert len(track.us.operations) == 20


def test_an_entity_is_one_operation(track: SocketlessAPI) -> None:
    assert track.ask("POST", "/api/v2/entity", VALID["event"]).status == 200
    reply = track.ask("POST", "/api/v2/entity", person("event"))
    assert reply.status == 400
    assert errors(reply.body) == [{"reason": "required", "field": "name", "message": "is required"}]
    assert track.ask("POST", "/api/v2/entity", b"nonsense").status == 400
    assert [violation.action for violation in track.violations.kept] == ["person.event", ""]


def test_bodies_are_declared_as_json(track: SocketlessAPI) -> None:
    assert track.batch(VALID["event"], content_type="text/plain").status == 400
    assert track.batch(VALID["event"], content_type="application/json; charset=utf-8").status == 200


def test_forgiving_mode_takes_what_customer_io_takes() -> None:
    track = SocketlessAPI(strict=False)
    document = {**event("no ulid", timestamp="yesterday"), "identifiers": {"id": 42}, "region": "eu"}
    assert track.batch(document, content_type="").status == 200
    assert track.batch(person("event")).status == 207
    assert track.ask("POST", "/api/v1/customers/1/events", {"name": "x", "id": "no ulid"}).status == 200
    assert [taken.identifier for taken in track.us.operations] == ["id:42", "id:1"]
    assert track.violations.total == 1


def test_an_injected_rejection_is_no_violation(track: SocketlessAPI) -> None:
    answers = iter([True, False])
    reply = track.batch(event(ulid(1)), event(ulid(2)), rejects=lambda: next(answers))
    assert [error["batch_index"] for error in errors(reply.body)] == [0]
    assert [taken.id for taken in track.us.operations] == [ulid(2)]
    assert track.ask("POST", "/api/v2/entity", event(ulid(3)), rejects=lambda: True).status == 400
    assert track.violations.total == 0


def test_violations_never_hold_values(track: SocketlessAPI) -> None:
    planted = "planted-secret"
    track.batch(
        {**event(), "id": planted},
        person("identify", attributes={"plan": planted * 100}),
        {**person("delete"), "identifiers": {"phone": planted}},
        {**person(planted)},
        {"type": planted, "action": planted},
    )
    track.ask("POST", "/api/v2/batch", f'{{"batch": ["{planted}" {planted}'.encode())
    assert track.violations.total == 6
    assert planted not in msgspec.json.encode(track.violations.kept).decode()
