"""What goes wrong at Customer.io with `--faults`: everything must hold all the same."""

from connector.simulator import Fault, FaultKind

ALL_ALONG = (
    Fault(kind=FaultKind.LATENCY, delay_seconds=0.005, jitter_seconds=0.05),
    Fault(kind=FaultKind.STATUS, status=429, retry_after_seconds=0.2, probability=0.02),
    Fault(kind=FaultKind.STATUS, status=503, probability=0.02),
    Fault(kind=FaultKind.STATUS, status=502, probability=0.02, applied=True),
    Fault(kind=FaultKind.RESET, probability=0.02),
    Fault(kind=FaultKind.RESET, probability=0.02, applied=True),
    Fault(kind=FaultKind.TRUNCATE, probability=0.02, applied=True),
)
OUTAGE = Fault(kind=FaultKind.STATUS, status=503, region="eu", seconds=3.0)
"""After a third of the traffic."""
