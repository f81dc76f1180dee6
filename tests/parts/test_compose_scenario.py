"""What docker-compose.yml promises, without containers: its commands and files on a real Kafka and the stand-in."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Consumer

from tests.parts.conftest import StartKafka
from tests.parts.provision.ports import free_ports
from tests.parts.provision.process import Process

pytestmark = pytest.mark.parts

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
MOUNTED = {
    "/etc/cio-connector/connector.yaml": str(ROOT / "deploy" / "compose" / "connector.yaml"),
    "/events.jsonl": str(ROOT / "deploy" / "compose" / "events.jsonl"),
}


def command(service: str, **options: str) -> list[str]:
    """A service's command here: files are those that it mounts, `options` replace some of its own."""
    words = [MOUNTED.get(word, word) for word in SERVICES[service]["command"]]
    replaced = [f"--{name}={options[name]}" if (name := _option(word)) in options else word for word in words]
    return [sys.executable, "-m", "connector.cli.main", *replaced]


def _option(word: str) -> str:
    return word.partition("=")[0].removeprefix("--")


@contextmanager
def running(service: str, folder: Path, **options: str) -> Iterator[Process]:
    process = Process(service, command(service, **options), folder / f"{service}.log")
    process.start()
    try:
        yield process
    finally:
        process.stop(60)


def answer(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            found: dict[str, Any] = json.load(response)
            return found
    except OSError:
        return None


def test_the_events_of_the_example_end_where_they_belong(
    start_kafka: StartKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = start_kafka()
    for topic in ("customer-events", "customer-events.dead-letters"):
        kafka.create_topic(topic)
    us, eu, http = free_ports(3)
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CIO_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("CIO_REGIONS__US__URL", f"http://127.0.0.1:{us}")
    monkeypatch.setenv("CIO_REGIONS__EU__URL", f"http://127.0.0.1:{eu}")
    monkeypatch.setenv("CIO_SERVER__PORT", str(http))

    subprocess.run(command("publish"), check=True, timeout=60)
    simulating = running(
        "simulator", tmp_path, **{"host": "127.0.0.1", "us-port": str(us), "eu-port": str(eu)}
    )
    with simulating as simulator, running("connector", tmp_path) as connector:

        def accepted() -> dict[str, int]:
            state = answer(f"http://127.0.0.1:{us}/simulator/state") or {"regions": {}}
            return {name: each["operations_accepted"] for name, each in state["regions"].items()}

        simulator.wait_until(lambda: accepted() != {}, 30)
        # Seven events: one of them twice, one without a name.
        connector.wait_until(lambda: accepted() == {"us": 3, "eu": 2}, 60)
        reader = Consumer(kafka.client_properties() | {"group.id": "reader", "auto.offset.reset": "earliest"})
        reader.subscribe(["customer-events.dead-letters"])
        refused = reader.poll(60)
        reader.close()
    assert refused is not None
    assert b"no-name-1" in (refused.value() or b"")
    assert dict(refused.headers() or [])["dead-letter.reason"] == b"invalid"
