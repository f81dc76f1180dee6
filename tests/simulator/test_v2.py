"""Every operation of v2, and every rule that one can break."""

from typing import Any

import pytest

from connector.simulator import v2
from connector.simulator.operation import InvalidError
from tests.simulator.operations import COMPANY, TIMESTAMP, ULID, VALID, company, event, person


@pytest.mark.parametrize("name", VALID)
def test_valid_operations_are_read(name: str) -> None:
    document = VALID[name]
    assert v2.read_operation(document).action == f"{document['type']}.{document['action']}"


def test_identifiers_name_the_lane() -> None:
    identifiers = {name: v2.read_operation(document).identifier for name, document in VALID.items()}
    assert identifiers["event"] == "id:42"
    assert identifiers["by email"] == "email:a@example.com"
    assert identifiers["by phone"] == "phone:+14155552671"
    assert identifiers["by cio_id"] == "cio_id:a3000001"
    assert identifiers["object identify"] == "object:1:acme"
    assert identifiers["object by cio_object_id"] == "cio_object_id:ob1"
    assert identifiers["delivery"] == "delivery:RPJ"
    assert identifiers["merge"] == "id:1"
    assert v2.read_operation(VALID["merge"]).identifier_secondary == "email:a@example.com"


@pytest.mark.parametrize("name", VALID)
def test_an_unknown_field_is_invalid(name: str) -> None:
    with pytest.raises(InvalidError, match="region: unknown field"):
        v2.read_operation({**VALID[name], "region": "eu"})


REQUIRED = [
    (name, field)
    for name, fields in {
        "identify": ("type", "action", "identifiers"),
        "event": ("name",),
        "add_relationships": ("cio_relationships",),
        "add_device": ("device",),
        "delete_device": ("device",),
        "merge": ("primary", "secondary"),
        "object identify": ("identifiers",),
        "object add_relationships": ("cio_relationships",),
        "delivery": ("name", "attributes", "identifiers"),
    }.items()
    for field in fields
]


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_missing_field_is_invalid(name: str, field: str) -> None:
    document = {key: value for key, value in VALID[name].items() if key != field}
    with pytest.raises(InvalidError, match=f"{field}: is required"):
        v2.read_operation(document)


