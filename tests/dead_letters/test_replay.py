"""Replays against librdkafka's mock cluster. That a killed one puts nothing back twice is tested on a real Kafka."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Event

import pytest
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import AdminClient

from connector.core.effects import TopicPartition
from connector.dead_letters import replay as replay_module
from connector.dead_letters import writer as writer_module
from connector.dead_letters.filters import Filters
from connector.dead_letters.replay import (
    METADATA_CHARACTERS_MAX,
    Replay,
    begin,
    found_replay,
    go_on,
    new_replay,
    partition_counts,
    require_topics,
    survey,
)
from connector.dead_letters.source import Bounds, Source
from connector.dead_letters.writer import Writer
from connector.errors import ConfigurationError, UnavailableError
from connector.events.record import Headers, StoredRecord
from connector.kafka.configuration import ConsumerOptions, ProducerOptions
from connector.kafka.dead_letter_record import Cut
from connector.kafka.group_offsets import GroupOffset
from tests.dead_letters.letters import TIMESTAMP_MS, dead, original
from tests.dead_letters.mock_kafka import dead_letters, read, write

Offsets = dict[TopicPartition, GroupOffset]

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _remembered_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock cluster forgets what is committed in a transaction."""
    offsets: dict[str, Offsets] = {}
    commit = Writer.commit

    def remembering(writer: Writer, positions: Iterable[KafkaTopicPartition] = ()) -> None:
        positions = list(positions)
        commit(writer, positions)
        group = offsets.setdefault(writer._id, {})
        for each in positions:
            group[TopicPartition(each.topic, each.partition)] = GroupOffset(each.offset, each.metadata)

    def remembered(admin: AdminClient, group_id: str) -> Offsets:
        return offsets.get(group_id, {})

    monkeypatch.setattr(Writer, "commit", remembering)
    monkeypatch.setattr(replay_module, "group_offsets", remembered)


def writer_of(source: Source, it: Replay, rate: float | None = None) -> Writer:
    return Writer(
        ProducerOptions(bootstrap_servers=source.servers), it.id, partition_counts(source.kafka), rate
    )


def begun(source: Source, filters: Filters | None = None) -> Replay:
    it = new_replay(source, filters or Filters(), "connector", NOW)
    begin(writer_of(source, it), it)
    return it


def resumed(source: Source, replay_id: str, stop_after: int | None = None) -> tuple[bool, int]:
    """Whether it is complete, and how many were put back. Stops once so many are committed."""
    it = found_replay(source.kafka, source.servers, replay_id)
    copies = survey(source, it).selection.copies
    writer = writer_of(source, it)
    it = found_replay(source.kafka, source.servers, replay_id)
    stopped = Event()

    def progress(committed: int) -> None:
        if stop_after is not None and committed >= stop_after:
            stopped.set()

    return go_on(source, it, copies, writer, stopped, progress), writer.committed_records


