"""How many records may be taken next, and when everything is paused instead. Pure."""

from typing import NamedTuple

from connector.core.buffer import RECORD_OVERHEAD_BYTES
from connector.core.inputs import Credit

DRY_SECONDS = 1.0
"""Without credit nothing is taken for this long before partitions are paused: pausing throws away what was fetched."""


class Step(NamedTuple):
    """What to do next."""

    hold: bool
    """All partitions are to be paused; what the client has to say is still polled for."""
    records: int
    """Records to take at most. 0 without `hold`: do not even poll, for a poll takes a record."""


WAIT = Step(hold=False, records=0)
HOLD = Step(hold=True, records=0)


class Flow:
    """Turns credit into records. Bytes become a count by the size of recent records, on the cautious side: an error
    is bounded by what the client holds ahead, which a poll cannot exceed."""

    def __init__(self, records_max: int) -> None:
        assert records_max >= 1
        self._records_max = records_max
        self._record_bytes = float(RECORD_OVERHEAD_BYTES)
        self._dry_since: float | None = None
        self._holding = False

    def next(self, credit: Credit, now: float, hold: bool, reading: bool) -> Step:
        """`now`: monotonic seconds. `hold`: nothing may be taken whatever the credit. `reading`: there are partitions
        that records may come from."""
        if credit.records > 0 and credit.bytes > 0:
            self._dry_since = None
            self._holding = hold
            by_bytes = int(credit.bytes / self._record_bytes)
            return HOLD if hold else Step(False, max(1, min(credit.records, by_bytes, self._records_max)))
        if self._dry_since is None:
            self._dry_since = now
        dry = now - self._dry_since >= DRY_SECONDS
        self._holding = self._holding or hold or dry or not reading
        return HOLD if self._holding else WAIT

    def took(self, records: int, value_bytes: int) -> None:
        """Learns from records that were taken."""
        mean = value_bytes / records + RECORD_OVERHEAD_BYTES
        self._record_bytes = max(mean, 0.9 * self._record_bytes + 0.1 * mean)
