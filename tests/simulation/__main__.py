"""`python -m tests.simulation SEED` replays one run and tells what happened.

`python -m tests.simulation FIRST COUNT` runs many and names those that fail.
"""

import sys
from collections import Counter

from tests.simulation.scenario import draw
from tests.simulation.violation import Violation
from tests.simulation.world import World, run


def _replay(seed: int) -> int:
    scenario = draw(seed)
    world = World(scenario, keep_history=True)
    print(f"seed {seed}: {scenario}")
    try:
        world.run()
    except (Violation, Exception) as error:
        print("\n".join(world.history.lines))
        print(f"seed {seed} FAILS after {world.clock.now:.3f} s: {type(error).__name__}: {error}")
        if not isinstance(error, Violation):
            raise
        return 1
    print("\n".join(world.history.lines))
    print(
        f"seed {seed} passes: {len(world.truth.published)} records in {world.clock.now:.1f} s of virtual time"
    )
    return 0


def _many(first: int, count: int) -> int:
    counts: Counter[str] = Counter()
    failing = 0
    for seed in range(first, first + count):
        try:
            world = run(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the seed's
            failing += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}", flush=True)
        else:
            counts.update(world.counts)
    print(f"{failing} of {count} seeds fail")
    print(", ".join(f"{what}: {times}" for what, times in sorted(counts.items())))
    return 1 if failing else 0


def main() -> int:
    """The command line."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    if len(numbers) == 1:
        return _replay(numbers[0])
    if len(numbers) == 2:
        return _many(*numbers)
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
