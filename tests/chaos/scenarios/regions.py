"""One region is away for the whole run; the other must not notice."""

import time

from connector.simulator import FaultKind
from tests.chaos.run import Run
from tests.chaos.scenario import Scenario
from tests.chaos.traffic import NUMBER

P99_RATIO_MAX = 5.0
P99_SECONDS_FLOOR = 1.0
"""Less than this is the noise of a small machine: a request that hangs takes three times as long."""


_NAME = "customerio.test"
_RESOLVER = """
import os
import socket

from aiohttp.resolver import ThreadedResolver

_true = ThreadedResolver.resolve


async def _false(self, host, *more, **options):
    if host != {name!r}:
        return await _true(self, host, *more, **options)
    if os.path.exists({lost!r}):
        with open({lost!r}, "a") as file:
            file.write("asked")
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return await _true(self, "127.0.0.1", *more, **options)


ThreadedResolver.resolve = _false
"""
"""By this a name has the address of this machine, and none as long as the file is there; it says whether one asked."""


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


def loses_its_address(run: Run) -> None:
    """The other's host name resolves no longer for a while, and open connections break."""
    lost = run.folder / "no-address"
    run.begin_with(_RESOLVER.format(name=_NAME, lost=str(lost)))
    run.member(regions={"eu": {"url": f"http://{_NAME}:{run.customerio.port('eu')}"}})
    run.wait_until_at_work()
    run.publisher.start()
    run.pause(2)
    lost.touch()
    run.inject(kind=FaultKind.RESET, region="eu", probability=0.2)
    run.wait(run.seconds)
    if not lost.read_text():
        run.faults.append("the name was not asked for: this scenario shows nothing")
    lost.unlink()


def _runs_without_eu(run: Run, url: str) -> None:
    """Half of the time as it should be, half without; then the configuration is mended."""
    half = run.seconds / 2
    began = time.monotonic()
    run.wait(half)
    stopped = time.monotonic()
    run.terminate(run.members[0])
    delivered = len(run.customerio.workspaces["eu"].operations)
    run.member(regions={"eu": {"url": url}})
    run.pause(2)  # what had gathered meanwhile is late through no fault of the other region
    changed = time.monotonic()
    run.wait(half)
    _compare_latency(run, (began, stopped - 1), (changed, time.monotonic()))
    if len(run.customerio.workspaces["eu"].operations) != delivered:
        run.faults.append("the other region was not away: this scenario shows nothing")
    run.terminate(run.members[0])
    run.member()


def _compare_latency(run: Run, well: tuple[float, float], ill: tuple[float, float]) -> None:
    """Of what was published between these monotonic times, without and with the other region's trouble."""
    if run.terminates:
        return  # while a process stops, and until the next has started, nobody delivers
    run.pause(1)
    without, with_fault = _p99(_latencies(run, *well)), _p99(_latencies(run, *ill))
    ratio = with_fault / without
    run.notes.append(f"p99 of us {with_fault * 1000:.0f} ms, {ratio:.1f} of {without * 1000:.0f} ms without")
    if ratio > P99_RATIO_MAX and with_fault > P99_SECONDS_FLOOR:
        run.faults.append(f"us suffers from eu: {run.notes[-1]}")


def _latencies(run: Run, after: float, before: float) -> list[float]:
    """Of us: seconds from publishing to acceptance, sorted."""
    published = {
        record.number: record.at
        for record in reversed(run.publisher.published)
        if record.region == "us" and after <= record.at < before
    }
    seconds = {
        number: operation.received_at - published[number]
        for operation in reversed(run.customerio.workspaces["us"].operations)
        if (number := (operation.attributes or {}).get(NUMBER, -1)) in published
    }
    return sorted(seconds.values())


def _p99(sorted_seconds: list[float]) -> float:
    return sorted_seconds[int(len(sorted_seconds) * 0.99)]


SCENARIOS = (
    Scenario("region-hangs", "eu answers nothing; us keeps its latency", hangs),
    Scenario("region-refused", "nothing listens where eu should; us keeps its latency", is_refused),
    Scenario(
        "region-loses-address",
        "eu's name resolves no longer, and connections break",
        loses_its_address,
        begins_at_work=False,
    ),
    Scenario("region-unresolvable", "eu's name does not resolve; us keeps its latency", has_no_address),
)