LONG = "é" * 75 + "x"  # 151 bytes, 76 characters
DEVICE = {"token": "t", "platform": "ios"}
INVALID: dict[str, tuple[str, Any]] = {
    "not an object": ("", []),
    "type unknown": ("type", {**person("identify"), "type": "group"}),
    "type not a string": ("type", {**person("identify"), "type": ["person"]}),
    "action unknown": ("action", person("explode")),
    "action of another type": ("action", company("event", name="x")),
    "action not a string": ("action", person("identify") | {"action": {}}),
    "no identifier": ("identifiers", {**person("delete"), "identifiers": {}}),
    "two identifiers": ("identifiers", {**person("delete"), "identifiers": {"id": "1", "email": "a@b.c"}}),
    "unknown identifier": ("identifiers.user", {**person("delete"), "identifiers": {"user": "1"}}),
    "anonymous person": (
        "identifiers.anonymous_id",
        {**person("delete"), "identifiers": {"anonymous_id": "1"}},
    ),
    "numeric id": ("identifiers.id", {**person("delete"), "identifiers": {"id": 1}}),
    "empty id": ("identifiers.id", {**person("delete"), "identifiers": {"id": ""}}),
    "long id": ("identifiers.id", {**person("delete"), "identifiers": {"id": LONG}}),
    "phone": ("identifiers.phone", {**person("delete"), "identifiers": {"phone": "0415"}}),
    "identifiers not an object": ("identifiers", {**person("delete"), "identifiers": "42"}),
    "ulid lower case": ("id", event(ULID.lower())),
    "ulid too short": ("id", event(ULID[:-1])),
    "ulid beyond 128 bits": ("id", event("8" + ULID[1:])),
    "ulid with an I": ("id", event(ULID[:-1] + "I")),
    "ulid with a newline": ("id", event(ULID[:-1] + "\n")),
    "uuid": ("id", event("123e4567-e89b-12d3-a456-426614174000")),
    "timestamp a string": ("timestamp", event(timestamp="1700000000")),
    "timestamp a float": ("timestamp", event(timestamp=1700000000.0)),
    "timestamp a boolean": ("timestamp", event(timestamp=True)),
    "timestamp in milliseconds": ("timestamp", event(timestamp=TIMESTAMP * 1000)),
    "timestamp negative": ("timestamp", event(timestamp=-1)),
    "timestamp of identify": ("timestamp", person("identify", timestamp="now")),
    "timestamp of an object": ("timestamp", company("identify", timestamp=TIMESTAMP)),
    "name empty": ("name", event(name="")),
    "name long": ("name", event(name="é" * 51)),
    "name a number": ("name", event(name=1)),  # type: ignore[arg-type]
    "attributes a list": ("attributes", person("identify", attributes=[])),
    "event attributes a list": ("attributes", event(attributes=[])),
    "attributes null": ("attributes", person("identify", attributes=None)),
    "_update a string": ("attributes._update", person("identify", attributes={"_update": "yes"})),
    "too many attributes": ("attributes", person("identify", attributes={f"a{i}": 1 for i in range(301)})),
    "attribute name long": (
        "attributes.xxxxxxxxxxxxxxxxxxxx...",
        person("identify", attributes={"x" * 151: 1}),
    ),
    "attribute value long": ("attributes.plan", person("identify", attributes={"plan": "é" * 501})),
    "attribute list long": (
        "attributes.plan",
        person("identify", attributes={"plan": ["x" * 500, "y" * 500]}),
    ),
    "object attribute long": ("attributes.plan", company("identify", attributes={"plan": "x" * 1001})),
    "relationships an object": ("cio_relationships", person("add_relationships", cio_relationships={})),
    "relationship to a person's id": (
        "cio_relationships[0].identifiers.id",
        person("add_relationships", cio_relationships=[{"identifiers": {"id": "1"}}]),
    ),
    "relationship without identifiers": (
        "cio_relationships[0].identifiers",
        person("add_relationships", cio_relationships=[{}]),
    ),
    "relationship with an unknown field": (
        "cio_relationships[1].role",
        person(
            "identify", cio_relationships=[{"identifiers": COMPANY}, {"identifiers": COMPANY, "role": "x"}]
        ),
    ),
    "person related by phone": (
        "cio_relationships[0].identifiers.phone",
        company("identify", cio_relationships=[{"identifiers": {"phone": "+1"}}]),
    ),
    "anonymous person related": (
        "cio_relationships[0].identifiers.anonymous_id",
        company("identify", cio_relationships=[{"identifiers": {"anonymous_id": "1"}}]),
    ),
    "relationship attributes": (
        "cio_relationships[0].relationship_attributes.role",
        person(
            "identify",
            cio_relationships=[{"identifiers": COMPANY, "relationship_attributes": {"role": "x" * 1001}}],
        ),
    ),
    "device without platform": ("device.platform", person("add_device", device={"token": "t"})),
    "device of windows": (
        "device.platform",
        person("add_device", device={"token": "t", "platform": "windows"}),
    ),
    "device without token": ("device.token", person("add_device", device={"platform": "ios"})),
    "device with an unknown field": ("device.color", person("add_device", device={**DEVICE, "color": "red"})),
    "device attribute a number": (
        "device.attributes.n",
        person("add_device", device={**DEVICE, "attributes": {"n": 1}}),
    ),
    "device used in milliseconds": (
        "device.last_used",
        person("add_device", device={**DEVICE, "last_used": TIMESTAMP * 1000}),
    ),
    "deleted device with platform": ("device.platform", person("delete_device", device=DEVICE)),
    "merge with itself": (
        "secondary",
        {"type": "person", "action": "merge", "primary": {"id": "1"}, "secondary": {"id": "1"}},
    ),
    "merge by phone": (
        "primary.phone",
        {"type": "person", "action": "merge", "primary": {"phone": "+1"}, "secondary": {"id": "1"}},
    ),
    "object type a word": (
        "identifiers.object_type_id",
        {**company("delete"), "identifiers": {"object_type_id": "company", "object_id": "acme"}},
    ),
    "object type a number": (
        "identifiers.object_type_id",
        {**company("delete"), "identifiers": {"object_type_id": 1, "object_id": "acme"}},
    ),
    "object id missing": (
        "identifiers.object_id",
        {**company("delete"), "identifiers": {"object_type_id": "1"}},
    ),
    "object id long": (
        "identifiers.object_id",
        {**company("delete"), "identifiers": {"object_type_id": "1", "object_id": LONG}},
    ),
    "object by both": (
        "identifiers",
        {**company("delete"), "identifiers": {**COMPANY, "cio_object_id": "ob1"}},
    ),
    "delivery clicked": ("name", {**VALID["delivery"], "name": "clicked"}),
    "delivery without token": ("attributes.device_token", {**VALID["delivery"], "attributes": {}}),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_broken_rule_is_named_by_its_field(name: str) -> None:
    field, document = INVALID[name]
    with pytest.raises(InvalidError) as raised:
        v2.read_operation(document)
    assert raised.value.field == field


@pytest.mark.parametrize(
    "document",
    [
        {**person("delete"), "identifiers": {"id": "é" * 75}},
        event(name="é" * 50),
        person("identify", attributes={"x" * 150: "é" * 500}),
        person("identify", attributes={f"a{i}": 1 for i in range(300)}),
        event(attributes={"note": "x" * 5000}),
    ],
)
def test_the_limits_themselves_are_valid(document: dict[str, Any]) -> None:
    assert v2.read_operation(document)


def test_forgiving_leaves_out_what_customer_io_ignores() -> None:
    document = {**event("no ulid", timestamp="yesterday"), "identifiers": {"id": 42}, "region": "eu"}
    operation = v2.read_operation(v2.forgive(document))
    assert (operation.identifier, operation.id, operation.timestamp) == ("id:42", "", None)


def test_forgiving_still_refuses_what_customer_io_refuses() -> None:
    with pytest.raises(InvalidError, match="name"):
        v2.read_operation(v2.forgive(person("event")))
    with pytest.raises(InvalidError):
        v2.read_operation(v2.forgive("nonsense"))
