"""The most telling scenarios, shorter than `python -m tests.chaos` plays them."""

import pytest

from tests.chaos.scenario import perform
from tests.chaos.scenarios import ALL
from tests.chaos.stage import Stage

SECONDS = {
    "connector-killed": 5,
    "members-change": 6,
    "broker-stalls": 9,
    "everything-sigterm": 6,
}
SCENARIOS = {scenario.name: scenario for scenario in ALL}


@pytest.mark.parts
@pytest.mark.parametrize("name", SECONDS)
def test_nothing_is_lost_or_counted_twice_or_out_of_order(stage: Stage, name: str) -> None:
    outcome = perform(SCENARIOS[name], stage, seed=5, rate=300, seconds=SECONDS[name])
    assert not outcome.faults
    assert outcome.verdict.accepted > 500
    assert outcome.verdict.dead_letters > 0


def test_scenarios_have_names_of_their_own() -> None:
    assert len(SCENARIOS) == len(ALL)
