"""Customer.io refuses, fails, hangs or loses its answers."""

from functools import partial
from typing import Any

from connector.simulator import FaultKind
from tests.chaos.run import Run
from tests.chaos.scenario import Scenario


def fails(run: Run, **fault: Any) -> None:
    """The same fault all the time."""
    run.inject(**fault)
    run.wait(run.seconds)


def cuts_answers(run: Run) -> None:
    """Some of what was applied, and some of what was not."""
    for applied in (True, False):
        run.inject(kind=FaultKind.TRUNCATE, applied=applied, probability=0.2)
    run.wait(run.seconds)


def throttles(run: Run) -> None:
    """429 with Retry-After in seconds, then as a date, then without. Memory must not grow with the time it takes."""
    for retry_after in ({"retry_after_seconds": 2}, {"retry_after_seconds": 2, "retry_after_date": True}, {}):
        run.calm()
        run.inject(kind=FaultKind.STATUS, status=429, **retry_after)
        run.wait(run.seconds / 3)


def comes_and_goes(run: Run, **fault: Any) -> None:
    """Down for some seconds, well for some seconds."""
    for _ in run.rounds(1, 2):
        run.inject(**fault)
        run.wait(3)
        run.calm()


def refuses_the_key(run: Run) -> None:
    """The key of one region is wrong from the start until its file is mended; the other's is refused for a while."""
    run.write_key("eu", "a-wrong-key")
    run.member()
    run.wait_until_at_work()
    run.publisher.start()
    run.wait(run.seconds / 3)
    run.inject(kind=FaultKind.STATUS, status=401, region="us")
    run.wait(run.seconds / 3)
    if any(run.customerio.workspaces["eu"].operations):
        run.faults.append("the stand-in took a wrong key: this scenario shows nothing")
    run.write_key("eu")
    run.calm()
    run.wait(run.seconds / 3)


def does_it_all(run: Run) -> None:
    """One fault after another, by chance, and several at once."""
    kinds: tuple[dict[str, Any], ...] = (
        {"kind": FaultKind.STATUS, "status": 429, "retry_after_seconds": 1, "probability": 0.5},
        {"kind": FaultKind.STATUS, "status": 503, "probability": 0.5},
        {"kind": FaultKind.STATUS, "status": 502, "applied": True, "probability": 0.3},
        {"kind": FaultKind.RESET, "applied": True, "probability": 0.3},
        {"kind": FaultKind.RESET, "probability": 0.3},
        {"kind": FaultKind.TRUNCATE, "applied": True, "probability": 0.3},
        {"kind": FaultKind.GARBAGE, "applied": True, "probability": 0.2},
        {"kind": FaultKind.HANG, "probability": 0.1},
        {"kind": FaultKind.HANG, "applied": True, "probability": 0.1},
        {"kind": FaultKind.LATENCY, "delay_seconds": 0.5, "jitter_seconds": 1},
    )
    for _ in run.rounds(1, 2):
        run.calm()
        for fault in run.random.sample(kinds, 2):
            run.inject(**fault)


SCENARIOS = (
    Scenario("throttled", "429, with and without Retry-After", throttles),
    Scenario(
        "errors-500",
        "every third request fails with 500",
        partial(fails, kind=FaultKind.STATUS, status=500, probability=0.33),
    ),
    Scenario(
        "unavailable-503",
        "503 with Retry-After for 3 s, again and again",
        partial(comes_and_goes, kind=FaultKind.STATUS, status=503, retry_after_seconds=1),
    ),
    Scenario(
        "wrong-key", "401; the secret file is mended while it runs", refuses_the_key, begins_at_work=False
    ),
    Scenario(
        "rejects-items",
        "207: one item in fifty is refused",
        partial(fails, kind=FaultKind.REJECT_ITEMS, share=0.02),
        may_be_rejected=True,
    ),
    Scenario(
        "resets", "every third connection is reset", partial(fails, kind=FaultKind.RESET, probability=0.33)
    ),
    Scenario(
        "hangs", "every tenth request is never answered", partial(fails, kind=FaultKind.HANG, probability=0.1)
    ),
    Scenario(
        "hangs-all",
        "no request is answered for 3 s, again and again",
        partial(comes_and_goes, kind=FaultKind.HANG),
    ),
    Scenario(
        "cut-answers",
        "answers end in their middle, the request applied or not",
        cuts_answers,
    ),
    Scenario(
        "lost-answers",
        "every third request is applied and its answer lost",
        partial(fails, kind=FaultKind.RESET, applied=True, probability=0.33),
    ),
    Scenario("everything", "two random faults at once, changing every second or two", does_it_all, 30),
)
