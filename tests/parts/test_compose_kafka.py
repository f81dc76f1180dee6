"""The broker that docker-compose.yml describes is one that Kafka accepts."""

from pathlib import Path

import pytest
import yaml

from tests.parts.provision.cache import run
from tests.parts.provision.errors import BrokenPartError

pytestmark = pytest.mark.parts

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"


def format_storage(jars: Path | str, environment: dict[str, str], folder: Path) -> str:
    """What the image does before it starts the broker: variables become properties, the folder is made ready."""
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items()
    } | {"log.dirs": str(folder / "data")}
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    command = ["java", "-cp", f"{jars}/*", "kafka.tools.StorageTool", "format"]
    return run([*command, "-t", CLUSTER_ID, "-c", str(file)], folder)


def test_kafka_accepts_the_brokers_variables(kafka_jars: Path | str, tmp_path: Path) -> None:
    environment = yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["environment"]
    assert "Formatting" in format_storage(kafka_jars, environment, tmp_path)


def test_a_listener_that_does_not_exist_would_be_noticed(kafka_jars: Path | str, tmp_path: Path) -> None:
    environment = yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["environment"]
    with pytest.raises(BrokenPartError, match=r"(?i)listener"):
        format_storage(kafka_jars, environment | {"KAFKA_INTER_BROKER_LISTENER_NAME": "NOWHERE"}, tmp_path)
