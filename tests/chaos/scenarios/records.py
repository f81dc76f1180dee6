"""Records that are beyond help, and a clock that cannot be trusted."""

from tests.chaos.run import Run
from tests.chaos.scenario import Scenario
from tests.chaos.traffic import Mix

JUMPS = ("3600", "-3600", "0", "86400", "-86400")
_CLOCK = """
import time

_true = time.time


def _false():
    with open({clock!r}) as seconds:
        return _true() + float(seconds.read() or 0)


time.time = _false
"""
"""By this a process takes the clock for another. Kafka's client keeps the true one, since it waits by it."""


def are_bad(run: Run) -> None:
    """Undecodable, empty, null, huge, nested without end, for nowhere; the rest flows."""
    run.wait(run.seconds)


def are_poison(run: Run) -> None:
    """Requests that hold one of them fail, or are refused. That others succeed tells the first from an outage, so they
    go on until the last one is found."""
    run.wait(run.seconds)
    run.publisher.change(Mix())


def jump_in_time(run: Run) -> None:
    """The connector's clock jumps forwards and back by hours and days, while Customer.io asks to wait until a time."""
    clock = run.folder / "clock"
    clock.write_text("0")
    run.begin_with(_CLOCK.format(clock=str(clock)))
    run.member()
    run.wait_until_at_work()
    run.publisher.start()
    for jump in JUMPS:
        run.wait(run.seconds / len(JUMPS))
        run.inject(kind="status", status=503, requests=2, retry_after_seconds=1, retry_after_date=True)
        clock.write_text(jump)


SCENARIOS = (
    Scenario("bad-records", "one record in ten is beyond help", are_bad, mix=Mix(mistakes=0.012, huge=0.004)),
    Scenario(
        "poison",
        "one record in 500 makes each request fail, or be refused, that holds it",
        are_poison,
        mix=Mix(pills=0.002),
        settings={"delivery": {"poison_attempts": 5}},
    ),
    Scenario(
        "clock-jumps", "the connector's clock jumps by hours and days", jump_in_time, begins_at_work=False
    ),
)
