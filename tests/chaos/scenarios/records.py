"""Records that are beyond help, and a clock that cannot be trusted."""

import shutil
from pathlib import Path

from tests.chaos.run import Run
from tests.chaos.scenario import Scenario
from tests.chaos.traffic import Mix

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
JUMPS = ("+3600", "+0", "+86400", "+0")


def are_bad(run: Run) -> None:
    """Undecodable, empty, null, huge, nested without end, for nowhere; the rest flows."""
    run.wait(run.seconds)


def jump_in_time(run: Run) -> None:
    """The connector's clock jumps forwards by an hour and by a day, and back each time. (Never behind the real one:
    libfaketime then makes waits last as long as the jump.)"""
    if not FAKETIME.exists() or shutil.which("faketime") is None:
        run.notes.append("the clock did not jump: it needs libfaketime (Debian: apt-get install faketime)")
    clock = run.folder / "clock"
    clock.write_text("+0")
    run.environment.update(
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    run.member()
    run.wait_until_at_work()
    run.publisher.start()
    for jump in JUMPS:
        run.wait(run.seconds / len(JUMPS))
        clock.write_text(jump)


SCENARIOS = (
    Scenario("bad-records", "one record in ten is beyond help", are_bad, mix=Mix(mistakes=0.012, huge=0.004)),
    Scenario(
        "clock-jumps", "the connector's clock jumps by hours and days", jump_in_time, begins_at_work=False
    ),
)
