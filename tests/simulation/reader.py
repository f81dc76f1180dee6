"""A member's consumer: where it reads in each of its partitions."""

from collections.abc import Iterable, Mapping
from random import Random

from connector.core.effects import Start, TopicPartition
from tests.simulation.kafka import Log
from tests.simulation.truth import Published


class Reader:
    """Positions, epochs and pauses of the partitions that a member holds."""

    def __init__(self, logs: Mapping[TopicPartition, Log], random: Random) -> None:
        self._logs = logs
        self._random = random
        self._paused: set[TopicPartition] = set()
        self.positions: dict[TopicPartition, int] = {}
        self.epochs: dict[TopicPartition, int] = {}

    def seek(self, start: Start) -> None:
        """Read on from there, in that epoch."""
        self.positions[start.partition] = start.offset
        self.epochs[start.partition] = start.epoch

    def forget(self, place: TopicPartition) -> None:
        """The partition is another member's, or nobody's."""
        self.positions.pop(place, None)
        self.epochs.pop(place, None)

    def pause(self, places: Iterable[TopicPartition]) -> None:
        """Take nothing from these."""
        self._paused.update(place for place in places if place in self.positions)

    def resume(self, places: Iterable[TopicPartition]) -> None:
        """Read on from these. A pause outlives its assignment, so a new one begins with this."""
        self._paused.difference_update(places)

    def overtaken(self) -> TopicPartition | None:
        """A partition whose next record retention has deleted."""
        logs = self._logs
        return next((place for place, position in self.positions.items() if position < logs[place].low), None)

    def readable(self) -> list[TopicPartition]:
        """Partitions that have something to read."""
        return [
            place
            for place, position in self.positions.items()
            if place not in self._paused and self._logs[place].has_more(position)
        ]

    def read(self, records_max: int, bytes_max: int) -> list[Published]:
        """Records of all readable partitions, mixed, each partition's in order."""
        random = self._random
        taken: list[Published] = []
        readable = self.readable()
        while readable and len(taken) < records_max and bytes_max > 0:
            place = random.choice(readable)
            count = random.randint(1, records_max - len(taken))
            for published in self._logs[place].read(self.positions[place], count):
                taken.append(published)
                bytes_max -= len(published.record.value() or b"")
                self.positions[place] = published.offset + 1
                if bytes_max <= 0:
                    break
            readable = self.readable()
        return taken

    def pass_markers(self) -> None:
        """Where there is nothing more to read, the client passes what is no record."""
        for place, position in self.positions.items():
            log = self._logs[place]
            if place not in self._paused and not log.has_more(position):
                self.positions[place] = max(position, log.high)
