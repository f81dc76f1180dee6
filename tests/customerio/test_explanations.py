import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.customerio.explanations import (
    EXPLANATION_CHARACTERS_MAX,
    explain_answer,
    explain_error,
    without_values,
)


@pytest.mark.parametrize(
    "text",
    [
        "property value cannot be longer than 1000 bytes",
        "attribute names can't be longer than 150 bytes, and there mustn't be more than 300",
        "batch must be smaller than 500000 bytes",
        "attributes[3] is not a scalar (see the reference)",
        "relationship has no object_type_id",
    ],
)
def test_an_explanation_that_names_fields_and_limits_is_kept(text: str) -> None:
    assert without_values(text) == text


@pytest.mark.parametrize(
    "text",
    [
        'value "SECRET" is too long',
        "value 'SECRET' isn't allowed",
        "platform `SECRET` is unknown",
        "“SECRET” is not a number",
        "«SECRET» is not a number",
        'unclosed "SECRET',
        'a "quote "SECRET" within" a quote',
        "it's 'O'SECRET' again",
        "email SECRET@example.com is invalid",
        "<SECRET@example.com>",
        "unexpected {plan: SECRET}",
        "unexpected map[plan:SECRET]",
        "expected a string, got SECRET",
        "expected a string, got: SECRET and SECRET",
        "bad value: SECRET",
        "bad value=SECRET",
        'line\nbreak "SECRET\nSECRET"',
    ],
)
def test_what_looks_like_a_value_is_cut_out(text: str) -> None:
    assert "SECRET" not in without_values(text)
    assert "…" in without_values(text)


@pytest.mark.parametrize("number", ["+49 151 2345678", "4915123456789", "1700000000", "(555) 010-9999"])
def test_telephone_numbers_and_other_long_numbers_are_cut_out(number: str) -> None:
    assert "999" not in without_values(f"phone {number} is invalid")
    assert "345" not in without_values(f"phone {number} is invalid")
    assert without_values(f"phone {number} is invalid").endswith("is invalid")


def test_a_fields_name_is_treated_like_the_rest() -> None:
    error = {"reason": "invalid", "field": "attributes.ann@example.com", "message": "too long"}
    assert explain_error(error) == "invalid: …: too long"


def test_many_errors_are_cut_short() -> None:
    errors = [{"reason": f"reason {n}"} for n in range(10)]
    assert explain_answer({"errors": errors}) == "reason 0; reason 1; reason 2; and 7 more"


@given(st.text(max_size=3000))
def test_an_explanation_is_one_short_line(text: str) -> None:
    result = without_values(text)
    assert len(result) <= EXPLANATION_CHARACTERS_MAX
    assert len(result.splitlines()) <= 1
    assert not any(ord(character) < 32 for character in result)


@given(st.text(alphabet=st.characters(exclude_characters="…", categories=["L"]), min_size=12, max_size=40))
def test_no_quoted_value_survives(value: str) -> None:
    for quote in ('""', "''", "``", "“”", "‘’"):
        text = f"attribute {quote[0]}{value}{quote[1]} is not allowed"
        assert value not in without_values(text)
