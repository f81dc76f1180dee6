"""Credentials and what events say of people appear in nothing that a process writes: planted ones are looked for.

Real processes against librdkafka's mock cluster, the stand-in and an OTLP collector, at log level debug.
"""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.demo.embedded_kafka import EmbeddedKafka
from connector.events.record import StoredRecord
from connector.simulator import Fault, FaultKind, Simulator, SimulatorOptions, WorkspaceOptions, run_in_thread
from tests.cli.test_run import wait_for
from tests.dead_letters.mock_kafka import read, write
from tests.parts.end_to_end.process import COMMAND, Connector, environment
from tests.telemetry.collector import Collector, running_collector

pytestmark = pytest.mark.timeout(240)

CREDENTIALS = ("planted-key-us", "planted-key-eu", "planted-password")
"""Whatever may be shown of an event, these never are."""
PERSONAL = (
    *("planted-attribute", "planted-person", "planted-number", "planted@", "planted%40"),
    *("planted-header", "planted-type", "planted-region", "planted-time", "planted-name", "planted-device"),
)
TOPIC = "events"
DEAD_LETTERS = "events.dead-letters"


def found(words: tuple[str, ...], *texts: str) -> list[str]:
    """Which of them appear, with what stands around them."""
    return [
        text[max(0, at - 200) : at + 100] for text in texts for word in words if (at := text.find(word)) >= 0
    ]


def _person(number: int) -> dict[str, Any]:
    return {
        "type": "person",
        "event_id": f"event-{number}",
        "identifiers": {"id": f"planted-person-{number}"},
    }


def _events() -> list[Any]:
    """Of every fate: accepted, refused by Customer.io in a batch, undecodable and invalid in many ways."""
    attributes = {
        "note": "planted-attribute",
        "email": "planted@example.com",
        "nested": {"a": ["planted-attribute"]},
    }
    good = [
        *({**_person(n), "action": "event", "name": "Seen", "attributes": attributes} for n in range(10)),
        *({**_person(n), "action": "identify", "attributes": attributes, "region": "eu"} for n in range(10, 20)),
        {"type": "track", "messageId": "m1", "anonymousId": "planted-person", "event": "E", "properties": attributes},
        {"type": "identify", "messageId": "m2", "userId": "planted@example.com", "traits": attributes},
        {**_person(20), "action": "add_device", "device": {"token": "planted-device", "platform": "ios"}},
    ]  # fmt: skip
    refused = [
        {**_person(30), "action": "event", "name": "Seen", "attributes": {"note": "planted-attribute" * 100}}
        | {"identifiers": {"email": "planted@example.com"}, "action": "identify"},
        {**_person(31), "action": "identify", "attributes": {"_update": "planted-attribute"}},
    ]
    bad = [
        '{"type": "person", "planted-attribute',
        '{"planted-attribute": planted-attribute}',
        {"type": "planted-type"},
        ["planted-attribute"],
        {**_person(40), "action": "planted-type"},
        {**_person(41), "action": "event", "name": "planted-name" * 20},
        {**_person(42), "action": "event", "name": "n", "timestamp": "planted-time"},
        {**_person(43), "action": "event", "name": "n", "attributes": "planted-attribute"},
        {**_person(44), "action": "event", "name": "n", "region": "planted-region"},
        {**_person(45), "action": "event", "name": "n", "attributes": {"note": "planted-attribute" * 4_000}},
        {"type": "person", "action": "event", "identifiers": {"planted-attribute": "planted-person"}, "name": "n"},
        {"type": "person", "action": "event", "identifiers": {"id": "planted-person" * 20}, "name": "n"},
        {"type": "person", "action": "identify", "identifiers": {"phone": "planted-number"}},
        {"type": "person", "action": "identify", "identifiers": {"email": ["planted@example.com"]}},
        {"type": "track", "userId": {"id": "planted-person"}, "event": "n"},
        {"type": "identify", "userId": "1", "timestamp": {"planted-time": 1}},
        {"type": "track", "userId": "1", "event": "Device Deleted", "context": {"device": "planted-device"}},
    ]  # fmt: skip
    return [*good, *refused, *bad]


def _records() -> list[StoredRecord]:
    headers: list[tuple[str, bytes | None]] = [
        ("note", b"planted-header"),
        ("traceparent", b"planted-header"),
    ]
    values = [each if isinstance(each, str) else json.dumps(each) for each in _events()]
    return [
        StoredRecord(TOPIC, number % 4, 0, value.encode(), b"planted-person", headers, 1_764_000_000_000)
        for number, value in enumerate(values)
    ]


