from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from connector.dead_letters import source as source_module
from connector.dead_letters.source import Bounds, Source
from connector.errors import UnavailableError
from connector.events.record import StoredRecord
from connector.kafka.configuration import ConsumerOptions
from tests.dead_letters.mock_kafka import dead_letters, write


def numbers(source: Source) -> list[tuple[int | None, int | None]]:
    return [(record.partition(), record.offset()) for batch in source.all_batches() for record in batch]


def test_partitions_are_read_one_after_the_other_in_order(
    servers: str, dlq: str, topic: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(32, topic))
    with Source(consumer_options, dlq) as source:
        expected = [(partition, offset) for partition in range(4) for offset in range(8)]
        assert numbers(source) == expected
        assert numbers(source) == expected


def test_what_is_written_after_the_start_is_not_read(
    servers: str, dlq: str, topic: str, consumer_options: ConsumerOptions
) -> None:
    write(servers, dlq, dead_letters(4, topic))
    with Source(consumer_options, dlq) as source:
        write(servers, dlq, dead_letters(8, topic))
        assert numbers(source) == [(0, 0), (0, 1), (0, 2), (0, 3)]
        assert source.bounds == {0: Bounds(0, 4), 1: Bounds(0, 0), 2: Bounds(0, 0), 3: Bounds(0, 0)}


def test_part_of_a_partition_is_read(servers: str, dlq: str, consumer_options: ConsumerOptions) -> None:
    write(servers, dlq, [StoredRecord(dlq, 2, 0, b"%d" % number) for number in range(10)])
    with Source(consumer_options, dlq) as source:
        batches = list(source.batches(2, 3, 6))
    assert [record.value() for batch in batches for record in batch] == [b"3", b"4", b"5"]


def test_missing_topic_is_told(consumer_options: ConsumerOptions) -> None:
    with pytest.raises(UnavailableError, match="topic nowhere does not exist"):
        Source(consumer_options, "nowhere")


def test_brokers_that_hand_over_nothing_are_told(
    servers: str, dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "SILENT_SECONDS", 0.0)
    with Source(consumer_options, dlq) as source:
        monkeypatch.setattr(source, "_take", list)
        with pytest.raises(UnavailableError, match="no broker"):
            list(source.batches(0, 0, 1))


def test_leader_that_is_just_changing_is_waited_for(
    servers: str, dlq: str, topic: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(servers, dlq, dead_letters(4, topic))
    log_bounds = source_module.log_bounds
    errors = [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE]

    def changing(*arguments: Any) -> Any:
        if errors:
            raise KafkaException(KafkaError(errors.pop()))
        return log_bounds(*arguments)

    monkeypatch.setattr(source_module, "log_bounds", changing)
    monkeypatch.setattr(source_module, "RETRY_SECONDS", 0.0)
    with Source(consumer_options, dlq) as source:
        assert len(numbers(source)) == 4


def test_leader_that_does_not_come_back_is_told(
    dlq: str, consumer_options: ConsumerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*arguments: Any) -> Any:
        raise KafkaException(KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION))

    monkeypatch.setattr(source_module, "log_bounds", down)
    monkeypatch.setattr(source_module, "LEADER_SECONDS", 0.0)
    with pytest.raises(UnavailableError, match="NOT_LEADER"):
        Source(consumer_options, dlq)
