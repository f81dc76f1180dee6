"""The simulation finds bugs: every mistake of `mutants.py` is found, and found soon."""

import pytest

from tests.simulation.mutants import MUTANTS, SEEDS_MAX, find


@pytest.mark.parametrize("name", MUTANTS)
def test_mistake_is_found(name: str) -> None:
    assert find(name), f"{MUTANTS[name].mutate.__doc__} Not found within {SEEDS_MAX} seeds"
