"""One valid operation of every kind, to be bent by the tests."""

from typing import Any

ULID = "01HQ0000000000000000000001"
TIMESTAMP = 1_700_000_000
WHO = {"id": "42"}
COMPANY = {"object_type_id": "1", "object_id": "acme"}
RELATED_OBJECT = [{"identifiers": COMPANY, "relationship_attributes": {"role": "admin"}}]
RELATED_PERSON = [{"identifiers": {"email": "a@example.com"}}]


def person(action: str, **fields: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": WHO, **fields}


def company(action: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "action": action, "identifiers": COMPANY, **fields}


def event(ulid: str = ULID, who: str = "42", name: str = "bought", **fields: Any) -> dict[str, Any]:
    document = {"type": "person", "action": "event", "identifiers": {"id": who}, "name": name, **fields}
    return {**document, "id": ulid} if ulid else document


def ulid(number: int) -> str:
    return f"01HQ{number:022d}"


VALID: dict[str, dict[str, Any]] = {
    "identify": person(
        "identify",
        attributes={"plan": "pro", "_update": True},
        timestamp=TIMESTAMP,
        cio_relationships=RELATED_OBJECT,
    ),
    "identify bare": person("identify"),
    "delete": person("delete"),
    "event": person("event", name="bought", id=ULID, timestamp=TIMESTAMP, attributes={"total": 1.5}),
    "page": person("page", name="https://example.com"),
    "screen": person("screen", name="home", id=ULID),
    "add_relationships": person("add_relationships", cio_relationships=RELATED_OBJECT),
    "delete_relationships": person(
        "delete_relationships", cio_relationships=[{"identifiers": {"cio_object_id": "ob1"}}]
    ),
    "add_device": person(
        "add_device",
        device={"token": "t", "platform": "ios", "last_used": TIMESTAMP, "attributes": {"device_os": "17"}},
    ),
    "delete_device": person("delete_device", device={"token": "t"}),
    "merge": {
        "type": "person",
        "action": "merge",
        "primary": {"id": "1"},
        "secondary": {"email": "a@example.com"},
    },
    "suppress": person("suppress"),
    "unsuppress": person("unsuppress"),
    "by email": {**person("delete"), "identifiers": {"email": "a@example.com"}},
    "by phone": {**person("delete"), "identifiers": {"phone": "+14155552671"}},
    "by cio_id": {**person("delete"), "identifiers": {"cio_id": "a3000001"}},
    "object identify": company("identify", attributes={"name": "Acme"}, cio_relationships=RELATED_PERSON),
    "object identify_anonymous": company(
        "identify_anonymous", cio_relationships=[{"identifiers": {"anonymous_id": "anon"}}]
    ),
    "object delete": company("delete"),
    "object add_relationships": company("add_relationships", cio_relationships=RELATED_PERSON),
    "object delete_relationships": company("delete_relationships", cio_relationships=RELATED_PERSON),
    "object by cio_object_id": {**company("delete"), "identifiers": {"cio_object_id": "ob1"}},
    "delivery": {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "RPJ"},
        "name": "opened",
        "attributes": {"device_token": "t"},
    },
}
