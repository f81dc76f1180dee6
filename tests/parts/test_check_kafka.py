"""`check` against Apache Kafka: permissions, retention, protocols. The Customer.io side is the stand-in."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition

from connector.cli.main import main
from connector.errors import ExitCode
from connector.simulator import Simulator, run_in_thread
from tests.parts.conftest import CONNECTOR_PASSWORD, MakeTopic, StartKafka
from tests.parts.provision.kafka import KafkaCluster
from tests.parts.test_kafka_part import produce

pytestmark = pytest.mark.parts

Checks = list[dict[str, str]]
Check = Callable[..., Checks]
HOUR_MS = "3600000"


@pytest.fixture(scope="module")
def customerio() -> Iterator[Simulator]:
    with run_in_thread() as running:
        yield running


@pytest.fixture
def check(customerio: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs it for one topic, with these settings under `kafka`, and expects this exit code."""

    def run(cluster: KafkaCluster, topic: str, code: ExitCode, **kafka: Any) -> Checks:
        us = {"url": customerio.url("us"), "site_id": "us-site", "api_key": "us-key"}
        reading = {
            "bootstrap_servers": cluster.bootstrap_servers,
            "topics": [topic],
            "group_id": f"group-{topic}",
        }
        path = tmp_path / "connector.yaml"
        path.write_text(yaml.safe_dump({"kafka": reading | kafka, "regions": {"us": us}}))
        assert main(["check", "--json", "--config", str(path)]) == code
        checks: Checks = json.loads(capsys.readouterr().out)["checks"]
        return checks

    return run


def as_connector(cluster: KafkaCluster, password: str = CONNECTOR_PASSWORD) -> dict[str, Any]:
    properties = cluster.client_properties("connector") | {"sasl.password": password}
    del properties["bootstrap.servers"]
    return {"properties": properties}


def the(checks: Checks, check: str, status: str) -> dict[str, str]:
    (found,) = [each for each in checks if each["check"] == check and each["status"] == status]
    return found


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_what_works_is_ok_and_leaves_no_trace(
    kafka: KafkaCluster, make_topic: MakeTopic, check: Check, protocol: str
) -> None:
    topic = make_topic()
    kafka.create_topic(f"{topic}.dead-letters", partitions=1)
    assert produce(kafka, topic, b"{}") is None
    checks = check(kafka, topic, ExitCode.DONE, group_protocol=protocol)
    assert {each["status"] for each in checks} == {"ok"}
    assert the(checks, "topic", "ok")["message"] == "4 partitions, 1 record, may be read"
    assert "1 record to read" in the(checks, "group", "ok")["message"]
    assert the(checks, "dead_letter_topic", "ok")["message"] == "1 partition, may be written"
    assert [each["subject"] for each in checks if each["check"] == "group_protocol"] == (
        ["consumer"] if protocol == "consumer" else []
    )
    assert f"group-{topic}" not in [
        group.group_id for group in kafka.admin().list_consumer_groups().result(10).valid
    ]
    high = Consumer(kafka.client_properties() | {"group.id": "looking", "log_level": 0})
    assert high.get_watermark_offsets(TopicPartition(f"{topic}.dead-letters", 0), timeout=10) == (0, 0)
    high.close()


def test_following_the_fixes_leads_to_where_all_is_well(kafka_sasl: KafkaCluster, check: Check) -> None:
    topic = kafka_sasl.create_topic()
    kafka_sasl.create_topic(f"{topic}.dead-letters")
    connector = as_connector(kafka_sasl)
    checks = check(kafka_sasl, topic, ExitCode.NO_PERMISSION, **connector)
    asked = set()
    for each in checks:
        if each["status"] == "fail":
            found = re.search(
                r"kafka-acls.sh --bootstrap-server (\S+) --add --allow-principal User:connector "
                r"--operation (\w+) --(topic|group) (\S+)$",
                each["fix"],
            )
            assert found is not None, each
            server, operation, kind, name = found.groups()
            assert server == kafka_sasl.bootstrap_servers
            asked.add((operation, kind, name))
            kafka_sasl.allow("connector", kind, name, [operation])
    assert asked == {
        ("Read", "topic", topic),
        ("Read", "group", f"group-{topic}"),
        ("Write", "topic", f"{topic}.dead-letters"),
    }
    checks = check(kafka_sasl, topic, ExitCode.DONE, **connector)
    assert {each["status"] for each in checks} == {"ok"}