class Scene:
    """The parts, and a configuration with planted credentials."""

    def __init__(self, kafka: EmbeddedKafka, customerio: Simulator, folder: Path) -> None:
        self.kafka = kafka
        self.customerio = customerio
        self.folder = folder
        self.servers = kafka.bootstrap_servers
        (folder / "eu-key").write_text("planted-key-eu\n")

    def settings(self, **more: Any) -> dict[str, Any]:
        keys = {"us": {"api_key": "planted-key-us"}, "eu": {"api_key_file": str(self.folder / "eu-key")}}
        return {
            "kafka": {
                "bootstrap_servers": self.servers,
                "topics": [TOPIC],
                "group_per_region": False,
                "group_protocol": "consumer",
            },
            "regions": {
                region: {"site_id": f"{region}-site", "url": self.customerio.url(region), **key}
                for region, key in keys.items()
            },
            "delivery": {"timeout_seconds": 1, "backoff_seconds_max": 0.5, "probe_seconds": 0.5},
            "dead_letters": {"topic": DEAD_LETTERS},
            "telemetry": {"process_span_share": 1, "process_spans_per_second_max": 1000},
            "http": {"proxy": ""},
            "server": {"host": "127.0.0.1", "port": 0},
            "log": {"level": "debug", "format": "json"},
            **more,
        }  # fmt: skip

    def file(self, name: str, **more: Any) -> str:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(self.settings(**more)))
        return str(path)

    def sasl(self, **more: Any) -> dict[str, Any]:
        properties = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "connector",
            "sasl.password": "planted-password",
        }
        return {**self.settings()["kafka"], "properties": {**properties, **more}}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    workspaces = {
        region: WorkspaceOptions(site_id=f"{region}-site", api_key=f"planted-key-{region}", environment_id=n)
        for n, region in enumerate(("us", "eu"))
    }
    with (
        EmbeddedKafka((TOPIC, DEAD_LETTERS)) as kafka,
        run_in_thread(SimulatorOptions(workspaces=workspaces)) as customerio,
    ):
        yield Scene(kafka, customerio, tmp_path)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