def test_record_goes_back_exactly_as_it_was(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    headers: Headers = [("twice", b"1"), ("none", None), ("twice", b"\xff\x00"), ("empty", b"")]
    originals = [
        original(0, b"\xff\xfe", b"\x00key", headers, topic, 3),
        original(1, None, None, None, topic, 2, timestamp_ms=1),
        original(2, b"", b"", [], topic, 1),
    ]
    write(servers, dlq, [dead(record) for record in originals])
    with Source(consumer_options, dlq) as source:
        assert resumed(source, begun(source).id) == (True, 3)
    found = {message.partition(): message for message in read(servers, topic)}
    for record in originals:
        message = found[record.partition()]
        assert (message.key(), message.value()) == (record.key(), record.value())
        assert message.headers()[:-1] == (record.headers() or [])
        assert message.headers()[-1][0] == "dead-letter.replay"
        assert message.timestamp()[1] == record.timestamp()[1]


def test_interrupted_replay_goes_on_and_puts_nothing_back_twice(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TRANSACTION_RECORDS", 7)
    write(servers, dlq, dead_letters(80, topic))
    with Source(consumer_options, dlq) as source:
        replay_id = begun(source).id
        rounds = 0
        complete, total = False, 0
        while not complete:
            complete, committed = resumed(source, replay_id, stop_after=14)
            total += committed
            rounds += 1
        assert (rounds > 3, total) == (True, 80)
        assert resumed(source, replay_id) == (True, 0)
    keys = Counter(message.key() for message in read(servers, topic))
    assert keys == {b"person-%d" % number: 1 for number in range(80)}


def test_copies_are_put_back_once_also_across_an_interruption(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(20, topic))
    write(servers, dlq, [dead(original(n, topic=topic, partition=n % 4), partition=3) for n in range(20)])
    with Source(consumer_options, dlq) as source:
        replay_id = begun(source).id
        assert resumed(source, replay_id, stop_after=1)[0] is False
        assert resumed(source, replay_id)[0] is True
    assert len(read(servers, topic)) == 20


def test_replay_ends_where_the_topic_ended_when_it_began(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(4, topic))
    with Source(consumer_options, dlq) as source:
        replay_id = begun(source).id
    write(servers, dlq, dead_letters(8, topic)[4:])
    with Source(consumer_options, dlq) as source:
        assert resumed(source, replay_id) == (True, 4)


def test_resumed_replay_knows_its_filters(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(8, topic))
    filters = Filters(reasons=("invalid",), since_ms=1, places=(f"{topic}:2:6", "0:1"))
    with Source(consumer_options, dlq) as source:
        it = begun(source, filters)
        assert found_replay(source.kafka, servers, it.id) == it
        assert resumed(source, it.id) == (True, 2)


def test_truncated_and_foreign_records_stay_where_they_are(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    cut = [dead(original(n, topic=topic), cut=Cut(n)) for n in (1, 2)]
    write(
        servers,
        dlq,
        [dead(original(0, topic=topic)), *cut, StoredRecord(dlq, 0, 0, b"v", None, [("a", b"1")])],
    )
    with Source(consumer_options, dlq) as source:
        it = begun(source)
        found = survey(source, it)
        assert found.targets == {topic: 1}
        assert (found.selection.truncated, found.selection.foreign) == (2, 1)
        assert found.oldest_ms == {topic: TIMESTAMP_MS}
        assert resumed(source, it.id) == (True, 1)


def test_partition_that_the_topic_no_longer_has_is_chosen_by_the_key(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, [dead(original(topic=topic, partition=99))])
    with Source(consumer_options, dlq) as source:
        assert resumed(source, begun(source).id) == (True, 1)
    assert len(read(servers, topic)) == 1


def test_no_transaction_is_open_for_long_while_the_rate_makes_it_wait(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TRANSACTION_SECONDS", 0.01)
    write(servers, dlq, dead_letters(3, topic))
    commits: list[int] = []
    with Source(consumer_options, dlq) as source:
        it = begun(source)
        writer = writer_of(source, it, rate=5)
        assert go_on(source, it, set(), writer, Event(), commits.append)
    assert commits[:3] == [1, 2, 3]


def test_source_topic_that_is_gone_is_told_before_anything_is_put_back(
    servers: str, topic: str, dlq: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, [*dead_letters(1, topic), *dead_letters(1, "gone-topic")])
    with Source(consumer_options, dlq) as source:
        found = survey(source, new_replay(source, Filters(), "connector", NOW))
        with pytest.raises(UnavailableError, match=r"may not be seen: gone-topic\. Create them, or wait$"):
            require_topics(source.kafka, servers, found.targets, "wait")


def test_unknown_id_is_told(servers: str, dlq: str, consumer_options: ConsumerOptions) -> None:
    with (
        Source(consumer_options, dlq) as source,
        pytest.raises(ConfigurationError, match="there is no replay nonsense"),
    ):
        found_replay(source.kafka, servers, "nonsense")


@pytest.mark.parametrize("metadata", ["", "nonsense", '{"version":2,"end":1,"filters":{}}'])
def test_group_of_somebody_else_is_no_replay(
    metadata: str, servers: str, dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets = {TopicPartition(dlq, 0): GroupOffset(1, metadata)}
    monkeypatch.setattr(replay_module, "group_offsets", lambda admin, group_id: offsets)
    with (
        Source(consumer_options, dlq) as source,
        pytest.raises(ConfigurationError, match="there is no replay somebody"),
    ):
        found_replay(source.kafka, servers, "somebody")


def test_more_filters_than_commit_metadata_holds_are_refused(
    servers: str, dlq: str, topic: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(1, topic))
    places = tuple(f"0:{number}" for number in range(METADATA_CHARACTERS_MAX // 6))
    with Source(consumer_options, dlq) as source, pytest.raises(ConfigurationError, match="too many filters"):
        new_replay(source, Filters(places=places), "connector", NOW)


def test_what_retention_took_meanwhile_is_counted(
    servers: str, dlq: str, topic: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(4, topic))
    with Source(consumer_options, dlq) as source:
        it = begun(source)
        source.bounds = {**source.bounds, 0: Bounds(3, 4)}
        assert survey(source, it).missed == 3


def test_ids_of_replays_differ(
    servers: str, dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "token_hex", lambda size: "3f2a")
    with Source(consumer_options, dlq) as source:
        assert new_replay(source, Filters(), "connector", NOW).id == "connector-replay-20260131T120000Z-3f2a"
