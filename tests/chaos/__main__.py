"""`python -m tests.chaos`: plays every scenario, or those that are named, and prints a table."""

import argparse
import fnmatch
import random
import signal
import sys
from pathlib import Path

from tests.chaos import table
from tests.chaos.scenario import perform
from tests.chaos.scenarios import ALL
from tests.chaos.stage import Stage
from tests.parts.provision.errors import BrokenPartError, MissingPartError

_UNAVAILABLE = 69
_EXAMPLE = """\
example:
  python -m tests.chaos --only 'members-*' --only throttled --seconds 60
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kills, stalls and cuts off real processes while events flow, and says what was lost: nothing. "
        "Exit code 1 where that does not hold.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--only", action="append", metavar="NAME", help="only these; * and ? are allowed")
    parser.add_argument(
        "--seed", type=int, help="decides traffic and faults, not timing (default: a new one)"
    )
    parser.add_argument("--seconds", type=float, help="how long each trouble lasts (default: its own)")
    parser.add_argument("--rate", type=float, default=500, help="records a second (default: %(default)s)")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the connectors print")
    chosen = parser.parse_args(arguments)
    names = chosen.only or ["*"]
    scenarios = [each for each in ALL if any(fnmatch.fnmatch(each.name, name) for name in names)]
    if not scenarios:
        parser.error(f"no scenario is called {', '.join(names)}; see --list")
    if chosen.list:
        for each in scenarios:
            print(f"{each.name:<31}{each.says}")
        return 0
    seed = chosen.seed if chosen.seed is not None else random.randrange(1_000_000)
    print(
        f"seed {seed}; order: violations; peak MB: a process's memory, and its documented bound\n{table.head()}",
        flush=True,
    )
    failed = 0
    try:
        with Stage() as stage:
            for each in scenarios:
                outcome = perform(
                    each, stage, seed=seed, rate=chosen.rate, seconds=chosen.seconds, keep_output=chosen.logs
                )
                print(table.row(outcome), flush=True)
                failed += not outcome.ok
    except (MissingPartError, BrokenPartError) as error:
        print(error, file=sys.stderr)
        return _UNAVAILABLE
    print(f"\n{len(scenarios) - failed} of {len(scenarios)} scenarios survived")
    return 1 if failed else 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
