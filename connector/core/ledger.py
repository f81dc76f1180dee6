"""What has been read of one partition, and what of it has its ending.

Indexed by arrival: an array of offsets beside a bytearray of flags, both trimmed as the watermark moves. The watermark
is the first record without an ending, and only what lies before it is ever committed. A gap in the offsets
(transaction markers, compaction) needs no flag: it is passed over like everything that was never read.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence

from connector.core.commit_metadata import Run
from connector.core.effects import TopicPartition

_TRIM_AT = 8192
_CHECKPOINTS_A_SPAN = 128
"""The next one stands so small a part of the span behind the last at least."""


class Ledger:
    """One partition in one epoch: made at assignment, dead after revoke or loss."""

    __slots__ = (
        "checkpoints",
        "committed",
        "committed_metadata",
        "dead_indexes",
        "dead_offsets",
        "epoch",
        "finished",
        "flags",
        "leader_epoch",
        "live",
        "mark",
        "metadata_limit",
        "next_offset",
        "offsets",
        "overrun",
        "partition",
        "paused",
        "position",
        "progress_at",
        "stopped",
        "takes",
        "topic_id",
        "trimmed",
        "warm_up_floor",
        "warm_up_from",
        "warm_up_passes",
    )

    def __init__(self, partition: TopicPartition, epoch: int, position: int, now: float) -> None:
        self.partition = partition
        self.epoch = epoch
        self.position = position
        """The first offset that belongs to this ledger; records before it are warm-up."""
        self.next_offset = position
        """The offset that is read next."""
        self.offsets = array("q")
        self.flags = bytearray()
        self.trimmed = 0
        """How many records were cut off the front of both."""
        self.mark = 0
        """Place, in the arrays as they stand, of the first record without an ending."""
        self.live = True
        """False after revoke or loss: nothing may touch it any more."""
        self.takes = True
        """False from the beginning of a revoke on, and when stopped: no record of it is sent or taken."""
        self.overrun = False
        """Its share of dead letters has gone beyond the limit: no more of them are written, and it is stopped."""
        self.stopped = False
        """Too many dead letters."""
        self.paused = ""
        """Why its reading is paused; empty where it is not."""
        self.finished: deque[Run] = deque()
        """Runs of offsets that an earlier owner had finished beyond the committed offset."""
        self.warm_up_from = position
        """Where reading began."""
        self.warm_up_floor = 0
        """A later warm-up may not begin before: dead letters before it are no longer known."""
        self.warm_up_passes: frozenset[int] = frozenset()
        """Offsets that warm-up must not feed to the window: dead letters, and conflicts dropped for another's sake."""
        self.dead_offsets = array("q")
        """The same of this run, as far as a later warm-up may come across them."""
        self.dead_indexes = array("q")
        """Arrival places of recent dead letters, ascending, for their share."""
        self.checkpoints: deque[tuple[int, int]] = deque()
        """(arrival place, Kafka timestamp in ms) of the first record of a poll, for the age of the oldest one."""
        self.committed: int | None = None
        self.committed_metadata = ""
        self.metadata_limit: int | None = None
        """Characters that the broker was seen to take; None: as configured."""
        self.topic_id = ""
        self.leader_epoch: int | None = None
        self.progress_at = now

    def advance(self, now: float) -> None:
        """Move the watermark over everything that has ended, and cut off what lies far behind it."""
        mark = self.flags.find(0, self.mark)
        if mark < 0:
            mark = len(self.flags)
        if mark != self.mark or mark == len(self.flags):
            self.progress_at = now
        self.mark = mark
        if mark >= _TRIM_AT:
            del self.offsets[:mark]
            del self.flags[:mark]
            self.trimmed += mark
            self.mark = 0
        while len(self.checkpoints) > 1 and self.checkpoints[1][0] <= self.trimmed + self.mark:
            self.checkpoints.popleft()

    @property
    def watermark(self) -> int:
        """The offset to commit: the first without an ending, or the next one to be read. `advance` keeps it current."""
        return self.offsets[self.mark] if self.mark < len(self.offsets) else self.next_offset

    @property
    def span(self) -> int:
        """Records from the oldest without an ending to the newest read."""
        return len(self.flags) - self.mark

    @property
    def outstanding(self) -> int:
        """Records read that have no ending."""
        return self.flags.count(0, self.mark)

    @property
    def oldest_timestamp_ms(self) -> int:
        """Kafka timestamp of the poll that brought the oldest record without an ending; -1: none."""
        return self.checkpoints[0][1] if self.span and self.checkpoints else -1

    @property
    def arrived(self) -> int:
        """Records read so far: the place of arrival that the next one will have."""
        return self.trimmed + len(self.flags)

    def checkpoint(self, timestamp_ms: int) -> None:
        """A poll's records begin, the first of them with this timestamp.

        The farther from the oldest one, the fewer are remembered: its age is too high by a hundredth of the longest
        wait at most, and what comes one by one behind a record that is stuck costs no more than what comes together.
        """
        arrived, known = self.arrived, self.checkpoints
        if known and (arrived - known[-1][0]) * _CHECKPOINTS_A_SPAN < self.span:
            return
        known.append((arrived, timestamp_ms))

    def extend(self, offsets: Sequence[int]) -> int:
        """The next records were read, one at least. The place of arrival of the first; the others' follow on it."""
        first = self.arrived
        self.offsets.extend(offsets)
        self.flags.extend(bytes(len(offsets)))
        self.next_offset = offsets[-1] + 1
        return first

    def cut(self, index: int) -> None:
        """Records from this place of arrival on count as never read."""
        place = index - self.trimmed
        if place < len(self.offsets):
            self.next_offset = self.offsets[place]
            del self.offsets[place:]
            del self.flags[place:]

    def end(self, index: int) -> None:
        """The record at this place of arrival has its ending."""
        place = index - self.trimmed
        assert place >= self.mark and not self.flags[place], "a record ends once"
        self.flags[place] = 1

    def offset_at(self, index: int) -> int:
        """The offset of a record that has not been trimmed."""
        return self.offsets[index - self.trimmed]

    def was_finished(self, offset: int) -> bool:
        """Did an earlier owner finish it? Asked in ascending order."""
        finished = self.finished
        while finished and finished[0].end <= offset:
            finished.popleft()
        return bool(finished) and finished[0].start <= offset

    def runs_beyond(self) -> Iterator[Run]:
        """Runs of finished offsets beyond the watermark, ascending. What was never read is in none of them,
        apart from gaps inside a run."""
        flags, offsets = self.flags, self.offsets
        start = flags.find(1, self.mark)
        while start >= 0:
            stop = flags.find(0, start)
            if stop < 0:
                stop = len(flags)
            yield Run(offsets[start], offsets[stop - 1] + 1)
            start = flags.find(1, stop)
        for run in self.finished:
            if run.end > self.next_offset:
                yield Run(max(run.start, self.next_offset), run.end)
