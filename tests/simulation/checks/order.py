"""In which order Customer.io first accepted what concerns one identifier."""

from connector.core.effects import TopicPartition
from connector.core.options import CoreOptions
from tests.simulation.clock import Clock
from tests.simulation.truth import Fact, Truth
from tests.simulation.violation import Violation

_REQUEST_SECONDS_MAX = 3.0
"""No request takes longer to arrive."""


class OrderChecks:
    """First acceptance follows the log, for each identifier and partition; and events are accepted once."""

    def __init__(self, options: CoreOptions, truth: Truth, clock: Clock) -> None:
        self._clock = clock
        self._forgiven_until = 0.0
        self._options = options
        self._truth = truth
        self._first: set[tuple[tuple[str, int], int]] = set()
        self._last: dict[tuple[str, bytes, TopicPartition], tuple[int, int]] = {}
        self.times_new: dict[tuple[tuple[str, int], int], int] = {}
        """(event, index of its operation) -> how often it was accepted under an id not seen before."""
        self.times: dict[tuple[tuple[str, int], int], int] = {}
        """(event, index of its operation) -> how often it was accepted at all."""

    def accepted(self, fact: Fact, region: str, seen: bool) -> None:
        """Customer.io accepts an operation; `seen`: and ignores it, since it has had an event of this id."""
        published = self._truth.published[fact.serial]
        event = published.event
        assert event is not None
        name = (event.ulid, event.digest)
        what = (name, fact.index)
        self.times[what] = self.times.get(what, 0) + 1
        if not seen and fact.event_id:
            times = self.times_new[what] = self.times_new.get(what, 0) + 1
            if times > 1 and len(self._truth.ulids[event.ulid]) == 1:
                raise Violation(f"{fact.tag} counts twice: it was accepted under two ids")
        if what in self._first:
            return
        self._first.add(what)
        if self._clock.now < self._forgiven_until:
            return
        if self._may_come_late(fact, region):
            return
        for order in fact.orders:
            key = (region, order, published.place)
            mine = (published.offset, fact.index)
            last = self._last.get(key)
            if last is not None and mine < last:
                raise Violation(
                    f"{fact.tag} of {order!r} is accepted after offset {last[0]} of {published.place}"
                )
            self._last[key] = mine

    def _may_come_late(self, fact: Fact, region: str) -> bool:
        """May it stand elsewhere than in its place?

        A core that no longer remembers why an earlier one had skipped it sends it after all; and a duplicate, or an
        identify that says the same, takes the place of its original when the original's partition is revoked. What
        retention has deleted is not sent again if a request with it was cancelled, but that one may still arrive.
        """
        published = self._truth.published[fact.serial]
        event = published.event
        assert event is not None
        if any(fact.serial in excused for excused in self._truth.excused.values()):
            return True
        if any(other.place != published.place for other in self._truth.same(event)):
            return True
        dedup = self._options.dedup
        if dedup.events.on_conflict != "send" and len(self._truth.ulids[event.ulid]) > 1:
            return True
        return dedup.identifies.max_entries > 0 and self._truth.unchanged(event, region)

    def forgive(self) -> None:
        """Offsets were reset: what was passed over may come now. Requests sent before are soon no more on their way."""
        self._last.clear()
        self._forgiven_until = self._clock.now + _REQUEST_SECONDS_MAX
