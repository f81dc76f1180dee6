"""Offsets that are committed: never beyond a record without an ending, never backwards."""

from connector.core.effects import CommitOffset, TopicPartition
from connector.core.options import CoreOptions
from tests.simulation.kafka import Broker, Log
from tests.simulation.truth import Truth
from tests.simulation.violation import Violation

_METADATA_CHARACTERS_MAX = 4000


class CommitChecks:
    """All commits of all groups."""

    def __init__(
        self, options: CoreOptions, serves: tuple[tuple[str, ...], ...], truth: Truth, broker: Broker
    ) -> None:
        self._metadata_max = min(_METADATA_CHARACTERS_MAX, options.ledger.metadata_max_characters)
        self._serves = serves
        self._truth = truth
        self._broker = broker
        self._checked: dict[tuple[int, TopicPartition], int] = {}
        """Up to where everything is known to have ended."""
        self.rewritten: set[tuple[int, TopicPartition]] = set()
        """Whose committed offset belongs to a log that is no more: the next one may be lower."""

    def committing(self, group: int, commit: CommitOffset, position: int) -> None:
        """A member that owns the partition, in the right epoch, is about to commit."""
        place = TopicPartition(commit.topic, commit.partition)
        before = self._broker.committed(group, place)
        if (group, place) in self.rewritten:
            before = None
        if before is not None and commit.offset < before.offset:
            raise Violation(f"{place}: commits {commit.offset}, which goes back from {before.offset}")
        if commit.offset > max(position, before.offset if before else 0):
            raise Violation(f"{place}: commits {commit.offset}, has read to {position}")
        if not commit.metadata.isascii() or len(commit.metadata) > self._metadata_max:
            raise Violation(
                f"{place}: {len(commit.metadata)} characters of metadata, {self._metadata_max} allowed"
            )
        checked = self._checked.get((group, place), 0)
        excused = self._truth.excused.get(group, ())
        for published in self._broker.logs[place].between(checked, commit.offset):
            if published.serial not in excused and not self._truth.ended(published, self._serves[group]):
                raise Violation(f"{place}: commits {commit.offset}, though {published} has no ending")
        self._checked[group, place] = max(checked, commit.offset)

    def log_rewritten(self, group: int, log: Log) -> None:
        """A log is not what it was: what stands there from its end on is yet to end."""
        self.rewritten.add((group, log.place))
        self._checked[group, log.place] = min(self._checked.get((group, log.place), 0), log.high)
