"""Offsets that are committed: never beyond a record without an ending, never backwards."""

from connector.core.effects import CommitOffset, TopicPartition
from connector.core.options import CoreOptions
from tests.simulation.kafka import Broker
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

    def committing(self, group: int, commit: CommitOffset, position: int) -> None:
        """A member that owns the partition, in the right epoch, is about to commit."""
        place = TopicPartition(commit.topic, commit.partition)
        before = self._broker.committed(group, place)
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
