"""The schemas and the decoder say the same of every event, as far as a schema can say it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from connector.events.event import Event, Rejection
from connector.events.segment_semantics import SEMANTIC_EVENTS
from tests.events.decoding import decode, event
from tests.events.generation import calls, spoiled, track_v2

SCHEMAS = {
    name: json.loads((Path(__file__).parents[2] / "schemas" / f"{name}.schema.json").read_text())
    for name in ("track-v2", "segment")
}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
EXAMPLES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, schema in SCHEMAS.items()
    for number, example in enumerate(schema["examples"])
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_are_valid_and_decode(name: str, example: Any) -> None:
    VALIDATORS[name].validate(example)
    assert event(example).operations


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_vocabularies_do_not_overlap(name: str, example: Any) -> None:
    (other,) = SCHEMAS.keys() - {name}
    assert not VALIDATORS[other].is_valid(example)


def test_examples_show_every_operation() -> None:
    actions = {
        (example["type"], operation.action)
        for schema in SCHEMAS.values()
        for example in schema["examples"]
        for operation in event(example).operations
    }
    people = {"event", "page", "screen", "identify", "delete", "suppress", "unsuppress", "merge"}
    people |= {"add_device", "delete_device", "add_relationships", "delete_relationships"}
    objects = {"identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"}
    assert {("person", f"person.{action}") for action in people} <= actions
    assert {("object", f"object.{action}") for action in objects} <= actions
    assert {("delivery", "delivery.event")} <= actions
    assert {type_ for type_, _ in actions} >= {"identify", "track", "page", "screen", "group", "alias"}


@given(track_v2())
def test_valid_track_v2_operations_decode(value: Any) -> None:
    VALIDATORS["track-v2"].validate(value)
    assert isinstance(decode(value), Event), decode(value)


@given(calls())
def test_valid_calls_decode(value: Any) -> None:
    VALIDATORS["segment"].validate(value)
    assert isinstance(decode(value), Event), decode(value)


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(spoiled(track_v2()))
def test_spoiled_track_v2_operations_are_refused_by_both_or_neither(value: Any) -> None:
    _agree("track-v2", value)


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(spoiled(calls()))
def test_spoiled_calls_are_refused_by_both_or_neither(value: Any) -> None:
    if value.get("event") not in list(SEMANTIC_EVENTS):
        _agree("segment", value)


def _agree(name: str, value: Any) -> None:
    decoded = decode(value)
    if isinstance(decoded, Rejection) and decoded.message.endswith("are the same person"):
        return  # which no schema can say
    assert VALIDATORS[name].is_valid(value) is isinstance(decoded, Event), decoded
