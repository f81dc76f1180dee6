import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.answers import (
    Accepted,
    Answer,
    ItemError,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.customerio.answers import interpret, retry_after_seconds

URL = "https://track.customer.io/api/v2/batch"
NOW = 1_700_000_000.0


def answer(status: int, body: object = b"", events: int = 3, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(status, headers, raw, events, URL, NOW)


def test_200_with_a_json_object_is_accepted() -> None:
    assert answer(200, {}) == Accepted()
    assert answer(200, {"meta": {}}) == Accepted()


@pytest.mark.parametrize("body", [b"", b"[]", b"ok", b"<html></html>", b"{", b"\xff{}", b"null"])
def test_200_without_a_json_object_is_never_accepted(body: bytes) -> None:
    result = answer(200, body)
    assert isinstance(result, Unavailable)
    assert (result.kind, result.status) == ("unreadable", 200)


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_another_success_is_not_taken_for_acceptance(status: int) -> None:
    result = answer(status, {})
    assert isinstance(result, Unavailable)
    assert result.kind == "unreadable"


def test_207_names_each_rejected_item() -> None:
    errors = [
        {"batch_index": 2, "reason": "required", "field": "name", "message": "name is required"},
        {
            "batch_index": 0,
            "reason": "invalid",
            "field": "attributes.plan",
            "message": "property value cannot be longer than 1000 bytes",
        },
        {"batch_index": 2, "reason": "invalid", "field": "timestamp", "message": "must be an integer"},
    ]
    assert answer(207, {"errors": errors}) == PartlyRejected(
        (
            ItemError(0, "invalid: attributes.plan: property value cannot be longer than 1000 bytes"),
            ItemError(2, "required: name: name is required; invalid: timestamp: must be an integer"),
        )
    )


@pytest.mark.parametrize("index", [3, -1, "0", 0.0, True, None])
def test_207_that_names_items_which_were_not_sent_is_not_attributable(index: object) -> None:
    result = answer(207, {"errors": [{"batch_index": 1, "reason": "invalid"}, {"batch_index": index}]})
    assert result == PartlyRejected((ItemError(1, "invalid"),), attributable=False)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"errors":[]}', b'{"errors":{}}', b'{"errors":"no"}', b"[" * 200_000]
)
def test_207_that_cannot_be_read_is_not_attributable_and_names_nothing(body: bytes) -> None:
    assert answer(207, body) == PartlyRejected((), attributable=False)


@pytest.mark.parametrize("entry", ["text", 1, None, {}, []])
def test_207_with_an_entry_of_no_known_shape_is_not_attributable(entry: object) -> None:
    assert answer(207, {"errors": [entry]}) == PartlyRejected((), attributable=False)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_carries_customer_ios_reason_in_v2_form(status: int) -> None:
    body = {"errors": [{"reason": "invalid", "field": "batch", "message": "must be a list"}]}
    assert answer(status, body) == Refused(status, "invalid: batch: must be a list")


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {"errors": ["name is required"]}},
        {"meta": {"error": "name is required"}},
        {"errors": ["name is required"]},
        {"meta": {"errors": "name is required"}},
    ],
)
def test_a_refusal_carries_customer_ios_reason_in_v1_forms(body: object) -> None:
    assert answer(400, body) == Refused(400, "name is required")


@pytest.mark.parametrize("body", [b"", b"<html>ann@example.com</html>", b"[1]", b'{"meta": 3}', b"\xff"])
def test_a_refusal_without_a_readable_reason_quotes_nothing(body: bytes) -> None:
    assert answer(413, body) == Refused(413, "HTTP 413, without a readable reason")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_the_events_fault(status: int) -> None:
    assert answer(status, b"whatever") == Unauthorised(status)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_wrong_configuration_that_names_both_urls(status: int) -> None:
    result = answer(status, location="https://me:secret@track-eu.customer.io/api/v2/batch?token=secret#x")
    assert result == Misconfigured(
        status, f"{URL} answered {status} and points to https://track-eu.customer.io/api/v2/batch"
    )


def test_a_relative_redirect_is_resolved() -> None:
    result = answer(302, location="/login?next=%2F")
    assert isinstance(result, Misconfigured)
    assert result.detail == f"{URL} answered 302 and points to https://track.customer.io/login"


@pytest.mark.parametrize("location", ["http://[", "\r\nX: y", "", "//", "x" * 5000])
def test_a_redirect_to_nonsense_still_names_the_url(location: str) -> None:
    result = answer(307, location=location)
    assert isinstance(result, Misconfigured)
    assert result.detail.startswith(f"{URL} answered 307")
    assert result.detail.isprintable()
    assert len(result.detail) < 500


@pytest.mark.parametrize("status", [402, 404, 405, 407, 409, 410, 418, 451, 499])
def test_another_4xx_is_a_wrong_configuration(status: int) -> None:
    assert answer(status) == Misconfigured(status, f"{URL} answered {status}")


def test_the_urls_own_credentials_and_query_are_not_shown() -> None:
    result = interpret(404, {}, b"", 1, "http://user:secret@localhost:9001/api/v2/batch?key=secret", NOW)
    assert result == Misconfigured(404, "http://localhost:9001/api/v2/batch answered 404")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, "408"),
        (429, "429"),
        (500, "5xx"),
        (502, "5xx"),
        (503, "5xx"),
        (504, "5xx"),
        (522, "5xx"),
        (524, "5xx"),
    ],
)
def test_what_cannot_now_is_unavailable(status: int, kind: str) -> None:
    assert answer(status, b"<html>") == Unavailable(kind, status)


def test_retry_after_is_passed_on() -> None:
    assert answer(429, **{"retry-after": "17"}) == Unavailable("429", 429, 17.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2000 22:13:20 GMT", 0.0),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("9" * 400, None),
        ("Tue, 99 Nov 2023 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_negative(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_a_date_is_read_by_the_clock_of_whoever_wrote_it() -> None:
    headers = {"retry-after": "Tue, 14 Nov 2023 22:14:00 GMT", "date": "Tue, 14 Nov 2023 22:13:50 GMT"}
    unavailable = Unavailable("429", 429, 10.0)
    assert interpret(429, headers, b"", 1, "https://track.customer.io", NOW - 86_400) == unavailable


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["errors", "meta", "error", "batch_index", "field"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(
    st.integers(100, 999),
    st.binary(max_size=50) | JSON.map(lambda value: msgspec.json.encode(value)),
    st.text(max_size=30),
    st.integers(1, 5),
)
def test_any_answer_has_a_meaning_and_only_200_accepts_everything(
    status: int, body: bytes, header: str, events: int
) -> None:
    result = interpret(status, {"retry-after": header, "location": header}, body, events, URL, NOW)
    assert isinstance(result, Accepted) <= (status == 200)
    if isinstance(result, PartlyRejected):
        assert all(0 <= error.index < events for error in result.errors)
        assert result.errors or not result.attributable
    if isinstance(result, Unavailable):
        assert (result.retry_after_seconds or 0.0) >= 0.0