def page(connector: Connector, path: str) -> str:
    """A page of its server, whatever its status."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{connector._port()}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()


def test_delivery_and_its_failures_tell_nothing_of_people_or_keys(scene: Scene, collector: Collector) -> None:
    for fault in (
        Fault(kind=FaultKind.STATUS, status=401, requests=2),
        Fault(kind=FaultKind.HANG, requests=2),
        Fault(kind=FaultKind.STATUS, status=400, requests=2),
        Fault(kind=FaultKind.RESET, requests=1),
        Fault(kind=FaultKind.GARBAGE, requests=1),
        Fault(kind=FaultKind.STATUS, status=302, requests=1, location="http://x:planted-password@127.0.0.1/"),
    ):
        scene.customerio.inject(fault)
    records = _records()
    write(scene.servers, TOPIC, records)
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    connector = Connector(["--config", scene.file("run")], scene.folder / "log", variables)
    pages: list[str] = []

    def all_have_ended() -> bool:
        if connector._port() is None:
            return False
        pages.extend(page(connector, path) for path in ("/readyz", "/livez", "/metrics"))
        ended = [
            float(line.rpartition(" ")[2])
            for line in pages[-1].splitlines()
            if line.startswith("cio_connector_records_total{")
        ]
        return sum(ended) == len(records)

    try:
        wait_for(all_have_ended, connector)
        assert connector.stop() == 0
    finally:
        connector.kill()
    output = connector.output()
    spans = "".join(map(str, collector.traces))
    metrics = "".join(map(str, collector.metrics))
    letters = read(scene.servers, DEAD_LETTERS)
    ours = [
        (name, value)
        for each in letters
        for name, value in each.headers() or ()
        if name.startswith("dead-letter.")
    ]

    # All of it was there to be looked at.
    assert '"level":"debug"' in output
    for word in ("unauthorised", "timeout", "misconfigured"):
        assert word in "".join(pages) + output + spans, word
    assert "POST /api/v2/batch" in spans and f"process {TOPIC}" in spans and "records" in metrics
    reasons = {value for name, value in ours if name == "dead-letter.reason"}
    assert reasons == {b"undecodable", b"invalid", b"too_large", b"unroutable", b"rejected"}
    assert found(PERSONAL, *(str(each.value()) for each in letters))
    assert found(CREDENTIALS + PERSONAL, output, *pages, spans, metrics, *map(str, ours)) == []


def outputs(*commands: list[str], lines: str = "") -> list[tuple[int, str]]:
    """Runs them all at once. Exit code and whatever each has printed."""
    started = [
        subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(PYTHONWARNINGS="always"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for arguments in commands
    ]
    printed = [process.communicate(lines, timeout=120)[0] for process in started]
    return [(process.returncode, text) for process, text in zip(started, printed, strict=True)]


def test_commands_tell_no_credentials(scene: Scene) -> None:
    write(scene.servers, TOPIC, _records())
    good, wrong_key = scene.file("good"), scene.file("wrong-key", regions=_wrong_keys(scene))
    password = scene.file("password", kafka=scene.sasl())
    proxy = scene.file("proxy", http={"proxy": "http://me:p@planted-password@127.0.0.1:1"})
    commands = [
        ["check", "--config", good],
        ["check", "--config", wrong_key],
        ["check", "--config", password, "--json"],
        ["check", "--config", proxy],
        ["config", "show", "--config", password],
        ["config", "show", "--config", proxy],
        ["config", "schema"],
        ["preview", "--config", good, "--json", "--max", "100"],
        ["preview", "--config", password],
        ["dlq", "list", "--config", good],
    ]
    ended = outputs(*commands)
    assert [code for code, _ in ended] == [0, 77, 77, 69, 0, 0, 0, 0, 77, 0], ended
    texts = [text for _, text in ended]
    assert found(CREDENTIALS, *texts) == []
    assert (
        "planted-attribute" in texts[commands.index(["preview", "--config", good, "--json", "--max", "100"])]
    )


def _wrong_keys(scene: Scene) -> dict[str, Any]:
    url = scene.customerio.url("us")
    return {"us": {"site_id": "us-site", "api_key": "planted-key-eu", "url": url}}


def test_mistakes_in_the_configuration_show_no_credentials(scene: Scene) -> None:
    us = {"site_id": "us-site", "url": scene.customerio.url("us")}
    mistakes: list[dict[str, Any]] = [
        {"regions": {"us": us | {"api_key": ["planted-key-eu"]}}},
        {"regions": {"us": us | {"api_kye": "planted-key-eu"}}},
        {"regions": {"us": us | {"api_key": "planted-key-eu", "url": "http://me:planted-password@h h/"}}},
        {"regions": {"us": us | {"api_key": "planted-key-eu\nplanted-password"}}},
        {"kafka": scene.sasl(**{"sasl.mechanism": "NONSENSE"})},
        {"kafka": scene.sasl(**{"sasl.passwort": "planted-password"})},
        {"kafka": scene.sasl(**{"session.timeout.ms": "planted-password"})},
        {"http": {"proxy": "nonsense://me:planted-password@h"}},
        {"http": {"proxy": "http://me:p@planted/planted-password@h"}},
        {"http": {"proxy": ["planted-password"]}},
    ]
    commands = [["run", "--config", scene.file(str(n), **each)] for n, each in enumerate(mistakes)]
    ended = outputs(*commands)
    assert [code for code, _ in ended] == [2] * len(mistakes), ended
    assert found(CREDENTIALS, *[text for _, text in ended]) == []


def test_lines_that_publish_refuses_are_not_quoted(scene: Scene) -> None:
    config = scene.file("publish")
    for line in (
        '{"a": planted-attribute}',
        '{"value": {}, "headers": {"planted-header": 1}}',
        '"planted-attribute"',
    ):
        [(code, text)] = outputs(["publish", "--config", config], lines=line)
        assert code == 65
        assert found(CREDENTIALS + PERSONAL, text) == []


def test_a_refused_password_is_not_told_by_kafkas_client(scene: Scene) -> None:
    """Also where its own debugging is switched on."""
    config = scene.file("sasl", kafka=scene.sasl(debug="conf,security,broker"))
    connector = Connector(["--config", config], scene.folder / "log", {})
    try:
        wait_for(lambda: connector.waits("refuses the credentials"), connector)
        readiness = json.dumps(connector.readiness()[1])
        assert connector.stop() == 0
    finally:
        connector.kill()
    assert "librdkafka" in connector.output()
    assert found(CREDENTIALS, connector.output(), readiness) == []
