"""Which event ids are on their way, and which were accepted lately. Each region has a memory of its own.

An id on its way stands in a plain dict that neither time nor size evicts (the buffer bounds it). It enters the window
once, when its event is accepted, and its time starts then. Dead-lettered and dropped ids never enter.
"""

from collections import deque
from collections.abc import Sequence

from connector.core.entry import Entry
from connector.core.identifies import IdentifyCache
from connector.core.options import DedupOptions


class IdWindow:
    """Ids accepted lately, with the digest of their content. First in, first out.

    Every id lives equally long, so that the order of insertion is the order of expiry: beside the ids in that order
    stand the times at which they came, and how many at each. An insertion costs a fraction of what
    `cachetools.TTLCache` takes for the same promise. An id that is added again keeps its first time.
    """

    __slots__ = ("_counts", "_entries_max", "_ids", "_times", "_ttl_seconds", "digests")

    def __init__(self, entries_max: int, ttl_seconds: float) -> None:
        self.digests: dict[str, int] = {}
        """ULID -> digest of the content. Call `expire` before looking into it."""
        self._ids: deque[str] = deque()
        # Two plain queues: under light traffic ids come one by one, and an object for each time would double an entry.
        self._times: deque[float] = deque()
        self._counts: deque[int] = deque()
        self._entries_max = entries_max
        self._ttl_seconds = ttl_seconds

    def __len__(self) -> int:
        return len(self.digests)

    def add(self, ids: Sequence[str], digests: Sequence[int], now: float) -> None:
        """Remember these ids, each of them once, from now on."""
        if not self._entries_max or not ids:
            return
        known, fresh = self.digests, ids
        if not known.keys().isdisjoint(ids):
            fresh = [ulid for ulid in ids if ulid not in known]
        known.update(zip(ids, digests, strict=True))
        if fresh:
            self._ids.extend(fresh)
            self._times.append(now)
            self._counts.append(len(fresh))
        self._evict(len(known) - self._entries_max)

    def expire(self, now: float) -> None:
        """Forget what is older than its time."""
        times = self._times
        while times and times[0] + self._ttl_seconds <= now:
            self._forget(self._counts[0])

    def _evict(self, excess: int) -> None:
        while excess > 0:
            count = min(excess, self._counts[0])
            self._forget(count)
            excess -= count

    def _forget(self, count: int) -> None:
        """The oldest ids, all of which came at the same time."""
        digests, next_id = self.digests, self._ids.popleft
        for _ in range(count):
            del digests[next_id()]
        if count == self._counts[0]:
            self._times.popleft()
            self._counts.popleft()
        else:
            self._counts[0] -= count


class Memory:
    """What one region remembers: both levels for event ids, and the states of its people."""

    __slots__ = ("identifies", "on_way", "window")

    def __init__(self, options: DedupOptions, lanes_key: str) -> None:
        events, identifies = options.events, options.identifies
        # By record key a person's states may be on their way in several lanes, in no order among them.
        people_max = identifies.max_entries if lanes_key == "identifier" else 0
        self.on_way: dict[str, Entry] = {}
        """ULID -> the entry that will be, or is being, sent; or the one that a record of this id hangs on."""
        self.window = IdWindow(events.max_entries, events.ttl_seconds)
        self.identifies = IdentifyCache(people_max, identifies.ttl_seconds)
