"""The ULID is derived from the event id alone, and is valid."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events.ulid import ulid_from_id, ulid_from_place, ulids_from_ids

VALID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")


@pytest.mark.parametrize(
    ("event_id", "ulid"),
    [
        ("order-123456-created", "1C2DC72D5570C8798754F67265"),
        ("1", "784101D431991C22BDF563343E"),
        ("a", "38964E1C7362190FBE9DEDE5A4"),
        ("Ereignis-ä-😀", "2DD363D2CF5694EB9465E9A2ED"),
    ],
)
def test_vectors_fix_the_algorithm(event_id: str, ulid: str) -> None:
    assert ulid_from_id(event_id) == ulid


@given(st.text(st.characters(codec="utf-8")))
def test_any_id_gives_a_valid_ulid(event_id: str) -> None:
    assert VALID.fullmatch(ulid_from_id(event_id))


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.just("01arz3ndektsv4rrffq69g5fav")))
def test_many_at_once_have_the_ulids_that_each_has_alone(event_ids: list[str]) -> None:
    assert ulids_from_ids(event_ids) == [ulid_from_id(event_id) for event_id in event_ids]


def test_first_characters_spread_over_all_that_are_valid() -> None:
    assert {ulid_from_id(str(number))[0] for number in range(500)} == set("01234567")


def test_different_ids_have_different_ulids() -> None:
    assert len({ulid_from_id(f"event-{number}") for number in range(20_000)}) == 20_000


def test_ulid_is_kept() -> None:
    assert ulid_from_id("01ARZ3NDEKTSV4RRFFQ69G5FAV") == "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_lower_case_ulid_is_kept_in_upper_case() -> None:
    assert ulid_from_id("01arz3ndektsv4rrffq69g5fav") == "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    "event_id",
    [
        "81ARZ3NDEKTSV4RRFFQ69G5FAV",  # more than 128 bits
        "01ARZ3NDEKTSV4RRFFQ69G5FAU",  # U is no Crockford digit
        "01ARZ3NDEKTSV4RRFFQ69G5FA",
        "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
        "01ARZ3NDEKTSV4RRFFQ69G5FA\n",
        "01ARZ3NDEKTSV4RRFFQ69G5FAſ",  # the long s is an S to a careless comparison
    ],
)
def test_what_only_looks_like_a_ulid_is_an_id_like_any_other(event_id: str) -> None:
    ulid = ulid_from_id(event_id)
    assert ulid != event_id.upper()
    assert VALID.fullmatch(ulid)


def test_place_gives_the_same_ulid_each_time() -> None:
    assert (
        ulid_from_place("c", "t", 1, 2, 3)
        == ulid_from_place("c", "t", 1, 2, 3)
        == "1849918D2587D8AF077131533A"
    )


def test_each_part_of_the_place_counts() -> None:
    places = [
        ("c", "t", 1, 2, 3),
        ("d", "t", 1, 2, 3),
        ("c", "u", 1, 2, 3),
        ("c", "t", 2, 2, 3),
        ("c", "t", 1, 3, 3),
        ("c", "t", 1, 2, 4),
        ("c", "t", 12, 3, 3),
        ("c", "t", 1, 23, 3),
    ]
    assert len({ulid_from_place(*place) for place in places}) == len(places)
