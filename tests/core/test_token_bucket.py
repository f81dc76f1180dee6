import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.token_bucket import TokenBucket


def _taken_at_once(bucket: TokenBucket, now: float) -> int:
    taken = 0
    while bucket.ready_at(now) <= now:
        bucket.take()
        taken += 1
    return taken


def test_a_burst_is_a_tenth_of_a_second_s_worth() -> None:
    assert _taken_at_once(TokenBucket(1000.0, 5.0), 5.0) == 100


def test_a_slow_bucket_holds_one() -> None:
    assert _taken_at_once(TokenBucket(0.5, 5.0), 5.0) == 1


def test_an_empty_bucket_says_when_the_next_is_there() -> None:
    bucket = TokenBucket(2.0, 5.0)
    bucket.take()
    ready_at = bucket.ready_at(5.0)
    assert ready_at == pytest.approx(5.5)
    assert bucket.ready_at(ready_at) <= ready_at


def test_a_long_rest_saves_no_more_than_a_burst() -> None:
    bucket = TokenBucket(1000.0, 0.0)
    _taken_at_once(bucket, 0.0)
    assert _taken_at_once(bucket, 3600.0) == 100


def test_a_clock_that_stands_still_brings_nothing() -> None:
    bucket = TokenBucket(10.0, 0.0)
    bucket.take()
    assert [bucket.ready_at(0.0) > 0.0 for _ in range(5)] == [True] * 5


@given(st.floats(0.1, 5_000), st.lists(st.floats(0, 0.5), max_size=60))
def test_never_more_than_the_rate_and_one_burst(per_second: float, waits: list[float]) -> None:
    now = 1_000.0
    bucket = TokenBucket(per_second, now)
    taken = _taken_at_once(bucket, now)
    for wait in waits:
        now += wait
        taken += _taken_at_once(bucket, now)
    burst = max(1.0, per_second / 10)
    assert taken <= burst + sum(waits) * per_second + 1e-3


@given(st.floats(0.1, 5_000), st.integers(1, 200))
def test_who_comes_when_told_is_never_sent_away(per_second: float, count: int) -> None:
    now = 1_000.0
    bucket = TokenBucket(per_second, now)
    for _ in range(count):
        now = max(now, bucket.ready_at(now))
        assert bucket.ready_at(now) <= now
        bucket.take()
