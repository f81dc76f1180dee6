"""What stays of a flight or a lane when partitions were revoked."""

from connector.core.endings import Endings
from connector.core.entry import Entry


class Sieve:
    """Keeps entries whose partition is ours; drops each other one once, unless a duplicate has its place."""

    def __init__(self, endings: Endings, region: str, now: float) -> None:
        self._endings = endings
        self._region = region
        self._now = now
        self._decided: dict[int, bool] = {}

    def spare(self, entries: list[Entry]) -> None:
        """These are on the wire: their answer decides."""
        self._decided.update((entry.sequence, True) for entry in entries)

    def __call__(self, entry: Entry) -> bool:
        if entry.ledger.takes:
            return True
        decided = self._decided.get(entry.sequence)
        if decided is None:
            decided = self._decided[entry.sequence] = self._endings.dropped(entry, self._region, self._now)
        return decided
