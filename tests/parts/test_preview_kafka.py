"""`preview` against Apache Kafka."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.cli.main import main
from connector.errors import ExitCode
from tests.parts.conftest import CONNECTOR_PASSWORD
from tests.parts.provision.kafka import KafkaCluster
from tests.parts.test_kafka_part import produce

pytestmark = pytest.mark.parts

Lines = list[dict[str, Any]]
Config = Callable[..., str]
EVENT = b'{"type": "track", "messageId": "m1", "userId": "42", "event": "Seen"}'


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Writes settings to a file."""

    def write(**settings: Any) -> str:
        path = tmp_path / "connector.yaml"
        path.write_text(yaml.safe_dump(settings))
        return str(path)

    return write


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> Lines:
    assert main(["preview", "--json", "--timeout", "60", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sasl_settings(kafka: KafkaCluster, topic: str, password: str = CONNECTOR_PASSWORD) -> dict[str, Any]:
    properties = kafka.client_properties("connector") | {"sasl.password": password}
    servers = properties.pop("bootstrap.servers")
    return {
        "bootstrap_servers": servers,
        "topics": [topic],
        "group_id": f"group-of-{topic}",
        "group_per_region": False,
        "properties": properties,
    }


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_real_records_are_shown_without_joining_the_group(
    kafka: KafkaCluster, config: Config, capsys: pytest.CaptureFixture[str], protocol: str
) -> None:
    topic = kafka.create_topic()
    assert produce(kafka, topic, EVENT) is None
    reading = {"bootstrap_servers": kafka.bootstrap_servers, "topics": [topic], "group_id": topic}
    (line,) = shown(capsys, "--config", config(kafka=reading | {"group_protocol": protocol}))
    assert (line["topic"], line["offset"], line["event_id"]) == (topic, 0, "m1")
    groups = kafka.admin().list_consumer_groups().result(10).valid
    assert not [group for group in groups if group.group_id.startswith(topic)]


def test_a_refused_password_is_told_at_once(
    kafka_sasl: KafkaCluster, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config(kafka=sasl_settings(kafka_sasl, "any", password="planted-wrong"))
    assert main(["preview", "--config", settings]) == ExitCode.NO_PERMISSION
    out, err = capsys.readouterr()
    assert "refuses the credentials" in err
    assert "planted" not in out + err


def test_permissions_are_asked_for_one_by_one(
    kafka_sasl: KafkaCluster, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = kafka_sasl.create_topic()
    assert produce(kafka_sasl, topic, EVENT) is None
    settings = config(kafka=sasl_settings(kafka_sasl, topic))
    assert main(["preview", "--config", settings]) == ExitCode.NO_PERMISSION
    assert f"topic {topic}" in capsys.readouterr().err
    kafka_sasl.allow("connector", "topic", topic, ["describe"])
    assert main(["preview", "--config", settings]) == ExitCode.NO_PERMISSION
    assert f"group group-of-{topic}" in capsys.readouterr().err
    assert main(["preview", "--config", settings, "--from-beginning"]) == ExitCode.NO_PERMISSION
    assert f"topic {topic}" in capsys.readouterr().err
    kafka_sasl.allow("connector", "topic", topic, ["read"])
    assert len(shown(capsys, "--config", settings, "--from-beginning")) == 1
    kafka_sasl.allow("connector", "group", f"group-of-{topic}", ["read"])
    assert len(shown(capsys, "--config", settings)) == 1
