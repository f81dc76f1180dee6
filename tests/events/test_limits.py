"""Limits are exact, and count the bytes that are sent."""

from typing import Any

import pytest

from connector.events.event import Reason
from tests.events.decoding import (
    bought,
    call,
    company,
    event,
    operation,
    person,
    refused,
    sent,
    track,
    without,
)

EURO = "€"  # three bytes
OPERATION_BYTES_MAX = 32_000


def padded(value: dict[str, Any], size: int, **how: Any) -> dict[str, Any]:
    """The same with an attribute that makes the body this long."""
    value = {**value, "attributes": {"pad": ""}}
    missing = size - len(operation(value, **how).body)
    return {**value, "attributes": {"pad": "x" * missing}}


@pytest.mark.parametrize(
    "value",
    [
        bought(),
        without(bought(), "timestamp"),
        without(bought(), "event_id"),
        person("identify"),
        company("identify"),
    ],
)
def test_operation_of_exactly_32000_bytes(value: dict[str, Any]) -> None:
    assert len(operation(padded(value, OPERATION_BYTES_MAX)).body) == OPERATION_BYTES_MAX
    message = refused(padded(value, OPERATION_BYTES_MAX + 1), Reason.TOO_LARGE)
    assert message.endswith("has 32001 bytes, more than 32000")


def test_what_the_record_adds_counts() -> None:
    """The same event fits without the record's timestamp."""
    value = padded(without(bought(), "timestamp"), OPERATION_BYTES_MAX, timestamp_ms=-1)
    assert event(value, timestamp_ms=-1)
    assert refused(value, Reason.TOO_LARGE)


def test_large_value_with_a_small_operation_is_sent() -> None:
    assert event(bought(ignored="x" * 1_000_000))


def test_each_of_two_operations_is_checked() -> None:
    context = {"device": {"token": "t-1", "type": "ios"}}
    value = track("Application Opened", context=context, properties={"pad": "x" * 32_000})
    assert "person.event" in refused(value, Reason.TOO_LARGE)
    context = {"device": {"token": "t" * 32_000, "type": "ios"}}
    assert "person.add_device" in refused(track("Application Opened", context=context), Reason.TOO_LARGE)


@pytest.mark.parametrize("kind", ["id", "email", "cio_id", "anonymous_id"])
def test_persons_id_of_exactly_150_bytes(kind: str) -> None:
    for text in ("x" * 150, EURO * 50):
        assert event(bought(identifiers={kind: text}))
        assert event(bought(identifiers={kind: text}, timestamp=None))
    for text in ("x" * 151, EURO * 50 + "x"):
        assert refused(bought(identifiers={kind: text})) == "`identifiers` is longer than 150 bytes"


@pytest.mark.parametrize("text", ["x" * 150, '"' * 150, EURO * 50])
def test_bytes_of_an_id_are_counted_unescaped(text: str) -> None:
    assert sent(track("x", userId=text))["identifiers"] == {"id": text}
    assert refused(track("x", userId=text + "y")) == "`userId` is longer than 150 bytes"


def test_objects_id_of_exactly_150_bytes() -> None:
    identifiers = {"object_type_id": "1", "object_id": EURO * 50}
    assert event(company("delete", identifiers=identifiers))
    identifiers["object_id"] += "x"
    assert (
        refused(company("delete", identifiers=identifiers))
        == "`identifiers.object_id` is longer than 150 bytes"
    )
    assert refused(call("group", groupId="x" * 151)) == "`groupId` is longer than 150 bytes"


@pytest.mark.parametrize("name", ["x" * 100, '"' * 100, EURO * 33 + "x"])
def test_event_name_of_exactly_100_bytes(name: str) -> None:
    for value in (bought(name=name), person("page", name=name), track(name), call("screen", name=name)):
        assert sent(value)["name"] == name
    for value in (bought(name=name + "y"), person("page", name=name + "y"), call("screen", name=name + "y")):
        assert refused(value) == "`name` is longer than 100 bytes"
    assert refused(track(name + "y")) == "`event` is longer than 100 bytes"


def test_data_of_an_anonymous_event_of_exactly_100000_bytes() -> None:
    frame = len(b'{"pad":""}')
    anonymous = {"anonymous_id": "a-1"}
    fits = {"pad": "x" * (100_000 - frame)}
    too_large = {"pad": "x" * (100_001 - frame)}
    assert event(bought(identifiers=anonymous, attributes=fits))
    assert event(track("x", userId=None, anonymousId="a-1", properties=fits))
    message = refused(bought(identifiers=anonymous, attributes=too_large), Reason.TOO_LARGE)
    assert message == "the event's data has 100001 bytes, more than 100000"


def test_attributes_one_by_one_are_left_to_customerio() -> None:
    """It names the one that is too long in its 207."""
    attributes = {"a" * 151: "v" * 1_001} | {f"a{number}": number for number in range(301)}
    assert event(bought(attributes=attributes))
