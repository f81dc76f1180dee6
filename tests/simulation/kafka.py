"""The simulated Kafka: logs with gaps and retention, and the offsets that groups commit."""

from bisect import bisect_left
from typing import NamedTuple

from connector.core.effects import TopicPartition
from tests.simulation.truth import Published


class Log:
    """One partition. Offsets ascend, with gaps where transaction markers stand."""

    def __init__(self, place: TopicPartition) -> None:
        self.place = place
        self.low = 0
        """The first offset that retention has left."""
        self.high = 0
        """The offset that the next record gets."""
        self._creations = 1
        self.leader_epoch = 1
        self.records: list[Published] = []
        self._offsets: list[int] = []

    @property
    def topic_id(self) -> str:
        """Another one each time the topic is created."""
        return f"{self.place.topic}-{self._creations}"

    def append(self, published: Published) -> None:
        """A record enters at an offset not below `high`."""
        assert published.offset >= self.high
        self.records.append(published)
        self._offsets.append(published.offset)
        self.high = published.offset + 1

    def mark(self, count: int) -> None:
        """Transaction markers, or records that compaction has removed, take some offsets."""
        self.high += count

    def between(self, start: int, end: int) -> list[Published]:
        """Records of these offsets, `end` excluded, whether or not retention has left them."""
        return self.records[bisect_left(self._offsets, start) : bisect_left(self._offsets, end)]

    def read(self, position: int, count: int) -> list[Published]:
        """The next records from a position on."""
        first = bisect_left(self._offsets, max(position, self.low))
        return self.records[first : first + count]

    def has_more(self, position: int) -> bool:
        """Is there a record at or after the position?"""
        return bool(self._offsets) and self._offsets[-1] >= position

    def truncate(self, low: int) -> list[Published]:
        """Retention deletes what lies before `low`."""
        deleted = self.between(self.low, low)
        self.low = max(self.low, min(low, self.high))
        return deleted

    def recreate(self) -> list[Published]:
        """The topic is deleted and made again: offsets begin anew."""
        gone, self.records, self._offsets = self.records, [], []
        self.low = self.high = 0
        self._creations += 1
        return gone

    def lose_end(self, high: int) -> list[Published]:
        """A leader that had fallen behind is elected: what lies from `high` on is gone, its offsets are used again."""
        gone = self.between(high, self.high)
        del self.records[len(self.records) - len(gone) :], self._offsets[len(self._offsets) - len(gone) :]
        self.high = max(high, self.low)
        self.leader_epoch += 1
        return gone


class Committed(NamedTuple):
    """What a group has committed for a partition."""

    offset: int
    metadata: str


class Broker:
    """All logs, and the committed offsets of all groups."""

    def __init__(self, places: tuple[TopicPartition, ...], metadata_limit: int) -> None:
        self.logs = {place: Log(place) for place in places}
        self.metadata_limit = metadata_limit
        self._committed: dict[tuple[int, TopicPartition], Committed] = {}

    def committed(self, group: int, place: TopicPartition) -> Committed | None:
        """The group's committed offset."""
        return self._committed.get((group, place))

    def commit(self, group: int, place: TopicPartition, offset: int, metadata: str) -> str | None:
        """Commit one partition's offset. The name of the error where it is refused: for metadata that is too long."""
        if len(metadata) > self.metadata_limit:
            return "OFFSET_METADATA_TOO_LARGE"
        self._committed[group, place] = Committed(offset, metadata)
        return None

    def set_committed(self, group: int, place: TopicPartition, offset: int | None) -> None:
        """An administrator resets, or the broker forgets, what was committed."""
        if offset is None:
            self._committed.pop((group, place), None)
        else:
            self._committed[group, place] = Committed(offset, "")
