from typing import Any

import pytest
from confluent_kafka import Consumer

from connector.errors import ConfigurationError
from connector.kafka.configuration import (
    ConsumerOptions,
    ProducerOptions,
    consumer_properties,
    is_incremental,
    made,
    producer_properties,
    reader_properties,
)
from connector.settings.reserved import ELSEWHERE, FIXED


def consumer(**options: Any) -> dict[str, Any]:
    chosen = {"bootstrap_servers": "b:9092", "topics": ("t",), "group_id": "g"} | options
    return consumer_properties(ConsumerOptions(**chosen), lambda error: None)


def test_nothing_is_committed_or_reset_by_the_client_itself() -> None:
    properties = consumer()
    assert properties["enable.auto.commit"] is False
    assert properties["enable.auto.offset.store"] is False
    assert properties["auto.offset.reset"] == "error"


def test_classic_group_is_cooperative() -> None:
    assert consumer()["partition.assignment.strategy"] == "cooperative-sticky"


def test_consumer_protocol_gets_none_of_what_it_refuses() -> None:
    properties = consumer(group_protocol="consumer")
    refused = {"partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"}
    assert refused.isdisjoint(properties)
    made(Consumer, properties | {"log_level": "0"}).close()


@pytest.mark.parametrize(
    "name", ["partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"]
)
def test_consumer_protocol_with_what_it_refuses_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        consumer(group_protocol="consumer", properties={name: "1"})


@pytest.mark.parametrize("name", [*ELSEWHERE, *FIXED])
def test_property_that_the_settings_refuse_reaches_no_client_by_another_way(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        consumer(properties={name: "x"})


def test_broker_gathers_for_a_moment_but_not_for_more_than_a_partition_may_give() -> None:
    properties = consumer()
    assert properties["fetch.wait.max.ms"] <= 10
    assert 1 < properties["fetch.min.bytes"] <= properties["fetch.message.max.bytes"]
    small = consumer(partition_fetch_bytes=1024)
    assert small["fetch.min.bytes"] <= small["fetch.message.max.bytes"] == 1024


def test_whoever_chooses_the_wait_alone_gets_it_as_kafka_means_it() -> None:
    chosen = consumer(properties={"fetch.wait.max.ms": "500"})
    assert chosen["fetch.wait.max.ms"] == "500"
    assert "fetch.min.bytes" not in chosen  # 1


def test_whoever_reads_to_the_end_never_waits_for_more() -> None:
    options = ConsumerOptions(
        bootstrap_servers="b:9092",
        topics=(),
        group_id="g",
        group_instance_id="i",
        properties={"fetch.wait.max.ms": "5000", "fetch.min.bytes": "1000"},
    )
    properties = reader_properties(options, lambda error: None)
    assert (properties["fetch.wait.max.ms"], properties["fetch.min.bytes"]) == (10, 1)
    assert "group.instance.id" not in properties


def test_other_properties_pass_through_over_ours() -> None:
    properties = consumer(properties={"security.protocol": "SASL_SSL", "fetch.queue.backoff.ms": "7"})
    assert properties["security.protocol"] == "SASL_SSL"
    assert properties["fetch.queue.backoff.ms"] == "7"


def test_prefetch_is_bounded() -> None:
    properties = consumer(prefetch_bytes=8 * 1024 * 1024)
    assert properties["queued.max.messages.kbytes"] == 8 * 1024
    assert properties["fetch.max.bytes"] <= 8 * 1024 * 1024


@pytest.mark.parametrize(
    "options",
    [
        {"prefetch_bytes": 1_048_576, "partition_fetch_bytes": 65_536},
        {"prefetch_bytes": 2_000_000_000, "partition_fetch_bytes": 1_000_000_000},
        {"properties": {"message.max.bytes": "20000000"}},
    ],
    ids=["least", "most", "large records"],
)
def test_librdkafka_takes_whatever_the_settings_allow(options: dict[str, Any]) -> None:
    made(Consumer, consumer(**options)).close()


def test_static_member() -> None:
    assert consumer(group_instance_id="pod-0")["group.instance.id"] == "pod-0"
    assert "group.instance.id" not in consumer()


def test_producer_loses_and_reorders_nothing() -> None:
    options = ProducerOptions(bootstrap_servers="b:9092", properties={"compression.type": "lz4"})
    properties = producer_properties(options, lambda error: None)
    assert properties["enable.idempotence"] is True
    assert properties["acks"] == "all"
    assert properties["compression.type"] == "lz4"


def test_rebalances_are_incremental_unless_an_eager_strategy_is_chosen() -> None:
    def options(**more: Any) -> ConsumerOptions:
        return ConsumerOptions(bootstrap_servers="b", topics=("t",), group_id="g", **more)

    assert is_incremental(options())
    assert is_incremental(options(group_protocol="consumer"))
    assert not is_incremental(options(properties={"partition.assignment.strategy": "range,roundrobin"}))


def test_value_that_librdkafka_refuses_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"fetch\.wait\.max\.ms"):
        made(Consumer, consumer(properties={"fetch.wait.max.ms": "soon"}))
