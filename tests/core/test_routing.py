"""Which region an event goes to."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest

from connector.core.effects import Outcome, Send, WriteDeadLetter
from connector.core.options import LanesOptions, RoutingOptions, RoutingRule
from connector.core.routing import Route, Router, Unroutable
from connector.events.decode import Decoder
from connector.events.event import Event, Reason
from connector.events.options import EventOptions
from connector.events.record import Headers, StoredRecord
from tests.core.harness import Harness, event, tombstone, unsendable

REGIONS = ("us", "eu")


def _router(*rules: RoutingRule, function: Route | None = None, **options: Any) -> Router:
    return Router(RoutingOptions(rules=rules, **options), REGIONS, function)


def _region(
    router: Router,
    content: object = None,
    *,
    topic: str = "events",
    region: str | None = None,
    lane: str = "id:42",
) -> str | Unroutable:
    record = StoredRecord(topic, 0, 0, msgspec.json.encode({} if content is None else content))
    kind, _, value = lane.partition(":")
    body = msgspec.json.encode({"identifiers": {kind: value}})
    return router.region(record, Event(None, "0" * 26, 0, region, "person.event", body, lane.encode()))


def test_what_the_event_names_goes_before_everything() -> None:
    router = _router(RoutingRule(region="us", topic="*"), function=lambda content, topic: "us")
    assert _region(router, region="eu") == "eu"


def test_without_anything_it_is_the_default() -> None:
    assert _region(_router(default="eu")) == "eu"


def test_a_region_that_is_not_configured_is_unroutable_without_naming_it() -> None:
    for router in (_router(), _router(strict=True)):
        answer = _region(router, region="secret")
        assert (
            isinstance(answer, Unroutable) and "secret" not in answer.message and "eu, us" in answer.message
        )


def test_strict_sends_what_no_rule_decides_nowhere() -> None:
    router = _router(RoutingRule(region="eu", topic="eu-*"), strict=True)
    assert _region(router, topic="eu-events") == "eu"
    assert isinstance(_region(router, topic="events"), Unroutable)


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("eu-events", "eu-events", True),
        ("eu-*", "eu-x", True),
        ("eu-?", "eu-xy", False),
        ("EU-*", "eu-x", False),
    ],
)
def test_by_topic(pattern: str, topic: str, matches: bool) -> None:
    assert _region(_router(RoutingRule(region="eu", topic=pattern)), topic=topic) == (
        "eu" if matches else "us"
    )


@pytest.mark.parametrize(
    "content",
    [
        {"attributes": {"country": "DE"}},
        {"traits": {"country": "de"}},
        {"properties": {"country": "De"}},
        {"context": {"traits": {"country": "fr"}}},
    ],
)
def test_by_a_bare_attribute_wherever_it_stands_without_case(content: object) -> None:
    router = _router(RoutingRule(region="eu", attribute="country", values=("de", "FR")))
    assert _region(router, content) == "eu"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"attributes": {"country": "us"}},
        {"attributes": {"country": None}},
        {"attributes": None},
        {"traits": []},
        {"context": "x"},
        {"country": "de"},
        [],
    ],
)
def test_an_attribute_that_is_absent_or_other_does_not_match(content: object) -> None:
    router = _router(RoutingRule(region="eu", attribute="country", values=("de",)))
    assert _region(router, content) == "us"


def test_by_a_dotted_path() -> None:
    router = _router(RoutingRule(region="eu", attribute="context.location.eu", values=("true", "1")))
    assert _region(router, {"context": {"location": {"eu": True}}}) == "eu"
    assert _region(router, {"context": {"location": {"eu": 1}}}) == "eu"
    assert _region(router, {"context": {"location": 5}}) == "us"


@pytest.mark.parametrize(("lane", "region"), [("id:eu-7", "eu"), ("id:us-7", "us"), ("email:a@b.eu", "eu")])
def test_by_id_pattern(lane: str, region: str) -> None:
    router = _router(RoutingRule(region="eu", id_pattern=r"^eu-|\.eu$"))
    assert _region(router, lane=lane) == region


def test_an_id_with_a_colon_is_matched_whole() -> None:
    assert _region(_router(RoutingRule(region="eu", id_pattern="^eu:7$")), lane="id:eu:7") == "eu"


def test_all_conditions_of_a_rule_must_hold_and_the_first_rule_decides() -> None:
    router = _router(
        RoutingRule(region="eu", topic="a", attribute="country", values=("de",)),
        RoutingRule(region="us", topic="a"),
    )
    assert _region(router, {"traits": {"country": "de"}}, topic="a") == "eu"
    assert _region(router, {"traits": {"country": "us"}}, topic="a") == "us"
    assert _region(router, {"traits": {"country": "de"}}, topic="b") == "us"


def test_a_rule_without_conditions_decides_nothing() -> None:
    assert _region(_router(RoutingRule(region="eu"))) == "us"


def test_a_function_is_asked_after_the_rules_and_gets_the_event_and_its_topic() -> None:
    asked: list[tuple[Mapping[str, Any], str]] = []

    def route(content: Mapping[str, Any], topic: str) -> str | None:
        asked.append((content, topic))
        return "EU" if content.get("vip") else None

    router = _router(RoutingRule(region="us", topic="ruled"), function=route)
    assert _region(router, {"vip": True}) == "eu"
    assert _region(router, {}) == "us"
    assert _region(router, {"vip": True}, topic="ruled") == "us"
    assert asked == [({"vip": True}, "events"), ({}, "events")]


def test_a_function_that_raises_makes_the_event_unroutable_without_its_content() -> None:
    def route(content: Mapping[str, Any], topic: str) -> str | None:
        raise KeyError(content["email"])

    answer = _region(_router(function=route), {"email": "ann@example.com"})
    assert isinstance(answer, Unroutable) and "KeyError" in answer.message and "ann" not in answer.message


def test_the_digest_changes_with_the_rules_and_the_regions_alone() -> None:
    def digest(options: RoutingOptions, regions: tuple[str, ...] = REGIONS) -> str:
        return Router(options, regions, None).digest

    assert digest(RoutingOptions()) == digest(RoutingOptions(), ("eu", "us"))
    digests = {
        digest(RoutingOptions()),
        digest(RoutingOptions(default="eu")),
        digest(RoutingOptions(strict=True)),
        digest(RoutingOptions(rules=(RoutingRule(region="eu", topic="x"),))),
        digest(RoutingOptions(), ("us", "eu", "ap")),
    }
    assert len(digests) == 5


# ---- with a group for each region ----


def test_with_a_group_each_every_record_is_delivered_by_one_of_them() -> None:
    records = [event(0, "American", region="us"), event(1, "European", region="eu"), event(2, "anyone")]
    records += [tombstone(3), unsendable(4), event(5, region="nowhere")]
    groups = {region: Harness(regions=REGIONS, serves=(region,)) for region in REGIONS}
    for group in groups.values():
        group.receive(*records)
        group.settle()
        assert group.watermark() == 6
    assert groups["us"].delivered() == ["American", "anyone"]
    assert groups["eu"].delivered() == ["European"]
    letters = {region: group.core.snapshot(group.now).dead_letters for region, group in groups.items()}
    assert letters["us"] == {Reason.UNDECODABLE: 1, Reason.UNROUTABLE: 1}
    assert letters["eu"] == {}, "what cannot be decoded or routed belongs to the default region's group alone"


def test_another_group_s_events_are_filtered_before_any_dedup() -> None:
    core = Harness(regions=REGIONS, serves=("us",))
    core.receive(event(0, "one", id="1", region="eu"), event(1, "other", id="1", region="eu"))
    core.advance()
    assert core.endings("eu") == {Outcome.FILTERED: 2}
    assert core.core.snapshot(core.now).conflicts == 0


def test_incident_6_a_dead_region_with_a_group_of_its_own_holds_up_no_offset_of_another() -> None:
    us = Harness(regions=REGIONS, serves=("us",))
    us.receive(event(0, region="eu"), event(1, region="us"))
    us.settle()
    assert us.committed() == 2


# ---- with real events ----


def _real(
    rules: tuple[RoutingRule, ...], lanes_key: Literal["identifier", "record_key"] = "identifier"
) -> Harness:
    return Harness(
        decode=Decoder(EventOptions(), lanes_key),
        lanes=LanesOptions(key=lanes_key),
        regions=REGIONS,
        routing=RoutingOptions(rules=rules),
    )


def _record(content: object, headers: Headers | None = None) -> StoredRecord:
    return StoredRecord("events", 0, 0, msgspec.json.encode(content), b"some key", headers, 1_000)


GERMAN = {
    "type": "person",
    "action": "identify",
    "identifiers": {"id": "ann"},
    "attributes": {"country": "de"},
}


def test_a_rule_looks_into_a_structured_cloudevent() -> None:
    core = _real((RoutingRule(region="eu", attribute="country", values=("de",)),))
    cloud_event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": GERMAN}
    (send,) = core.take(_record(cloud_event, [("content-type", b"application/cloudevents+json")]))
    assert send.region == "eu"


@pytest.mark.parametrize("structured", [True, False])
def test_a_cloudevent_is_told_by_its_content_type_as_in_decoding(structured: bool) -> None:
    core = _real((RoutingRule(region="eu", attribute="country", values=("de",)),))
    content = {"id": "1", "data": GERMAN} if structured else {**GERMAN, "specversion": "1.0", "data": {}}
    content_type = b"application/cloudevents+json; charset=utf-8" if structured else b"application/json"
    (send,) = core.take(_record(content, [("content-type", content_type)]))
    assert send.region == "eu"


@pytest.mark.parametrize("lanes_key", ["identifier", "record_key"])
@pytest.mark.parametrize(
    "content",
    [
        {"type": "person", "action": "event", "identifiers": {"id": "eu-1"}, "name": "n"},
        {"type": "person", "action": "merge", "primary": {"id": "eu-1"}, "secondary": {"id": "2"}},
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"object_type_id": "1", "object_id": "eu-1"},
            "attributes": {},
        },
        {"type": "track", "anonymousId": "eu-1", "event": "n"},
        {"type": "track", "userId": "eu-1", "event": "n"},
    ],
)
def test_an_id_pattern_matches_whom_the_event_concerns_whatever_its_lane(
    content: object, lanes_key: Literal["identifier", "record_key"]
) -> None:
    core = _real((RoutingRule(region="eu", id_pattern="^eu-"),), lanes_key)
    (send,) = core.take(_record(content))
    assert send.region == "eu"


def test_the_same_id_for_another_region_is_sent_there() -> None:
    core = Harness(regions=REGIONS)
    core.receive(event(0, "one", id="1", region="us"), event(1, "one", id="1", region="eu"))
    core.settle()
    assert sorted(send.region for send in core.seen(Send)) == ["eu", "us"]


BY_COUNTRY = RoutingOptions(
    rules=(
        RoutingRule(region="us", id_pattern="^us_"),
        RoutingRule(region="eu", attribute="country", values=("de",)),
    )
)


def _routed_by_country(attributes: bytes) -> Harness:
    harness = Harness(decode=Decoder(EventOptions(), LanesOptions().key), regions=REGIONS, routing=BY_COUNTRY)
    value = b'{"type":"track","messageId":"m","userId":"42","event":"Seen","properties":%b}' % attributes
    harness.receive(StoredRecord("events", 0, 0, value))
    harness.settle()
    return harness


def test_number_beyond_all_bounds_keeps_no_event_from_its_region() -> None:
    harness = _routed_by_country(b'{"country":"de","amount":1e999,"small":-1e-999}')
    assert harness.endings("eu") == {Outcome.ACCEPTED: 1}


def test_a_number_that_rules_cannot_read_is_told_apart_from_a_function_that_fails() -> None:
    """It could be sent, but nobody can say where."""
    harness = _routed_by_country(b'{"country":"de","x":%b}' % (b"1" * 5_000))
    (letter,) = harness.seen(WriteDeadLetter)
    assert letter.reason is Reason.UNROUTABLE
    assert letter.message == "the routing rules cannot read its values: a number is too long"


def test_a_rule_by_identifier_looks_at_nothing_else() -> None:
    value = b'{"type":"track","messageId":"m","userId":"us_1","event":"Seen","properties":{"x":%b}}' % (
        b"1" * 5_000
    )
    harness = Harness(
        decode=Decoder(EventOptions(), LanesOptions().key),
        regions=REGIONS,
        routing=RoutingOptions(default="eu", rules=BY_COUNTRY.rules[:1]),
    )
    harness.receive(StoredRecord("events", 0, 0, value))
    harness.settle()
    assert harness.endings() == {Outcome.ACCEPTED: 1}
