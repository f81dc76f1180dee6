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

    Every id lives equally long, so that the order of insertion is the order of expiry: ids are kept by the batch that
    brought them, and a batch goes as a whole. An insertion costs a fraction of what `cachetools.TTLCache` takes for
    the same promise. An id that is added again keeps its first time.
    """

    __slots__ = ("_batches", "_entries_max", "_ttl_seconds", "digests")

    def __init__(self, entries_max: int, ttl_seconds: float) -> None:
        self.digests: dict[str, int] = {}
        """ULID -> digest of the content. Call `expire` before looking into it."""
        self._batches: deque[tuple[float, Sequence[str]]] = deque()
        self._entries_max = entries_max
        self._ttl_seconds = ttl_seconds

    def __len__(self) -> int:
        return len(self.digests)

    def add(self, ids: Sequence[str], digests: Sequence[int], now: float) -> None:
        """Remember these ids, each of them once, from now on. The sequences are kept."""
        if not self._entries_max or not ids:
            return
        known, fresh = self.digests, ids
        if not known.keys().isdisjoint(ids):
            fresh = [ulid for ulid in ids if ulid not in known]
        known.update(zip(ids, digests, strict=True))
        if fresh:
            self._batches.append((now, fresh))
        self._evict(len(known) - self._entries_max)

    def expire(self, now: float) -> None:
        """Forget what is older than its time."""
        batches = self._batches
        while batches and batches[0][0] + self._ttl_seconds <= now:
            for ulid in batches.popleft()[1]:
                del self.digests[ulid]

    def _evict(self, excess: int) -> None:
        while excess > 0:
            added_at, ids = self._batches.popleft()
            for ulid in ids[:excess]:
                del self.digests[ulid]
            if len(ids) > excess:
                self._batches.appendleft((added_at, ids[excess:]))
            excess -= len(ids)


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
