"""What each of the Segment spec's calls becomes. The choices where public destinations differ are `SegmentOptions`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from connector.events import encode
from connector.events.encode import Draft
from connector.events.identifiers import encode_json, id_text, object_named
from connector.events.limits import EVENT_NAME_BYTES_MAX
from connector.events.options import SegmentOptions
from connector.events.raw import ABSENT, has_member, json_object, may_have_member, members, scalar
from connector.events.refusal import RefusedError
from connector.events.segment_calls import (
    Alias,
    Group,
    Identify,
    Page,
    Screen,
    Track,
    anonymous_of,
    context_traits,
    event_draft,
    person_by_user_id,
    person_of,
    required_person,
    seconds_of,
)
from connector.events.segment_semantics import SEMANTIC_EVENTS, object_type
from connector.events.timestamps import unix_seconds

_GROUP_CONTROLS = ("object_type_id", "objectTypeId", "objectAttributes", "relationshipAttributes")


def handlers(options: SegmentOptions) -> dict[type, Callable[[Any], tuple[Draft, ...]]]:
    """What turns each call into operations."""
    calls: dict[type, Callable[[SegmentOptions, Any], tuple[Draft, ...]]] = {
        Identify: _identify,
        Track: _track,
        Page: _page,
        Screen: _screen,
        Group: _group,
        Alias: _alias,
    }
    return {call: partial(handle, options) for call, handle in calls.items()}


def _identify(options: SegmentOptions, call: Identify) -> tuple[Draft, ...]:
    person = required_person(call, options)
    attributes = json_object(call.traits, "traits") or context_traits(call)
    anonymous_id = None
    if options.anonymous_id_on_identify and call.anonymous_id is not None and call.anonymous_id != "":
        anonymous_id = id_text(call.anonymous_id, "anonymousId")
    attributes = _person_attributes(attributes, anonymous_id)
    update_only = has_member(attributes, "_update")
    return (encode.person_identify(person, attributes, b"", seconds_of(call), update_only),)


def _person_attributes(traits: bytes, anonymous_id: str | None) -> bytes:
    """Traits with `createdAt` as `created_at` in Unix seconds, and with the anonymous id unless they have one."""
    if not may_have_member(traits, "createdAt"):
        if anonymous_id is None:
            return traits
        if not may_have_member(traits, "anonymous_id"):
            return _with_first_member(traits, b'"anonymous_id":' + encode_json(anonymous_id))
    attributes = members(traits)
    created = scalar(attributes.get("createdAt"))
    if isinstance(created, str | int | float) and not isinstance(created, bool):
        try:
            created_at = msgspec.Raw(b"%d" % unix_seconds(created, "traits.createdAt"))
        except RefusedError:
            pass  # an attribute like any other: nothing else depends on it
        else:
            del attributes["createdAt"]
            attributes.setdefault("created_at", created_at)
    if anonymous_id is not None:
        attributes.setdefault("anonymous_id", msgspec.Raw(encode_json(anonymous_id)))
    return encode_json(attributes)


def _with_first_member(json: bytes, member: bytes) -> bytes:
    rest = json[1:].lstrip()
    return b"{%b}" % member if rest in (b"", b"}") else b"{%b,%b" % (member, rest)


def _track(options: SegmentOptions, call: Track) -> tuple[Draft, ...]:
    name = call.event.strip() if call.event else ""
    if options.semantic_events and name in SEMANTIC_EVENTS:
        return SEMANTIC_EVENTS[name](options, call)
    attributes = json_object(call.properties, "properties")
    return (
        event_draft("event", call, encode.event_name(name, "event"), person_of(call, options), attributes),
    )


def _page(options: SegmentOptions, call: Page) -> tuple[Draft, ...]:
    properties = json_object(call.properties, "properties")
    name = _page_name(scalar(members(properties).get("url")), call.name)
    return (event_draft("page", call, name, person_of(call, options), properties),)


def _page_name(url: Any, name: str | None) -> bytes:
    """The URL, else the name. Many URLs are longer than a name may be: such a one goes without its query and
    fragment, and if that does not help, the name stands in. The whole URL is among the attributes in any case."""
    if not isinstance(url, str) or not url or url.isspace():
        return encode.event_name(name, "name")
    for candidate in (url, url.partition("#")[0].partition("?")[0], name):
        if candidate and len(candidate.encode()) <= EVENT_NAME_BYTES_MAX:
            return encode.event_name(candidate, "name")
    return encode.event_name(url, "properties.url")


def _screen(options: SegmentOptions, call: Screen) -> tuple[Draft, ...]:
    properties = json_object(call.properties, "properties")
    return (
        event_draft(
            "screen", call, encode.event_name(call.name, "name"), person_of(call, options), properties
        ),
    )


def _group(options: SegmentOptions, call: Group) -> tuple[Draft, ...]:
    if call.group_id is None:
        raise RefusedError("`groupId` is missing")
    traits = members(json_object(call.traits, "traits"))
    type_field, type_id = object_type(traits, "traits", options)
    named = object_named(type_id, call.group_id, type_field, "groupId")
    relationship_attributes = json_object(
        traits.get("relationshipAttributes", ABSENT), "traits.relationshipAttributes"
    )
    attributes = json_object(traits.get("objectAttributes", ABSENT), "traits.objectAttributes")
    if not attributes:
        own = {name: value for name, value in traits.items() if name not in _GROUP_CONTROLS}
        attributes = encode_json(own) if own else b""

    action, related = "identify", person_of(call, options)
    if related is None and (anonymous := anonymous_of(call)):
        action, related = "identify_anonymous", anonymous
    relationships = [] if related is None else [encode.relationship(related[0], relationship_attributes)]
    return (encode.object_action(action, named, attributes, encode.relationship_list(relationships)),)


def _alias(options: SegmentOptions, call: Alias) -> tuple[Draft, ...]:
    if call.user_id is None:
        raise RefusedError("`userId` is missing")
    if call.previous_id is None:
        raise RefusedError("`previousId` is missing")
    primary = person_by_user_id(call.user_id, options, "userId")
    secondary = person_by_user_id(call.previous_id, options, "previousId")
    return (encode.merge(primary, secondary, "userId", "previousId"),)