def test_topics_that_may_be_seen_but_not_used_are_refused(kafka_sasl: KafkaCluster, check: Check) -> None:
    topic = kafka_sasl.create_topic()
    kafka_sasl.create_topic(f"{topic}.dead-letters")
    for name in (topic, f"{topic}.dead-letters"):
        kafka_sasl.allow("connector", "topic", name, ["describe"])
    kafka_sasl.allow("connector", "group", f"group-{topic}", ["describe"])
    checks = check(kafka_sasl, topic, ExitCode.NO_PERMISSION, **as_connector(kafka_sasl))
    assert the(checks, "topic", "fail")["message"] == "exists, but may not be read"
    assert the(checks, "dead_letter_topic", "fail")["message"] == "exists, but may not be written"
    assert "--operation Read --group" in the(checks, "group", "fail")["fix"]


def test_a_wrong_password_is_refused_credentials(kafka_sasl: KafkaCluster, check: Check) -> None:
    wrong = as_connector(kafka_sasl, password="planted-wrong")
    checks = check(kafka_sasl, "events", ExitCode.NO_PERMISSION, **wrong)
    assert "refuses the credentials" in the(checks, "kafka", "fail")["message"]
    assert "sasl.password" in the(checks, "kafka", "fail")["fix"]
    assert "planted" not in json.dumps(checks)
    assert [
        each["status"] for each in checks if each["check"] in ("topic", "group", "dead_letter_topic")
    ] == ["skip"] * 3


def test_a_listener_that_wants_sasl_is_told_from_one_that_is_down(
    kafka_sasl: KafkaCluster, check: Check
) -> None:
    checks = check(kafka_sasl, "events", ExitCode.UNAVAILABLE)
    assert "security.protocol" in the(checks, "kafka", "fail")["fix"]


def test_a_protocol_that_cannot_be_looked_up_is_a_warning(kafka_sasl: KafkaCluster, check: Check) -> None:
    checks = check(
        kafka_sasl, "none", ExitCode.NO_PERMISSION, group_protocol="consumer", **as_connector(kafka_sasl)
    )
    assert "DescribeConfigs" in the(checks, "group_protocol", "warn")["message"]


def test_missing_topics_are_told_and_not_created(start_kafka: StartKafka, check: Check) -> None:
    cluster = start_kafka(
        properties={"auto.create.topics.enable": "true", "group.coordinator.rebalance.protocols": "classic"}
    )
    checks = check(cluster, "never-made", ExitCode.UNAVAILABLE, group_protocol="consumer")
    assert the(checks, "topic", "fail")["message"] == "does not exist"
    assert "--create --topic never-made.dead-letters" in the(checks, "dead_letter_topic", "fail")["fix"]
    assert not [name for name in cluster.admin().list_topics(timeout=10).topics if "never" in name]
    assert "classic" in the(checks, "group_protocol", "fail")["message"]


def test_what_may_be_lost_unread_is_a_warning(
    kafka: KafkaCluster, make_topic: MakeTopic, check: Check
) -> None:
    topic = make_topic(retention_ms=HOUR_MS, max_message_bytes="2000000")
    kafka.create_topic(f"{topic}.dead-letters", retention_ms=HOUR_MS)
    checks = check(kafka, topic, ExitCode.DONE)
    warnings = {
        (each["check"], each["subject"]): each["message"] for each in checks if each["status"] == "warn"
    }
    assert warnings.keys() == {
        ("retention", topic),
        ("retention", f"{topic}.dead-letters"),
        ("size", f"{topic}.dead-letters"),
    }
    assert "deleted after 1 h" in warnings["retention", topic]


def test_compaction_is_a_warning(kafka: KafkaCluster, make_topic: MakeTopic, check: Check) -> None:
    topic = make_topic(cleanup_policy="compact", retention_ms=HOUR_MS)
    kafka.create_topic(f"{topic}.dead-letters", cleanup_policy="compact")
    warnings = [each["message"] for each in check(kafka, topic, ExitCode.DONE) if each["status"] == "warn"]
    assert len(warnings) == 2
    assert all("compacted" in warning for warning in warnings)


def test_records_that_retention_took_first_are_a_warning(
    kafka: KafkaCluster, make_topic: MakeTopic, check: Check
) -> None:
    topic = make_topic(partitions=1)
    kafka.create_topic(f"{topic}.dead-letters")
    for _ in range(3):
        assert produce(kafka, topic, b"{}") is None
    group = Consumer(kafka.client_properties() | {"group.id": f"group-{topic}", "log_level": 0})
    group.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    group.close()
    (deleted,) = kafka.admin().delete_records([TopicPartition(topic, 0, 3)]).values()
    deleted.result(10)
    checks = check(kafka, topic, ExitCode.DONE)
    assert "deleted 2 records" in the(checks, "group", "warn")["message"]
