"""Strategies of valid events of both vocabularies, and of ways to spoil them."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from connector.events.segment_semantics import SEMANTIC_EVENTS

Document = dict[str, Any]

text = st.text(st.characters(codec="utf-8"), max_size=20)
filled = text.filter(lambda value: bool(value.strip()))
ids = filled | st.integers(-(10**20), 10**20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
# Customer.io's own rules for `_update` are not the decoder's.
attributes = st.dictionaries(text.filter(lambda name: name != "_update"), json_values, max_size=4)
timestamps = (
    st.integers(1, 10**20 - 1)
    | st.floats(1, 9e10)
    | st.integers(1, 10**11).map(str)
    | st.datetimes()
    .filter(lambda moment: 1970 < moment.year < 5138)
    .map(lambda moment: moment.isoformat() + "Z")
)
emails = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.[a-z]{2}", fullmatch=True)
phones = st.from_regex(r"\+[0-9]{1,15}", fullmatch=True)
object_types = st.integers(1, 10**6) | st.integers(1, 10**6).map(str)

FRAGMENTS = [
    b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"n","timestamp":1764000000,"event_id":"e",',
    b'{"type":"person","action":"identify","identifiers":{"email":"a@b.example"},',
    b'{"type":"track","messageId":"m","userId":"42","event":"x","timestamp":"2025-11-24T16:00:00Z",',
    b'{"type":"identify","userId":"42","anonymousId":"a",',
    b'{"type":"group","groupId":"a","userId":"42",',
    b'"attributes":',
    b'"properties":',
    b'"traits":',
    b'"context":',
    b'{"createdAt":"2025-11-24"}',
    b'{"a":1}',
    b'{"a":"\xff"}',
    rb'{"a":"\ud800"}',
    b"[[[[",
    b"NaN",
    b"1e999",
    b'"',
    b",",
    b"}",
    b" ",
    b"\x00",
]


def fields(required: Document, optional: Document) -> st.SearchStrategy[Document]:
    """Documents with these members. Optional ones may be absent or null."""
    return st.fixed_dictionaries(
        {name: _strategy(value) for name, value in required.items()},
        optional={name: st.none() | _strategy(value) for name, value in optional.items()},
    )


def track_v2() -> st.SearchStrategy[Document]:
    """Valid Track v2 operations."""
    common = {"event_id": ids, "region": filled}
    related_person = st.one_of(_only("id", ids), _only("email", emails), _only("cio_id", ids))
    person = related_person | _only("phone", phones)
    anonymous = _only("anonymous_id", ids)
    object_ = _only("cio_object_id", ids) | fields({"object_type_id": object_types, "object_id": ids}, {})

    def relationships(identifiers: st.SearchStrategy[Document]) -> st.SearchStrategy[list[Document]]:
        item = fields({"identifiers": identifiers}, {"relationship_attributes": attributes})
        return st.lists(item, min_size=1, max_size=3)

    def operation(
        type_: str, actions: list[str], required: Document, optional: Document | None = None
    ) -> st.SearchStrategy[Document]:
        action = {"type": type_, "action": st.sampled_from(actions)}
        return fields({**action, **required}, {**common, **(optional or {})})

    device = fields(
        {"token": ids, "platform": st.sampled_from(["ios", "android"])},
        {"last_used": timestamps, "attributes": st.dictionaries(text, text, max_size=3)},
    )
    change = ["add_relationships", "delete_relationships"]
    event = {"identifiers": person | anonymous, "name": filled}
    event_optional = {"id": ids, "timestamp": timestamps, "attributes": attributes}
    identify_optional = {
        "timestamp": timestamps,
        "attributes": attributes,
        "cio_relationships": relationships(object_),
    }
    merge = fields(
        {"type": "person", "action": "merge", "primary": related_person, "secondary": related_person}, common
    )
    return st.one_of(
        operation("person", ["event", "page", "screen"], event, event_optional),
        operation("person", ["identify"], {"identifiers": person}, identify_optional),
        operation("person", ["delete", "suppress", "unsuppress"], {"identifiers": person}),
        operation("person", change, {"identifiers": person, "cio_relationships": relationships(object_)}),
        operation("person", ["add_device"], {"identifiers": person, "device": device}),
        operation("person", ["delete_device"], {"identifiers": person, "device": fields({"token": ids}, {})}),
        merge.filter(lambda document: not _same(document["primary"], document["secondary"])),
        operation(
            "object",
            ["identify"],
            {"identifiers": object_},
            {"attributes": attributes, "cio_relationships": relationships(related_person)},
        ),
        operation(
            "object",
            ["identify_anonymous"],
            {"identifiers": object_, "cio_relationships": relationships(anonymous)},
            {"attributes": attributes},
        ),
        operation("object", ["delete"], {"identifiers": object_}),
        operation(
            "object", change, {"identifiers": object_, "cio_relationships": relationships(related_person)}
        ),
        operation(
            "delivery",
            ["event"],
            {
                "identifiers": _only("id", ids),
                "name": st.sampled_from(["opened", "converted", "delivered"]),
                "attributes": fields({"device_token": filled}, {}),
            },
        ),
    )


def calls() -> st.SearchStrategy[Document]:
    """Valid calls of the Segment spec, whose names are not semantic."""
    user_ids = ids | emails | ids.map(lambda value: f"cio_{value}")
    context = fields({}, {"traits": attributes, "ip": text, "groupId": ids})
    common = {
        "messageId": ids,
        "region": filled,
        "timestamp": timestamps,
        "context": context,
        "sentAt": text,
    }
    known = st.fixed_dictionaries(
        {"userId": user_ids}, optional={"anonymousId": st.none() | ids | st.just("")}
    )
    by_email = fields(
        {"context": fields({"traits": fields({"email": emails}, {})}, {})}, {"userId": st.just("")}
    )
    anonymous = fields({"anonymousId": ids}, {"userId": st.just("")})

    def a_call(
        type_: str, who: st.SearchStrategy[Document], required: Document, optional: Document | None = None
    ) -> st.SearchStrategy[Document]:
        rest = fields({"type": type_, **required}, {**common, **(optional or {})})
        return st.builds(lambda whole, person: {**whole, **person}, rest, who)

    anybody = known | by_email | anonymous
    names = filled.filter(lambda name: name.strip() not in SEMANTIC_EVENTS)
    traits = fields({}, {"createdAt": timestamps, "email": emails, "plan": text, "anonymous_id": ids})
    group_traits = fields(
        {},
        {
            "object_type_id": object_types,
            "objectTypeId": object_types,
            "objectAttributes": attributes,
            "relationshipAttributes": attributes,
            "name": json_values,
        },
    )
    alias = a_call("alias", fields({"userId": ids}, {}), {"previousId": ids})
    return st.one_of(
        a_call("identify", known | by_email, {}, {"traits": traits}),
        a_call("track", anybody, {"event": names}, {"properties": attributes}),
        a_call("page", anybody, {"properties": fields({"url": filled}, {"title": text})}, {"name": names}),
        a_call("page", anybody, {"name": names}, {"properties": attributes}),
        a_call("screen", anybody, {"name": names}, {"properties": attributes}),
        a_call("group", anybody, {"groupId": ids}, {"traits": group_traits}),
        alias.filter(lambda document: str(document["userId"]) != str(document["previousId"])),
    )


@st.composite
def spoiled(draw: st.DrawFn, documents: st.SearchStrategy[Document]) -> Document:
    """A valid document in which one member, at any depth, is missing or has another value."""
    document = draw(documents)
    target = document
    while True:
        name = draw(st.sampled_from(sorted(target)))
        inner = target[name]
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if not isinstance(inner, dict) or not inner or draw(st.booleans()):
            break
        target = inner
    if draw(st.booleans()):
        del target[name]
    else:
        target[name] = draw(st.sampled_from([None, "", " ", "x", 0, -1, 1.5, True, [], ["x"], {}, {"x": 1}]))
    return document


@st.composite
def damaged(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """The JSON of a document with some bytes cut out, put in or changed."""
    value = bytearray(msgspec.json.encode(draw(documents)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = min(len(value), start + draw(st.integers(0, 4)))
        value[start:end] = draw(st.binary(max_size=4) | st.sampled_from(FRAGMENTS))
    return bytes(value)


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def _only(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return values.map(lambda value: {name: value})


def _same(primary: Document, secondary: Document) -> bool:
    return {name: str(value) for name, value in primary.items()} == {
        name: str(value) for name, value in secondary.items()
    }
