"""What the core takes for the time."""

import time

import pytest

from connector.pipeline.clock import seconds
from connector.telemetry.core_metrics import boot_seconds


@pytest.mark.skipif(
    not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has a clock that counts suspension"
)
@pytest.mark.parametrize("now", [seconds, boot_seconds])
def test_time_goes_on_while_the_machine_is_suspended(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {time.CLOCK_BOOTTIME: 3_600.0, time.CLOCK_MONOTONIC: 60.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    assert callable(now)
    assert now() == 3_600.0
