"""The lanes where order is kept for each record key instead of each identifier."""

from connector.events.record import Record

_PREFIX = b"key:"


def key_lane(record: Record, lane: bytes) -> bytes:
    """The lane of a record's key; without a key, the given one of its identifier."""
    key = record.key()
    return _PREFIX + key if key else lane


def key_lanes(record: Record, lane: bytes, lane_secondary: bytes) -> tuple[bytes, bytes]:
    """The same of an operation that may be a merge.

    A publisher who keys by person names one of a merge's two people by the key. So a merge stands in the key's lane
    and in that of a record keyed by the other person's identifier, which is as near as one can know.
    """
    if not record.key():
        return lane, lane_secondary
    own = key_lane(record, lane)
    if not lane_secondary:
        return own, b""
    primary, secondary = (_PREFIX + side.partition(b":")[2] for side in (lane, lane_secondary))
    other = primary if secondary == own else secondary
    return own, b"" if other == own else other
