"""What the core takes for the time."""

import time

import pytest

from connector.clock import seconds
from connector.telemetry.core_metrics import Clocks


@pytest.mark.skipif(
    not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has a clock that counts suspension"
)
def test_time_goes_on_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {time.CLOCK_BOOTTIME: 3_600.0, time.CLOCK_MONOTONIC: 60.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    assert seconds() == 3_600.0


def test_ages_are_measured_by_the_clock_that_drives_the_core() -> None:
    assert Clocks().monotonic is seconds
