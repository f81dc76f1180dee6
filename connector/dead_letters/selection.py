"""Dead letters as they are read: chosen, counted, each record once. Pure."""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator

from connector.dead_letters.filters import Filters
from connector.dead_letters.letter import DeadLetter, Foreign, Place, read_letter
from connector.events.record import Record

_PACK = struct.Struct(">qq").pack


class Selection:
    """Told the records of the topic, partition by partition, in order.

    Dead letters are written at least once, so there may be several of a record, also in different partitions. The
    first that is read counts. To know them takes about 100 bytes for each dead letter.
    """

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._seen: dict[tuple[str, int], set[bytes]] = {}
        self.copies: set[Place] = set()
        """Further dead letters of a record that was seen."""
        self.foreign = 0
        self.truncated = 0
        self.reasons: Counter[str] = Counter()
        self.source_topics: Counter[str] = Counter()
        self._places_found: set[str] = set()

    @property
    def places_missing(self) -> list[str]:
        """Places that were asked for, and at which nothing is."""
        return [place for place in dict.fromkeys(self._filters.places) if place not in self._places_found]

    @property
    def letters(self) -> int:
        """How many were chosen, each record counted once."""
        return self.reasons.total()

    @property
    def replayable(self) -> int:
        """How many of them can be put back."""
        return self.letters - self.truncated

    def among(self, records: Iterable[Record]) -> Iterator[DeadLetter | Foreign]:
        """Those that are chosen, without copies."""
        for record in records:
            letter = read_letter(record)
            self._places_found |= self._filters.places_of(letter)
            if isinstance(letter, Foreign):
                if self._filters.choose_foreign(letter):
                    self.foreign += 1
                    yield letter
            elif self._filters.choose(letter) and self._is_first(letter):
                self._count(letter)
                yield letter

    def _is_first(self, letter: DeadLetter) -> bool:
        origin = letter.origin
        seen = self._seen.setdefault((origin.topic, origin.partition), set())
        size = len(seen)
        seen.add(_PACK(origin.offset, origin.timestamp_ms))
        if len(seen) == size:
            self.copies.add(letter.place)
        return len(seen) > size

    def _count(self, letter: DeadLetter) -> None:
        self.reasons[letter.reason] += 1
        self.source_topics[letter.origin.topic] += 1
        if letter.truncated_bytes is not None:
            self.truncated += 1
