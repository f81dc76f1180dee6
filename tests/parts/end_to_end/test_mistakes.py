"""A mistake is one clear line and the documented exit code; what may come back, `run` waits for."""

import json
from pathlib import Path

import pytest

from connector.errors import ExitCode
from tests.parts.end_to_end.conftest import MakeScene
from tests.parts.end_to_end.process import Ended, all_of
from tests.parts.end_to_end.scene import Scene
from tests.parts.provision.kafka import KafkaCluster
from tests.parts.provision.ports import free_ports

pytestmark = pytest.mark.parts

EVENT = '{"type": "track", "messageId": "m1", "userId": "42", "event": "Seen"}\n'
PASSWORD = "a-wrong-password"


@pytest.fixture
def events(tmp_path: Path) -> str:
    file = tmp_path / "events.jsonl"
    file.write_text(EVENT)
    return str(file)


def complaint(ended: Ended) -> str:
    """The one line that says what is wrong."""
    assert "Traceback" not in ended.out + ended.err
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    lines += [line for line in ended.out.splitlines() if line.startswith("fail ")]
    (line,) = lines
    return line


def four(config: str, events: str) -> list[list[str]]:
    return [
        ["run", "--config", config],
        ["check", "--config", config],
        ["preview", "--config", config],
        ["publish", "--config", config, "--file", events],
    ]


def test_a_wrong_or_broken_configuration_is_told_by_every_command(
    scene: Scene, events: str, tmp_path: Path
) -> None:
    wrong = scene.configuration(scene.settings(kafka={"bootstrap_server": "localhost:9092"}))
    broken = tmp_path / "broken.yaml"
    broken.write_text("kafka: {topics: [a\n")
    for file, words in ((wrong, "did you mean kafka.bootstrap_servers"), (broken, "broken.yaml")):
        for ended in all_of(*four(str(file), events)):
            assert ended.code == ExitCode.USAGE
            assert words in complaint(ended)


def test_a_missing_topic_is_told_and_waited_for_by_run(
    kafka: KafkaCluster, make_scene: MakeScene, events: str
) -> None:
    scene = make_scene(kafka)
    connector = scene.run()
    kafka.create_topic(scene.dead_letter_topic, 1)
    for ended in all_of(*four(str(scene.configuration()), events)[1:]):
        assert ended.code == ExitCode.UNAVAILABLE
        assert scene.topic in complaint(ended)
        assert "does not exist" in complaint(ended)
    scene.wait_until(lambda: connector.waits(f"topic {scene.topic} does not exist"), "run says so and waits")
    assert connector.stop() == 0


def test_refused_kafka_credentials_are_told_and_waited_for_by_run(
    kafka_sasl: KafkaCluster, make_scene: MakeScene, events: str
) -> None:
    scene = make_scene(kafka_sasl)
    properties = kafka_sasl.client_properties("connector") | {"sasl.password": PASSWORD}
    settings = scene.settings(
        kafka={"bootstrap_servers": properties.pop("bootstrap.servers"), "properties": properties}
    )
    connector = scene.run(**settings)
    all_ended = all_of(*four(str(scene.configuration(settings)), events)[1:])
    for ended in all_ended:
        assert ended.code == ExitCode.NO_PERMISSION
        assert "refuses the credentials" in complaint(ended)
    scene.wait_until(lambda: connector.waits("refuses the credentials", "refused"), "run says so and waits")
    assert connector.stop() == 0
    assert PASSWORD not in connector.output() + json.dumps(all_ended)


def test_an_unreachable_broker_is_told(scene: Scene, events: str) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    config = str(scene.configuration(scene.settings(kafka={"bootstrap_servers": address})))
    for ended in all_of(*four(config, events)[1:]):
        assert ended.code == ExitCode.UNAVAILABLE
        assert address in complaint(ended)


def test_refused_customerio_credentials_are_told(scene: Scene) -> None:
    scene.write_key("eu", PASSWORD)
    (ended,) = all_of(["check", "--config", str(scene.configuration())])
    assert ended.code == ExitCode.NO_PERMISSION
    assert "eu" in complaint(ended) and "credentials" in complaint(ended)
    assert PASSWORD not in ended.out + ended.err


def test_a_broken_file_of_events_is_told_with_its_line(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(EVENT + "not JSON\n" + EVENT)
    config = str(scene.configuration())
    published, previewed, missing = all_of(
        ["publish", "--config", config, "--file", str(file)],
        ["preview", "--config", config, "--file", str(file)],
        ["publish", "--config", config, "--file", str(tmp_path / "none.jsonl")],
    )
    for ended in (published, previewed):
        assert ended.code == ExitCode.BAD_INPUT
        assert "line 2" in complaint(ended)
    assert "1 record acknowledged" in published.out
    assert missing.code == ExitCode.BAD_INPUT
    assert "none.jsonl" in complaint(missing)
    assert sum(scene.ends().values()) == 1
