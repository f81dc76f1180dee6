"""One way into a region: the batch endpoint, or the one that takes anonymous events one by one.

Each has a circuit of its own: that one of them works says nothing about the other.
"""

from connector.core.circuit import PROBED, Circuit
from connector.core.effects import RegionState
from connector.core.flight import Chunk, Flight
from connector.core.lanes import Lanes
from connector.core.options import BatchOptions, DeliveryOptions
from connector.core.token_bucket import TokenBucket
from connector.events.event import RequestKind

_BATCH_OPENS = b'{"batch":['
_BATCH_CLOSES = b"]}"
_BATCH_FRAME_BYTES = len(_BATCH_OPENS) + len(_BATCH_CLOSES)
_LANES_BATCH = 4096
_LANES_ANONYMOUS = 1024


class Channel:
    """Lanes, and what a request made from them looks like."""

    __slots__ = (
        "_details_told",
        "_state_told",
        "bytes_max",
        "circuit",
        "in_flight",
        "kind",
        "lanes",
        "operation",
        "operations_max",
        "path",
        "probes_new",
        "retries_turn",
        "share",
        "tokens",
    )

    def __init__(
        self,
        kind: RequestKind,
        operation: str,
        path: str,
        lanes: Lanes,
        circuit: Circuit,
        operations_max: int,
        bytes_max: int,
        share: float,
        tokens: TokenBucket | None,
    ) -> None:
        self.kind = kind
        self.operation = operation
        self.path = path
        self.lanes = lanes
        self.circuit = circuit
        self.operations_max = operations_max
        self.bytes_max = bytes_max
        """For bodies and the commas between them."""
        self.share = share
        """Of the region's concurrency."""
        self.tokens = tokens
        """A limit of its own besides the region's."""
        self.in_flight = 0
        self.probes_new = False
        """Whether the next probe had better be something that was never sent."""
        self.retries_turn = False
        """Whether the next request had better be one that failed before."""
        self._state_told = RegionState.HEALTHY
        self._details_told: set[str] = set()
        """Of this state."""

    @property
    def concurrency(self) -> int:
        """Requests that may be in flight now."""
        return max(1, int(self.circuit.concurrency * self.share))

    def take_news(self) -> bool:
        """Is there anything to tell, that was not told before? It counts as told then. A state is told when it begins;
        while it lasts, only what else is found to be wrong, once."""
        state, detail = self.circuit.state, self.circuit.detail
        if state is not self._state_told:
            self._state_told = state
            self._details_told.clear()
        elif state not in PROBED or detail in self._details_told:
            return False
        self._details_told.add(detail)
        return True

    @property
    def full_at(self) -> int:
        """Operations that a new request may hold now."""
        return min(self.operations_max, self.circuit.operations_max)

    def board(self) -> Flight:
        """A flight of what idle lanes hold, one of which at least holds something: as much as a request may hold."""
        load = self.lanes.take(self.full_at, self.bytes_max)
        flight = Flight(Chunk(load.entries, load.bodies), load.lanes)
        operations = len(load.bodies)
        if operations > self.operations_max or load.bytes + operations - 1 > self.bytes_max:
            # The operations of a single record, which is taken whole, may be more than one request holds.
            flight.split(self.lanes.lane_of)
        return flight

    def encode(self, bodies: list[bytes]) -> bytes:
        """The exact body of a request for operations of these bodies."""
        if self.kind is RequestKind.V2:
            return _BATCH_OPENS + b",".join(bodies) + _BATCH_CLOSES
        assert len(bodies) == 1, "anonymous events go one by one"
        return bodies[0]


def batch_channel(batch: BatchOptions, circuit: Circuit) -> Channel:
    """`POST /api/v2/batch`."""
    return Channel(
        RequestKind.V2,
        "batch",
        "/api/v2/batch",
        Lanes(_LANES_BATCH),
        circuit,
        batch.max_events,
        batch.max_bytes - _BATCH_FRAME_BYTES,
        1.0,
        None,
    )


def anonymous_channel(delivery: DeliveryOptions, circuit: Circuit, now: float) -> Channel:
    """`POST /api/v1/events`."""
    share = delivery.anonymous_share
    return Channel(
        RequestKind.V1_EVENTS,
        "v1_events",
        "/api/v1/events",
        Lanes(_LANES_ANONYMOUS),
        circuit,
        1,
        1 << 30,
        share,
        TokenBucket(delivery.requests_per_second * share, now),
    )
