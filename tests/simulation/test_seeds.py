"""Every seed keeps every promise. `python -m tests.simulation SEED` replays one.

`SIMULATION_SEEDS` says how many fixed seeds are run, `SIMULATION_NEW_SEEDS` how many that nobody has run before.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from connector.core.effects import Outcome, RegionState
from tests.simulation.faults import Faults
from tests.simulation.scenario import FAULT_KINDS
from tests.simulation.world import run

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "2000"))
NEW_SEEDS = int(os.environ.get("SIMULATION_NEW_SEEDS", "0"))
_PROCESSES = min(4, os.cpu_count() or 1)
_SEEDS_AT_A_TIME = 20
_SEEDS_THAT_SEE_EVERYTHING = 500

EVERYTHING = {
    *FAULT_KINDS,
    *(outcome.value for outcome in Outcome),
    *(state.value for state in RegionState),
    *("Accepted", "PartlyRejected", "Refused", "Unauthorised", "Misconfigured", "Unavailable"),
    *(
        "cancel",
        "commit left out",
        "commit refused",
        "drained",
        "drained clean",
        "overtaken",
        "released",
        "restart",
        "stopped",
    ),
}
"""What the runs together must have come across."""


def _run(seed: int) -> tuple[int, str, Counter[str]]:
    try:
        return seed, "", run(seed).counts
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the seed's
        return seed, f"{type(error).__name__}: {error}", Counter()


def _run_all(seeds: Iterable[int]) -> Counter[str]:
    """Run them, on all cores. Fails with the command that replays each seed that does."""
    counts: Counter[str] = Counter()
    failures = []
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        for seed, failure, seen in pool.map(_run, seeds, chunksize=_SEEDS_AT_A_TIME):
            counts += seen
            if failure:
                failures.append(f"python -m tests.simulation {seed}\n    {failure}")
    if failures:
        pytest.fail(f"{len(failures)} seeds fail; replay with\n" + "\n".join(failures[:20]), pytrace=False)
    return counts


@pytest.mark.timeout(1800)
def test_fixed_seeds_keep_every_promise() -> None:
    counts = _run_all(range(SEEDS))
    if SEEDS >= _SEEDS_THAT_SEE_EVERYTHING:
        assert not EVERYTHING - counts.keys(), "the scenarios no longer come across all that can happen"


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not NEW_SEEDS, reason="SIMULATION_NEW_SEEDS says how many")
def test_new_seeds_keep_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    first = int(time.time()) * 1000
    with capsys.disabled():
        print(
            f"\n{NEW_SEEDS} new seeds, {first} to {first + NEW_SEEDS - 1}; all of them again: "
            f"python -m tests.simulation {first} {NEW_SEEDS}; one: python -m tests.simulation SEED"
        )
    _run_all(range(first, first + NEW_SEEDS))


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(31415930810, id="a_dropped_conflict_hides_what_was_never_sent"),
        pytest.param(27182822793, id="a_conflict_is_dropped_for_what_the_log_then_loses"),
        pytest.param(77701158, id="an_identify_takes_the_place_of_another_partitions"),
        pytest.param(77714430, id="an_identify_is_sent_for_another_and_then_for_itself"),
        pytest.param(998877667138, id="an_identify_of_unknown_time_is_skipped_for_an_older_one"),
    ],
)
def test_seeds_that_once_failed_pass(seed: int) -> None:
    """The first found a mistake of the core, the others checks that were stricter than its promises."""
    run(seed)


def test_every_fault_has_its_method() -> None:
    assert all(callable(getattr(Faults, kind)) for kind in FAULT_KINDS)


@pytest.mark.parametrize("seed", [3, 20])
def test_a_seed_is_one_run_whatever_the_order_of_hashes(seed: int) -> None:
    histories = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert histories[0] == histories[1]
    assert f"seed {seed} passes" in histories[0]
