from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from connector.core.effects import CommitOffset, TopicPartition
from connector.core.inputs import CommitFailure
from connector.kafka.commits import Commits

OFFSETS = [CommitOffset("t", 0, 5, "map of 0", 1), CommitOffset("t", 1, 6, "map of 1", 1)]


class Client:
    """Refuses the metadata of partition 1, and blames every partition of the commit, as librdkafka does."""

    def __init__(self, refuses: int | None = None) -> None:
        self.refuses = refuses
        self.committed: dict[int, tuple[int, str]] = {}

    def commit(self, offsets: list[ClientPartition], asynchronous: bool) -> list[ClientPartition] | None:
        refused = self.refuses is not None and any(o.partition == 1 and o.metadata for o in offsets)
        for place in offsets:
            if not (self.refuses is not None and place.partition == 1 and place.metadata):
                self.committed[place.partition] = (place.offset, place.metadata or "")
        if refused and not asynchronous:
            assert self.refuses is not None
            raise KafkaException(KafkaError(self.refuses))
        return None if asynchronous else offsets


def as_consumer(client: Any) -> Consumer:
    return cast(Consumer, client)


def test_commit_is_under_way_until_the_client_reports() -> None:
    commits = Commits()
    commits.start(as_consumer(Client()), 3, OFFSETS)
    assert not commits.idle
    assert commits.done() is None
    commits.reported(None, [ClientPartition("t", 0, 5), ClientPartition("t", 1, 6)])
    done = commits.done()
    assert done is not None
    assert (done.commit_id, done.failures) == (3, ())
    assert commits.idle
    assert commits.done() is None


def test_error_of_the_whole_commit_is_one_of_every_partition() -> None:
    commits = Commits()
    commits.start(as_consumer(Client()), 3, OFFSETS)
    commits.reported(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), [])
    done = commits.done()
    assert done is not None
    assert done.failures == tuple(
        CommitFailure(TopicPartition("t", partition), "REBALANCE_IN_PROGRESS") for partition in (0, 1)
    )


def test_commit_that_cannot_even_start_has_failed() -> None:
    class Closed:
        def commit(self, **named: Any) -> None:
            raise KafkaException(KafkaError(KafkaError._STATE))

    commits = Commits()
    commits.start(as_consumer(Closed()), 3, OFFSETS)
    done = commits.done()
    assert done is not None
    assert {failure.code for failure in done.failures} == {"_STATE"}
    assert commits.idle


def test_report_without_a_commit_is_no_news() -> None:
    commits = Commits()
    commits.reported(None, [])
    assert commits.idle


def test_last_commit_goes_without_the_metadata_that_the_broker_refuses() -> None:
    client = Client(KafkaError.OFFSET_METADATA_TOO_LARGE)
    assert Commits.now(as_consumer(client), OFFSETS) == ()
    assert client.committed == {0: (5, "map of 0"), 1: (6, "")}


def test_last_commit_that_fails_otherwise_is_reported() -> None:
    client = Client(KafkaError.ILLEGAL_GENERATION)
    failures = Commits.now(as_consumer(client), OFFSETS)
    assert {failure.code for failure in failures} == {"ILLEGAL_GENERATION"}
    assert len(failures) == 2


def test_nothing_to_commit_asks_nobody() -> None:
    assert Commits.now(as_consumer(None), []) == ()
