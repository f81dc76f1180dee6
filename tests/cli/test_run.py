"""`run` while brokers do not answer: it waits, says why, and ends when it is told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.parts.end_to_end.process import Connector
from tests.parts.provision.ports import free_ports

pytestmark = pytest.mark.timeout(120)


BROKERS = """
from tests.cli.mock_kafka import MockKafka
kafka = MockKafka()
kafka.topic("events")
kafka.topic("dead-letters")
print(kafka.bootstrap_servers, flush=True)
input()
"""


@contextmanager
def brokers_of_another_process() -> Iterator[tuple[str, int]]:
    """Their addresses, and the process that can be made to stand still."""
    with subprocess.Popen(
        [sys.executable, "-c", BROKERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.kill()


def wait_for(ready: Callable[[], bool], connector: Connector) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline and not connector.ended_by_itself, connector.output()
        time.sleep(0.05)


def test_an_unreachable_broker_is_waited_for_visibly(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    keys = {"site_id": "a-site", "api_key": "never-shown"}
    settings = {
        "kafka": {"bootstrap_servers": address, "topics": ["events"], "group_id": "group"},
        "regions": {"us": keys, "eu": keys},
        "server": {"host": "127.0.0.1", "port": 0},
        "log": {"format": "json"},
    }
    file = tmp_path / "connector.yaml"
    file.write_text(yaml.safe_dump(settings))
    connector = Connector(["--config", str(file)], tmp_path / "log", {})
    try:
        wait_for(lambda: connector.waits("group-us: unreachable", "group-eu: unreachable"), connector)
        assert connector.waits(f"no broker of Kafka at {address}", "Check kafka.bootstrap_servers")

        # A process that waits must not look like one that stands still.
        ages = [connector.liveness()[1]["loop_heartbeat_age_seconds"]]

        def has_a_heartbeat() -> bool:
            ages.append(connector.liveness()[1]["loop_heartbeat_age_seconds"])
            return ages[-1] < ages[-2]

        wait_for(has_a_heartbeat, connector)
        assert connector.stop() == 0
        assert "never-shown" not in connector.output()
    finally:
        connector.kill()


def test_brokers_that_have_fallen_silent_hold_up_no_exit(tmp_path: Path) -> None:
    with brokers_of_another_process() as (addresses, brokers):
        settings = {
            "kafka": {"bootstrap_servers": addresses, "topics": ["events"], "group_id": "group"},
            "regions": {"us": {"site_id": "a-site", "api_key": "a-key"}},
            "dead_letters": {"topic": "dead-letters"},
            "server": {"host": "127.0.0.1", "port": 0},
            "log": {"format": "json"},
        }
        file = tmp_path / "connector.yaml"
        file.write_text(yaml.safe_dump(settings))
        connector = Connector(["--config", str(file)], tmp_path / "log", {})
        try:
            wait_for(lambda: connector.assigned() > 0, connector)
            os.kill(brokers, signal.SIGSTOP)
            assert connector.stop() == 0
        finally:
            connector.kill()
