"""Timestamps of any common form become whole Unix seconds; what cannot be read is refused, never replaced."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events.refusal import RefusedError
from connector.events.timestamps import unix_seconds

NOON = 1_764_072_000  # 2025-11-25T12:00:00Z


@pytest.mark.parametrize(
    "timestamp",
    [
        NOON,
        float(NOON),
        NOON + 0.999,
        NOON * 1_000,
        NOON * 1_000 + 999,
        NOON * 1_000 + 0.5,
        NOON * 1_000_000,
        NOON * 1_000_000_000 + 999_999_999,
        str(NOON),
        f"{NOON}.999999999",
        str(NOON * 1_000),
        "2025-11-25T12:00:00Z",
        "2025-11-25t12:00:00z",
        "2025-11-25 12:00:00Z",
        "2025-11-25T12:00:00",
        "2025-11-25T12:00Z",
        "2025-11-25T12:00:00.9Z",
        "2025-11-25T12:00:00,123Z",
        "2025-11-25T12:00:00.123456Z",
        "2025-11-25T12:00:00.999999999Z",
        "2025-11-25T13:30:00.999999999+01:30",
        "2025-11-25T13:30:00+0130",
        "2025-11-25T07:00:00-05",
    ],
)
def test_every_form_of_the_same_moment(timestamp: Any) -> None:
    assert unix_seconds(timestamp, "timestamp") == NOON


def test_date_alone_is_its_midnight() -> None:
    assert unix_seconds("2025-11-25", "timestamp") == NOON - 43_200


@pytest.mark.parametrize(
    "timestamp",
    [
        0,
        -1,
        -0.5,
        0.5,
        10**20,
        1e300,
        float("inf"),
        float("nan"),
        "",
        "now",
        "-1764072000",
        "1764072000Z",
        "1764072000\n",
        " 1764072000",
        "1" * 21,
        "٢٠٢٥",
        "2025-11-25T12:00:00Z ",
        "2025-11-25x12:00:00Z",
        "2025-11-25T12",
        "2025-11-25T12:00:00.1234567890Z",
        "2025-11-25T12:00:00.Z",
        "2025-02-30T12:00:00Z",
        "2025-11-25T25:00:00Z",
        "2025-11-25T24:00:00Z",
        "2025-11-25T24:00:30.000Z",
        "2025-W48-2",
        "20251125T120000Z",
        "Tue, 25 Nov 2025 12:00:00 GMT",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_cannot_be_read_is_refused_by_name(timestamp: Any) -> None:
    with pytest.raises(RefusedError) as refusal:
        unix_seconds(timestamp, "timestamp")
    assert refusal.value.message == "`timestamp` is neither a Unix timestamp nor ISO 8601"


@given(st.integers(1, 99_999_999_999), st.sampled_from([1, 10**3, 10**6, 10**9]), st.integers(0, 10**9 - 1))
def test_units_are_told_apart_by_size(seconds: int, per_second: int, fraction: int) -> None:
    """From March 1973 on, when milliseconds have as many digits as the latest seconds."""
    seconds = max(seconds, 100_000_000)
    assert unix_seconds(seconds * per_second + fraction % per_second, "timestamp") == seconds


@given(st.datetimes(datetime(1970, 1, 1, 0, 0, 1), datetime(5138, 1, 1), timezones=st.just(UTC)))
def test_iso_8601_round_trips(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert unix_seconds(moment.isoformat(), "timestamp") == expected


@given(st.text() | st.floats() | st.integers())
def test_nothing_else_is_raised(timestamp: Any) -> None:
    with suppress(RefusedError):
        assert 0 < unix_seconds(timestamp, "timestamp") < 10**12
