"""A record on its way through the core, from being read to its ending."""

import msgspec

from connector.core.effects import Outcome, Trace
from connector.core.ledger import Ledger
from connector.events.event import Event, Rejection
from connector.events.record import Record


class Waiter(msgspec.Struct, gc=False):
    """A record that hangs on another one, shares its ending, and takes its place should that one be revoked."""

    record: Record
    ledger: Ledger
    index: int
    event: Event
    cost_bytes: int
    outcome: Outcome
    """How it ends when the other one has ended: duplicate, or unchanged."""
    trace: Trace | None = None


class Entry(msgspec.Struct, gc=False):
    """One record whose operations stand in a lane or in a request."""

    record: Record
    ledger: Ledger
    index: int
    """Its place in the ledger."""
    event: Event
    cost_bytes: int
    """What it counts towards the buffer."""
    sequence: int
    """Its arrival among all records: lanes are served oldest head first."""
    arrived_at: float
    unsettled: int
    """How many of its operations have no answer yet."""
    waiters: list[Waiter] | None = None
    trace: Trace | None = None
    rejection: Rejection | None = None
    """Why one of several operations can never be accepted, naming which."""
    watched: bool = False
    """Something needs a closer look at its ending: waiters, a trace, several operations or the identify cache."""
    attempts: int = 0
    """Requests made for the operation that can never be accepted."""

    def hang(self, waiter: Waiter) -> None:
        """Let another record share this one's ending."""
        if self.waiters is None:
            self.waiters = []
        self.waiters.append(waiter)
        self.watched = True

    def succeed(self) -> bool:
        """Give the place to a waiter whose partition is still ours, one of the same id if there is any. False: there
        is none. The operations stay, and with them the place in the lane: they say the same."""
        heirs = [waiter for waiter in self.waiters or () if waiter.ledger.takes]
        if not heirs:
            return False
        heir = next((waiter for waiter in heirs if waiter.event.ulid == self.event.ulid), heirs[0])
        self.waiters = [waiter for waiter in heirs if waiter is not heir]
        self.record, self.ledger, self.index = heir.record, heir.ledger, heir.index
        self.cost_bytes, self.trace = heir.cost_bytes, heir.trace
        own = self.event
        self.event = msgspec.structs.replace(
            heir.event,
            action=own.action,
            body=own.body,
            lane=own.lane,
            lane_secondary=own.lane_secondary,
            kind=own.kind,
            second=own.second,
        )
        return True

    def digest_of(self, ulid: str) -> int:
        """The digest of the event of this id: the entry's own, or that of one that hangs on it."""
        if ulid == self.event.ulid:
            return self.event.digest
        return next(waiter.event.digest for waiter in self.waiters or () if waiter.event.ulid == ulid)
