"""The clock that the core is driven by, and ages are measured by: seconds that go on while the machine is suspended."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds() -> float:
    """Never goes backwards; counts suspension where the system has such a clock (Linux)."""
    return time.clock_gettime(_CLOCK)
