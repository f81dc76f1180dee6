"""How deeply an event may be nested."""

import pytest

from connector.events.event import Event, Reason
from connector.events.limits import NESTING_MAX
from connector.events.nesting import is_too_deep
from tests.events.decoding import bought, decode, refused

CLOUD_EVENT = [("content-type", b"application/cloudevents+json")]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_bound_is_exact(opening: bytes, closing: bytes) -> None:
    for depth, too_deep in ((NESTING_MAX, False), (NESTING_MAX + 1, True), (10 * NESTING_MAX, True)):
        assert is_too_deep(opening * depth + b"1" + closing * depth) is too_deep


@pytest.mark.parametrize(
    "json",
    [
        b"[" + b"[]," * 10_000 + b"0]",
        b'"' + b"[" * 10_000 + b'"',
        rb'"\"' + b"[" * 10_000 + rb'\\"',
        b'["' + b"[" * 10_000 + b'\n\xc3\xa9",{"[":"]"}]',
    ],
)
def test_brackets_side_by_side_or_in_strings_are_not_deep(json: bytes) -> None:
    assert not is_too_deep(json)


def test_a_string_full_of_escapes_takes_no_time() -> None:
    assert not is_too_deep(b'["' + rb"\"[" * 200_000 + b'"]')


@pytest.mark.parametrize("depth", [NESTING_MAX + 1, 940, 1_000, 100_000])
def test_an_event_nested_too_deeply_is_undecodable(depth: int) -> None:
    nested = b'{"type":"track","userId":"42","event":"x","properties":{"a":%b}}' % (
        b"[" * depth + b"]" * depth
    )
    assert "nested too deeply" in refused(nested, Reason.UNDECODABLE)
    assert "nested too deeply" in refused(
        b'{"id":"1","data":%b}' % nested, Reason.UNDECODABLE, headers=CLOUD_EVENT
    )


def test_an_event_nested_deeply_is_sent() -> None:
    deep: list[object] = []
    for _ in range(NESTING_MAX - 10):
        deep = [deep]
    assert isinstance(decode(bought(attributes={"a": deep})), Event)
