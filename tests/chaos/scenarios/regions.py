"""One region is away for the whole run; the other must not notice."""

import time

from connector.simulator import FaultKind
from tests.chaos.run import Run
from tests.chaos.scenario import Scenario

P99_RATIO_MAX = 5.0
P99_SECONDS_FLOOR = 1.0
"""Less than this is the noise of a small machine: a request that hangs takes three times as long."""


def hangs(run: Run) -> None:
    """The latency of one region, without and with the other's hanging."""
    half = run.seconds / 2
    began = time.monotonic()
    run.wait(half)
    run.inject(kind=FaultKind.HANG, region="eu")
    changed = time.monotonic()
    run.wait(half)
    _compare_latency(run, (began, changed - 1), (changed, time.monotonic()))


def is_refused(run: Run) -> None:
    """Nothing listens on the other's port."""
    _runs_without_eu(run, "http://127.0.0.1:1")


def has_no_address(run: Run) -> None:
    """The other's host name does not resolve."""
    _runs_without_eu(run, "http://customerio.invalid")


def _runs_without_eu(run: Run, url: str) -> None:
    """Half of the time as it should be, half without; then the configuration is mended."""
    half = run.seconds / 2
    began = time.monotonic()
    run.wait(half)
    stopped = time.monotonic()
    run.terminate(run.members[0])
    delivered = len(run.customerio.workspaces["eu"].operations)
    run.member(regions={"eu": {"url": url}})
    run.wait(2)  # what had gathered meanwhile is late through no fault of the other region
    changed = time.monotonic()
    run.wait(half)
    _compare_latency(run, (began, stopped - 1), (changed, time.monotonic()))
    if len(run.customerio.workspaces["eu"].operations) != delivered:
        run.faults.append("the other region was not away: this scenario shows nothing")
    run.terminate(run.members[0])
    run.member()


def _compare_latency(run: Run, well: tuple[float, float], ill: tuple[float, float]) -> None:
    """Of what was published between these monotonic times, without and with the other region's trouble."""
    run.wait(1)
    without, with_fault = _p99(run.latencies("us", *well)), _p99(run.latencies("us", *ill))
    ratio = with_fault / without
    run.notes.append(f"p99 of us {with_fault * 1000:.0f} ms, {ratio:.1f} of {without * 1000:.0f} ms without")
    if ratio > P99_RATIO_MAX and with_fault > P99_SECONDS_FLOOR:
        run.faults.append(f"us suffers from eu: {run.notes[-1]}")


def _p99(sorted_seconds: list[float]) -> float:
    return sorted_seconds[int(len(sorted_seconds) * 0.99)]


SCENARIOS = (
    Scenario("region-hangs", "eu answers nothing; us keeps its latency", hangs),
    Scenario("region-refused", "nothing listens where eu should; us keeps its latency", is_refused),
    Scenario("region-unresolvable", "eu's name does not resolve; us keeps its latency", has_no_address),
)
