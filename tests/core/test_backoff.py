from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connector.core.backoff import Backoff


def test_the_longest_wait_doubles_up_to_its_bound() -> None:
    backoff = Backoff(0.5, 30.0, lambda: 1.0)
    assert [backoff.seconds(attempt) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_wait_is_any_share_of_the_longest() -> None:
    assert Backoff(0.5, 30.0, lambda: 0.0).seconds(4) == 0.0
    assert Backoff(0.5, 30.0, lambda: 0.25).seconds(4) == 1.0


@given(st.integers(1, 1_000_000), st.randoms(use_true_random=False))
def test_a_wait_is_never_beyond_its_bound_however_often_it_failed(attempt: int, random: Random) -> None:
    assert 0 <= Backoff(0.5, 30.0, random.random).seconds(attempt) <= 30.0
