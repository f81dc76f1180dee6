"""The parts that are measured can be run."""

import pytest

from bench.events import messages
from bench.part_loops import PARTS


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_over_events(part: str) -> None:
    prepare, run = PARTS[part]
    run(prepare(messages(500)))
