"""The key that a published event gets when it has none: the person's identifier, so that one partition keeps their
order."""

import msgspec


class _Traits(msgspec.Struct):
    email: object = None


class _Context(msgspec.Struct):
    traits: _Traits | None = None


class _Identifiers(msgspec.Struct):
    id: object = None
    email: object = None
    phone: object = None
    cio_id: object = None
    object_id: object = None
    cio_object_id: object = None


class _Event(msgspec.Struct, rename="camel"):
    """What is looked at, of both vocabularies. Everything is optional and of any type: a bad event gets no key, and
    is somebody else's to judge."""

    event_id: object = msgspec.field(default=None, name="event_id")
    message_id: object = None
    id: object = None
    identifiers: _Identifiers | None = None
    primary: _Identifiers | None = None
    user_id: object = None
    anonymous_id: object = None
    traits: _Traits | None = None
    context: _Context | None = None


class Published(msgspec.Struct, frozen=True):
    """What publishing needs to know of an event."""

    key: bytes | None
    event_id: str | None


_event = msgspec.json.Decoder(_Event)
_NOTHING = Published(None, None)


def published(value: bytes | None) -> Published:
    """The person's identifier and the event's id, as far as the value says."""
    try:
        event = _event.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOTHING
    event_id = _first(event.event_id, event.message_id, event.id)
    key = _first(*_identifiers(event))
    return Published(None if key is None else key.encode(errors="replace"), event_id)


def _identifiers(event: _Event) -> tuple[object, ...]:
    named = event.identifiers or event.primary
    if named is not None:
        return (named.id, named.email, named.phone, named.cio_id, named.object_id, named.cio_object_id)
    context_traits = event.context and event.context.traits
    return (
        event.user_id,
        event.traits and event.traits.email,
        context_traits and context_traits.email,
        event.anonymous_id,
    )


def _first(*candidates: object) -> str | None:
    for candidate in candidates:
        if isinstance(candidate, int | str) and not isinstance(candidate, bool) and candidate != "":
            return str(candidate)
    return None
