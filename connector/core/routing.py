"""Which region an event goes to: what it says itself, else the rules, a person's own function, the default."""

import hashlib
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from connector.core.options import RoutingOptions, RoutingRule
from connector.events.event import Event, RequestKind
from connector.events.headers import read_headers
from connector.events.named_region import named_region
from connector.events.record import Record

Route = Callable[[Mapping[str, Any], str], str | None]
"""A person's own routing function: the decoded event and its topic in, a region's name or None out. Pure."""

_IDENTIFIERS = ("object_id", "cio_object_id", "id", "email", "phone", "cio_id", "anonymous_id")
_LANE_OF_ID = b"id:"
"""A lane named after a person's id says what the body would have to be read for."""
_PLACES = ("attributes", "traits", "properties")


class _UnreadableError(Exception):
    """An event that can be sent as it is holds values that cannot be looked at."""


class _Names(msgspec.Struct):
    """What names the person, object or delivery in an operation. Everything else is passed over unread."""

    identifiers: dict[str, str] = {}
    primary: dict[str, str] = {}
    anonymous_id: str = ""


_read_names = msgspec.json.Decoder(_Names).decode
_read_content = msgspec.json.Decoder(float_hook=float).decode
"""Numbers beyond all bounds are infinite here instead of an error: they are passed on as they are."""


class Unroutable(msgspec.Struct, frozen=True):
    """No region can be named for an event."""

    message: str


def routing_digest(options: RoutingOptions, regions: tuple[str, ...]) -> str:
    """Changes with the settings: offsets committed under other rules mean something else."""
    return hashlib.blake2b(msgspec.json.encode((options, sorted(regions))), digest_size=4).hexdigest()


class Router:
    """Names the region of each event."""

    def __init__(self, options: RoutingOptions, regions: tuple[str, ...], function: Route | None) -> None:
        self._regions = frozenset(regions)
        self._default = options.default
        self._strict = options.strict
        self._rules = [(rule, _compiled(rule.id_pattern)) for rule in options.rules]
        self._function = function
        self.trivial = not (options.rules or options.strict or function)
        """Every event goes where it says, or to the default."""
        self.digest = routing_digest(options, regions)

    def region(self, record: Record, event: Event) -> str | Unroutable:
        """The region's name. One that is not configured is never replaced by the default."""
        named = event.region
        if named is None and not self.trivial:
            try:
                named = self._decide(record, event)
            except _UnreadableError:
                return Unroutable("the routing rules cannot read its values: a number is too long")
            except Exception as error:  # noqa: BLE001 - a person's own function may raise anything
                return Unroutable(f"the routing function raised {type(error).__name__}")
        if named is None:
            if self._strict:
                return Unroutable("no routing rule decides its region, and routing.strict is on")
            named = self._default
        if named not in self._regions:
            known = ", ".join(sorted(self._regions))
            return Unroutable(f"names a region that is not configured; configured: {known}")
        return named

    def foretold(self, record: Record) -> str | None:
        """The region of whatever the record holds, valid or not, where it can be told without decoding it. None: it
        takes a closer look."""
        named = named_region(record)
        if named is None:
            return self._default if self.trivial else None
        return named if named in self._regions else None

    def _decide(self, record: Record, event: Event) -> str | None:
        topic = record.topic() or ""
        content: Mapping[str, Any] | None = None
        for rule, id_pattern in self._rules:
            if rule.attribute is not None and content is None:
                content = _content(record)
            if _matches(rule, id_pattern, topic, event, content or {}):
                return rule.region
        if self._function is None:
            return None
        named = self._function(_content(record) if content is None else content, topic)
        return None if named is None else str(named).lower()


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else re.compile(pattern)


def _content(record: Record) -> Mapping[str, Any]:
    try:
        content = _read_content(record.value() or b"{}")
    except msgspec.DecodeError:
        raise _UnreadableError from None
    if not isinstance(content, dict):
        return {}
    inside = content.get("data")
    if isinstance(inside, dict) and read_headers(record.headers()).is_cloud_event:
        return inside
    return content


def _identifier(event: Event) -> str:
    """The person's, object's or delivery's identifier as it is sent."""
    if event.lane.startswith(_LANE_OF_ID):
        return event.lane[len(_LANE_OF_ID) :].decode()
    names = _read_names(event.body)
    if event.kind is RequestKind.V1_EVENTS:
        return names.anonymous_id
    named = names.identifiers or names.primary
    return next((named[name] for name in _IDENTIFIERS if name in named), "")


def _matches(
    rule: RoutingRule,
    id_pattern: re.Pattern[str] | None,
    topic: str,
    event: Event,
    content: Mapping[str, Any],
) -> bool:
    if rule.topic is not None and not fnmatchcase(topic, rule.topic):
        return False
    if id_pattern is not None and not id_pattern.search(_identifier(event)):
        return False
    if rule.attribute is not None:
        value = _look_up(content, rule.attribute)
        return value is not None and str(value).casefold() in {value.casefold() for value in rule.values}
    return rule.topic is not None or id_pattern is not None


def _look_up(content: Mapping[str, Any], path: str) -> object:
    if "." not in path:
        for place in _PLACES:
            inside = content.get(place)
            if isinstance(inside, dict) and path in inside:
                return inside[path]
        traits = _walk(content, "context.traits")
        return traits.get(path) if isinstance(traits, dict) else None
    return _walk(content, path)


def _walk(content: object, path: str) -> object:
    for step in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(step)
    return content
