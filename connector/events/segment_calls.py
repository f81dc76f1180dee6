"""The Segment spec's calls as they arrive, and what they have in common: who it is, and what is an event.

RudderStack's libraries send `"userId": ""` for somebody anonymous, so an empty id is as good as absent here.
"""

import re

import msgspec

from connector.events import encode
from connector.events.encode import Draft
from connector.events.identifiers import Named, person_named
from connector.events.options import SegmentOptions
from connector.events.raw import ABSENT, members, object_or_nothing, scalar
from connector.events.refusal import RefusedError
from connector.events.timestamps import Timestamp, unix_seconds

_is_email = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch
CIO_ID_PREFIX = "cio_"


class Call(msgspec.Struct, rename="camel", tag_field="type", frozen=True, gc=False):
    """The members of every call."""

    message_id: str | int | None = None
    event_id: str | int | None = msgspec.field(default=None, name="event_id")
    region: str | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    timestamp: Timestamp | None = None
    context: msgspec.Raw = ABSENT
    traits: msgspec.Raw = ABSENT


class Identify(Call, tag="identify", frozen=True, gc=False):
    pass


class Track(Call, tag="track", frozen=True, gc=False):
    event: str | None = None
    properties: msgspec.Raw = ABSENT
    group_id: str | int | None = None


class Page(Call, tag="page", frozen=True, gc=False):
    name: str | None = None
    properties: msgspec.Raw = ABSENT


class Screen(Call, tag="screen", frozen=True, gc=False):
    name: str | None = None
    properties: msgspec.Raw = ABSENT


class Group(Call, tag="group", frozen=True, gc=False):
    group_id: str | int | None = None


class Alias(Call, tag="alias", frozen=True, gc=False):
    previous_id: str | int | None = None


def person_by_user_id(user_id: str | int, options: SegmentOptions, field: str) -> Named:
    """The person that a user id names: by e-mail address, Customer.io's own id (`cio_` before it) or id."""
    if type(user_id) is str:
        if "@" in user_id and options.user_id_is_email and _is_email(user_id):
            return person_named("email", user_id, field)
        if user_id.startswith(CIO_ID_PREFIX) and user_id != CIO_ID_PREFIX:
            return person_named("cio_id", user_id[len(CIO_ID_PREFIX) :], field)
    return person_named("id", user_id, field)


def person_of(call: Call, options: SegmentOptions) -> Named | None:
    """The person a call is about; None where only an anonymous id is known."""
    user_id = call.user_id
    if user_id is not None and user_id != "":
        return person_by_user_id(user_id, options, "userId")
    if not options.email_from_traits:
        return None
    # A group's traits are the group's, and so is an e-mail address among them.
    own = b"" if isinstance(call, Group) else object_or_nothing(call.traits)
    for traits in (own, context_traits(call)):
        email = scalar(members(traits).get("email"))
        if isinstance(email, str) and _is_email(email):
            return person_named("email", email, "traits.email")
    return None


def required_person(call: Call, options: SegmentOptions) -> Named:
    """The person a call is about, which nobody anonymous can stand in for."""
    person = person_of(call, options)
    if person is None:
        raise RefusedError("`userId` is missing, and no e-mail address among the traits stands in for it")
    return person


def anonymous_of(call: Call) -> Named | None:
    """The anonymous id as v1 events and relationships take it."""
    if call.anonymous_id is None or call.anonymous_id == "":
        return None
    return person_named("anonymous_id", call.anonymous_id, "anonymousId")


def context_of(call: Call) -> dict[str, msgspec.Raw]:
    """The members of `context`. Only publishers' libraries write there, so nothing is refused for what it holds."""
    return members(object_or_nothing(call.context))


def context_traits(call: Call) -> bytes:
    """The JSON of `context.traits`."""
    return object_or_nothing(context_of(call).get("traits"))


def seconds_of(call: Call) -> int | None:
    """The call's own time."""
    return None if call.timestamp is None else unix_seconds(call.timestamp, "timestamp")


def event_draft(
    action: str, call: Track | Page | Screen, name: bytes, person: Named | None, attributes: bytes
) -> Draft:
    """The event, page or screen of a person, or of somebody anonymous where `person` is None."""
    if person is not None:
        return encode.person_event(action, person, name, seconds_of(call), attributes)
    anonymous = anonymous_of(call)
    if anonymous is None:
        raise RefusedError("`userId` and `anonymousId` are missing, and no trait `email` stands in for them")
    return encode.anonymous_event(action, anonymous, name, seconds_of(call), attributes)
