"""What is committed when: the watermark and the map of what is finished beyond it, for each partition."""

from array import array
from collections.abc import Iterable, Sequence

from connector.core.commit_metadata import Identity, encode
from connector.core.effects import Commit, CommitOffset
from connector.core.inputs import CommitFailure
from connector.core.ledger import Ledger
from connector.core.options import LedgerOptions

_METADATA_TOO_LARGE = "OFFSET_METADATA_TOO_LARGE"


class Commits:
    """At most one commit is under way, and one a `commit_interval_seconds` begins."""

    def __init__(self, options: LedgerOptions, warm_up_records: int, routing_digest: str, now: float) -> None:
        self._options = options
        self._warm_up_records = warm_up_records
        self._routing_digest = routing_digest
        self._commit_id = 0
        self._under_way: dict[int, tuple[Ledger, CommitOffset]] = {}
        self._pending_id = 0
        self.due_at = now
        """When the next one may begin, unless one is under way."""
        self.cluster_id = ""

    def identity(self, topic_id: str, leader_epoch: int | None) -> Identity:
        """What a map must say of itself to be believed."""
        return Identity(self.cluster_id, topic_id, leader_epoch, self._routing_digest)

    def next_commit(self, ledgers: Iterable[Ledger], now: float) -> Commit | None:
        """A commit of all that changed, if one is due."""
        if now < self.due_at or self._pending_id:
            return None
        self.due_at = now + self._options.commit_interval_seconds
        changed = self._changed(ledgers, now)
        if not changed:
            return None
        self._commit_id += 1
        self._pending_id = self._commit_id
        self._under_way = dict(enumerate(changed))
        return Commit(self._commit_id, tuple([offset for _, offset in changed]))

    @property
    def wake_at(self) -> float | None:
        """When `next_commit` wants to be called."""
        return None if self._pending_id else self.due_at

    def last_offsets(self, ledgers: Iterable[Ledger], now: float) -> tuple[CommitOffset, ...]:
        """What a revoke or a stop commits at the end."""
        return tuple([offset for _, offset in self._changed(ledgers, now)])

    def done(self, commit_id: int, failures: Sequence[CommitFailure]) -> list[str]:
        """A commit has its answer. What a person should know of it."""
        if commit_id != self._pending_id:
            return []
        self._pending_id = 0
        codes = {failure.partition: failure.code for failure in failures}
        notes = []
        for ledger, offset in self._under_way.values():
            code = codes.get(ledger.partition)
            if code is None and offset.epoch != ledger.epoch:
                continue  # the poll thread leaves out what is of another epoch, and says nothing of it
            if code is None:
                ledger.committed, ledger.committed_metadata = offset.offset, offset.metadata
            elif code == _METADATA_TOO_LARGE:
                ledger.metadata_limit = len(offset.metadata) // 2
                notes.append(
                    f"{_name(offset)}: the broker takes no commit metadata of {len(offset.metadata)} characters"
                )
            else:
                notes.append(
                    f"{_name(offset)}: offset {offset.offset} was not committed ({code}); it will be tried again"
                )
        self._under_way = {}
        return notes

    def _changed(self, ledgers: Iterable[Ledger], now: float) -> list[tuple[Ledger, CommitOffset]]:
        changed = []
        for ledger in ledgers:
            ledger.advance(now)
            watermark = ledger.watermark
            assert ledger.committed is None or watermark >= ledger.committed, "a commit never moves backwards"
            metadata = self._metadata(ledger, watermark)
            if watermark != ledger.committed or metadata != ledger.committed_metadata:
                offset = CommitOffset(*ledger.partition, watermark, metadata, ledger.epoch)
                changed.append((ledger, offset))
        return changed

    def _metadata(self, ledger: Ledger, watermark: int) -> str:
        dead = ledger.dead_offsets
        if dead:
            oldest = watermark - self._warm_up_records
            ledger.dead_offsets = dead = array("q", [offset for offset in dead if offset >= oldest])
        limit = self._options.metadata_max_characters
        if ledger.metadata_limit is not None:
            limit = min(limit, ledger.metadata_limit)
        identity = self.identity(ledger.topic_id, ledger.leader_epoch)
        return encode(
            identity, watermark, ledger.runs_beyond(), dead, ledger.stopped, ledger.warm_up_floor, limit
        )


def _name(offset: CommitOffset) -> str:
    return f"{offset.topic}[{offset.partition}]"
