"""`make bench-parts`: what each part of an event's path costs, in instructions.

Instructions are counted by valgrind, so that they are the same on a busy machine; so is how often they are not in the
processor's first cache, by valgrind's model of it. Each part runs twice, over some events and over twice as many; the
difference is what the events cost, without the interpreter's start. The results stand beside the last ones of
`bench/results/parts.jsonl`; `--record` adds them there.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from bench.part_loops import PARTS
from bench.process import ROOT

EVENTS = 4_000
_TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")
_MISSES = re.compile(r"I1\s+misses:\s+([\d,]+)")
HISTORY = Path("bench/results/parts.jsonl")


class Cost(NamedTuple):
    """What something takes: an event, or a whole run."""

    instructions: float
    misses: float
    """Instructions that were not in the first cache, of 32 kB."""


def cost_an_event(part: str) -> Cost:
    """What one event costs in this part."""
    once, twice = (_cost(part, events) for events in (EVENTS, 2 * EVENTS))
    return Cost(
        (twice.instructions - once.instructions) / EVENTS, max(0.0, twice.misses - once.misses) / EVENTS
    )


def _cost(part: str, events: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *("valgrind", "--tool=cachegrind", "--cache-sim=yes", "--I1=32768,8,64"),
                f"--cachegrind-out-file={folder}/out",
                *(sys.executable, "-m", "bench.part_loops", part, str(events), str(2 * EVENTS)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "pymalloc"},
            capture_output=True,
            text=True,
            check=False,
        )
    found = _TOTAL.search(done.stderr), _MISSES.search(done.stderr)
    if done.returncode or None in found:
        raise SystemExit(f"{part} failed:\n{done.stderr}")
    return Cost(*(int(match[1].replace(",", "")) for match in found if match))


def _last(interpreter: str) -> dict[str, float]:
    """The newest results of the same interpreter."""
    if not HISTORY.exists():
        return {}
    rows = [json.loads(line) for line in HISTORY.read_text().splitlines()]
    return next((row["instructions"] for row in reversed(rows) if row["python"] == interpreter), {})


def _measure(parts: Sequence[str]) -> dict[str, Cost]:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(parts, pool.map(cost_an_event, parts), strict=True))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--record", metavar="WHY", help="add the results to the history, with what was changed"
    )
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind counts the instructions; on Debian and Ubuntu: apt-get install valgrind")
    interpreter = platform.python_version()
    before, now = _last(interpreter), _measure(arguments.parts or list(PARTS))
    print(f"{'':<34} {'instructions an event':>22} {'before':>8} {'not in cache':>13}")
    for part, (instructions, misses) in now.items():
        change = f"{instructions / before[part] - 1:+.1%}" if before.get(part) else ""
        print(f"{part:<34} {instructions:>22,.0f} {change:>8} {misses:>13,.0f}")
    if arguments.record:
        row = {
            "what": arguments.record,
            "python": interpreter,
            "msgspec": version("msgspec"),
            "instructions": {**before, **{part: round(cost.instructions) for part, cost in now.items()}},
            "misses": {part: round(cost.misses) for part, cost in now.items()},
        }
        with HISTORY.open("a") as history:
            history.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
