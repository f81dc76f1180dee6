from datetime import UTC, datetime

import pytest

from connector.dead_letters.filters import Filters, filters_from_text, place_from_text
from connector.dead_letters.letter import Foreign, Place
from connector.errors import ConfigurationError
from tests.dead_letters.letters import letter

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW_MS = 1_769_860_800_000


def from_text(**given: object) -> Filters:
    nothing = {"reasons": [], "source_topics": [], "since": None, "until": None, "places": []}
    return filters_from_text(**(nothing | given), now=NOW)  # type: ignore[arg-type]


def test_without_filters_everything_is_chosen() -> None:
    assert Filters().choose(letter())
    assert Filters().choose_foreign(Foreign(Place(0, 0), -1, None, None, []))


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        (Filters(reasons=("empty", "invalid")), True),
        (Filters(reasons=("empty",)), False),
        (Filters(source_topics=("events", "others")), True),
        (Filters(source_topics=("others",)), False),
        (Filters(since_ms=1000), True),
        (Filters(since_ms=1001), False),
        (Filters(until_ms=1000), False),
        (Filters(until_ms=1001), True),
        (Filters(places=("9:9", "2:7")), True),
        (Filters(places=("events:1:5",)), True),
        (Filters(places=("1:5",)), False),
        (Filters(reasons=("invalid",), source_topics=("others",)), False),
    ],
)
def test_all_filters_must_hold(filters: Filters, chosen: bool) -> None:
    assert filters.choose(letter(partition=2, offset=7, written_ms=1000)) is chosen


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        (Filters(reasons=("invalid",)), False),
        (Filters(source_topics=("events",)), False),
        (Filters(since_ms=1000, until_ms=1001), True),
        (Filters(since_ms=1001), False),
        (Filters(places=("2:7",)), True),
        (Filters(places=("2:8",)), False),
    ],
)
def test_foreign_record_has_a_time_and_a_place_only(filters: Filters, chosen: bool) -> None:
    assert filters.choose_foreign(Foreign(Place(2, 7), 1000, None, None, [])) is chosen


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2026-01-31T12:00:00Z", NOW_MS),
        ("2026-01-31T13:00:00+01:00", NOW_MS),
        ("2026-01-31T12:00:00", NOW_MS),
        ("2026-01-31 12:00", NOW_MS),
        ("2026-01-31", NOW_MS - 12 * 3_600_000),
        ("30s", NOW_MS - 30_000),
        ("90m", NOW_MS - 5_400_000),
        ("24h", NOW_MS - 86_400_000),
        ("7d", NOW_MS - 7 * 86_400_000),
    ],
)
def test_times_are_given_as_such_or_as_a_span(text: str, milliseconds: int) -> None:
    assert from_text(since=text).since_ms == milliseconds
    assert from_text(until=text).until_ms == milliseconds


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "7w", "2026-13-01", "999999d"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--since .* is no time"):
        from_text(since=text)


def test_reason_that_does_not_exist_is_told() -> None:
    with pytest.raises(
        ConfigurationError, match=r"there is no reason 'invald'. Reasons are: undecodable, empty"
    ):
        from_text(reasons=["invald"])


def test_places_are_found_however_they_are_written() -> None:
    assert from_text(places=["00:007", "a.b:01:2"]).places == ("0:7", "a.b:1:2")


@pytest.mark.parametrize("text", ["", "7", "a:b", "1:2:", ":1:2", "a b:1:2", "1:-2", "a:1:2:3"])
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no place of a dead letter"):
        place_from_text(text)
