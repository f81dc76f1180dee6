"""docker-compose.yml, as far as it can be checked without a Docker engine: services, settings, commands agree."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.cli.main import command_parser
from connector.pipeline.deadline import GRACE_SECONDS
from connector.settings.load import load_settings
from connector.settings.model import Settings
from tests.parts.provision import jaeger, kafka

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "cio-connector:local"]
CONFIG = ROOT / "deploy" / "compose" / "connector.yaml"

JAEGER_IMAGES = {"1.76.0": "2.13.0"}
"""Jaeger's releases have two numbers: that of the module that the tests build, and that of the image."""


def settings() -> Settings:
    return load_settings(CONFIG, SERVICES["connector"].get("environment", {}))


def mounted(service: str) -> dict[str, Path]:
    """What is mounted where, for a service."""
    found = {}
    for volume in SERVICES[service].get("volumes", []):
        source, target, mode = volume.split(":")
        assert mode == "ro"
        found[target] = ROOT / source
    return found


def test_images_are_those_that_the_tests_run_against() -> None:
    assert SERVICES["kafka"]["image"] == SERVICES["topics"]["image"] == f"apache/kafka:{kafka.VERSION}"
    assert SERVICES["jaeger"]["image"] == f"jaegertracing/jaeger:{JAEGER_IMAGES[jaeger.VERSION]}"


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_open_to_this_machine_alone(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_waited_for_can_be_waited_for(service: str) -> None:
    for other, wanted in SERVICES[service].get("depends_on", {}).items():
        assert other in SERVICES
        if wanted["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]


@pytest.mark.parametrize("service", OURS)
def test_our_containers_have_no_rights_they_do_not_need(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["user"] == "10001:10001"


@pytest.mark.parametrize("service", OURS)
def test_mounted_files_exist_where_the_command_names_them(service: str) -> None:
    files = mounted(service)
    assert all(source.is_file() for source in files.values())
    named = [word for word in SERVICES[service]["command"] if word.startswith("/")]
    assert set(named) == set(files)


@pytest.mark.parametrize("service", OURS)
def test_our_commands_are_ones_the_command_line_has(service: str) -> None:
    command: list[str] = SERVICES[service]["command"]
    parsed = command_parser(command).parse_args(command)
    assert callable(parsed.command)


@pytest.mark.parametrize("service", OURS)
def test_variables_are_settings_or_opentelemetrys(service: str) -> None:
    environment = SERVICES[service].get("environment", {})
    load_settings(CONFIG, environment)  # refuses unknown CIO_ variables
    assert all(name.startswith(("CIO_", "OTEL_")) for name in environment)


def test_traces_go_to_jaeger_and_metrics_which_it_does_not_take_nowhere() -> None:
    for service in ("connector", "publish"):
        environment = SERVICES[service]["environment"]
        assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://jaeger:4318"
        assert environment["OTEL_METRICS_EXPORTER"] == "none"


def test_the_connector_reads_from_the_broker_that_is_inside() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"://{settings().kafka.bootstrap_servers}," in advertised


def test_the_topics_that_are_needed_are_created() -> None:
    script = SERVICES["topics"]["command"][0]
    created = shlex.split(script.partition("for topic in ")[2].partition(";")[0])
    wanted = settings()
    assert set(created) == {*wanted.kafka.topics, wanted.dead_letters.topic}


def test_the_connector_delivers_to_the_stand_in_of_each_region() -> None:
    command: list[str] = SERVICES["simulator"]["command"]
    simulator = command_parser(command).parse_args(command)
    for name, region in settings().regions.items():
        assert region.url == f"http://simulator:{getattr(simulator, f'{name}_port')}"
        assert region.api_key is not None
        given = (region.site_id, region.api_key.reveal())
        assert given == getattr(simulator, f"{name}_credentials")


def test_the_connector_has_longer_to_stop_than_it_takes() -> None:
    seconds = int(SERVICES["connector"]["stop_grace_period"].removesuffix("s"))
    assert seconds > settings().drain_deadline_seconds + GRACE_SECONDS


def test_the_port_that_is_published_is_the_connectors() -> None:
    assert SERVICES["connector"]["ports"] == [f"127.0.0.1:8080:{settings().server.port}"]
