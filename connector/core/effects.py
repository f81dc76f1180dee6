"""What the core wants done. The shells carry it out and report back; nothing here does anything by itself."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from connector.events.event import Reason
from connector.events.record import Record

Trace = object
"""An opaque token of the telemetry shell that travels with a record from `receive` to its ending."""


class TopicPartition(NamedTuple):
    """Kafka's name for one log."""

    topic: str
    partition: int

    @property
    def shown(self) -> str:
        """As people write it: `events[3]`."""
        return f"{self.topic}[{self.partition}]"


class Outcome(StrEnum):
    """A record's ending. Exactly one each."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"
    DEAD_LETTERED = "dead_lettered"
    FILTERED = "filtered"


class RegionState(StrEnum):
    """How a region is doing."""

    HEALTHY = "healthy"
    THROTTLED = "throttled"
    OPEN = "open"
    UNAUTHORISED = "unauthorised"
    MISCONFIGURED = "misconfigured"


class Start(msgspec.Struct, frozen=True):
    """Begin reading a newly assigned partition at `offset`. `epoch` names this assignment from here on."""

    partition: TopicPartition
    offset: int
    epoch: int


class Send(msgspec.Struct, frozen=True):
    """POST `body` to `path` of `region`. Answer with `Core.answer(request_id, ...)`, whatever happens."""

    request_id: int
    region: str
    operation: str
    """`batch` or `v1_events`: the label of metrics."""
    path: str
    body: bytes
    events: int
    """How many operations are in the body."""
    attempt: int
    """1 for the first."""
    deadline_seconds: float
    """The whole attempt may take this long."""
    refresh_credentials: bool = False
    """Read secret files again before sending: the last answer refused the credentials."""
    oldest_timestamp_ms: int = -1
    """Kafka timestamp of the oldest record in it, for the delivery latency; -1: none."""
    traces: tuple[Trace, ...] = ()


class Cancel(msgspec.Struct, frozen=True):
    """Give up this request now; its answer no longer matters to the core and may be omitted."""

    request_id: int
    region: str


class WriteDeadLetter(msgspec.Struct, frozen=True):
    """Write the record to the dead-letter topic. Answer with `Core.dead_letter_written(letter_id, ...)`."""

    letter_id: int
    record: Record
    reason: Reason
    message: str
    attempts: int
    """Requests that held it, alone or in company. 0: it was never sent."""


class Pause(msgspec.Struct, frozen=True):
    """Take nothing from these partitions until `Resume`."""

    partitions: tuple[TopicPartition, ...]
    reason: str


class Resume(msgspec.Struct, frozen=True):
    """Read on."""

    partitions: tuple[TopicPartition, ...]


class CommitOffset(NamedTuple):
    """The offset to commit for one partition in one epoch, with the map of what is finished beyond it."""

    topic: str
    partition: int
    offset: int
    metadata: str
    epoch: int


class Commit(msgspec.Struct, frozen=True):
    """Commit these offsets. Answer with `Core.commit_done(commit_id, ...)`. One is under way at a time."""

    commit_id: int
    offsets: tuple[CommitOffset, ...]


class Released(msgspec.Struct, frozen=True):
    """A revoke is done: commit `offsets` (synchronously), then give the partitions back. No answer is expected."""

    partitions: tuple[TopicPartition, ...]
    """As they were named to `Core.revoke`."""
    offsets: tuple[CommitOffset, ...]


class Drained(msgspec.Struct, frozen=True):
    """After `Core.drain`: nothing is left or the deadline has passed. Commit `offsets`, then close."""

    offsets: tuple[CommitOffset, ...]
    clean: bool
    """False: records were still without an ending and will be read again."""


class Ended(msgspec.Struct, frozen=True):
    """A traced record has its ending."""

    trace: Trace
    outcome: Outcome
    region: str
    reason: Reason | None = None
    event_id: str | None = None
    action: str | None = None
    """The operation's, such as `person.event`; None for what could not be decoded."""


class Dropped(msgspec.Struct, frozen=True):
    """A traced record was dropped without an ending: its partition was revoked, lost or stopped, or time ran out when
    draining. Its ending is left to whoever reads it next."""

    trace: Trace


class RegionChanged(msgspec.Struct, frozen=True):
    """The state of one of a region's endpoints changed: log it and show it."""

    region: str
    operation: str
    """The endpoint, as in `Send`."""
    state: RegionState
    detail: str


class PartitionStopped(msgspec.Struct, frozen=True):
    """Too many dead letters: the partition is stopped until a person decides. Log it and show it."""

    partition: TopicPartition
    offset: int
    detail: str


class Noted(msgspec.Struct, frozen=True):
    """Something a person should find in the log. Never holds attributes or secrets."""

    level: str
    """`info`, `warning` or `error`."""
    message: str


Effect = (
    Send
    | Cancel
    | WriteDeadLetter
    | Pause
    | Resume
    | Commit
    | Released
    | Drained
    | Ended
    | Dropped
    | RegionChanged
    | PartitionStopped
    | Noted
)
