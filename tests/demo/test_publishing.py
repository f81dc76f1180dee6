"""The publisher stays behind what the embedded Kafka can hold, and at its rate."""

from connector.demo.publishing import Pace
from connector.demo.traffic import TrafficRecord


def record(partition: int = 0, value: bytes = b"x" * 890) -> TrafficRecord:
    """1,000 bytes with its key and what is reckoned beside them."""
    return TrafficRecord(0, partition, b"k" * 10, value, [], "us", None)


def test_full_partition_waits_for_a_commit() -> None:
    pace = Pace(None, unread_bytes_max=3_000)
    for _ in range(3):
        assert pace.has_room(record())
        pace.sent(record())
    assert not pace.has_room(record())
    pace.committed({0: 1})
    assert pace.has_room(record())
    pace.sent(record())
    assert not pace.has_room(record())


def test_each_partition_has_room_of_its_own() -> None:
    pace = Pace(None, unread_bytes_max=1_000)
    pace.sent(record(partition=0))
    assert not pace.has_room(record(partition=0))
    assert pace.has_room(record(partition=1))


def test_large_records_take_more_room() -> None:
    pace = Pace(None, unread_bytes_max=3_000)
    pace.sent(record(value=b"x" * 2_500))
    assert not pace.has_room(record())


def test_older_commit_changes_nothing() -> None:
    pace = Pace(None, unread_bytes_max=2_000)
    pace.sent(record())
    pace.sent(record())
    pace.committed({0: 2})
    pace.committed({0: 1})
    pace.sent(record())
    pace.sent(record())
    assert not pace.has_room(record())


def test_rate_is_counted_from_the_first_record() -> None:
    pace = Pace(10.0)
    went = []
    for tick in range(100, 200):
        while pace.is_due(tick / 100):
            pace.sent(record())
            went.append(tick / 100)
    assert 10 <= len(went) <= 12
    assert went[0] == 1.0
