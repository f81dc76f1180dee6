"""The connector's process is told its configuration alone, and leaves nothing behind."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connector.demo.connector_process import ConnectorProcess
from connector.errors import ExitCode

UNREACHABLE: dict[str, Any] = {
    "kafka": {
        "bootstrap_servers": "127.0.0.1:1",
        "topics": ["customer-events"],
        "group_protocol": "consumer",
    },
    "regions": {"us": {"site_id": "site", "api_key": "key", "url": "http://127.0.0.1:1"}},
    "server": {"enabled": False},
    "log": {"format": "json"},
}


@pytest.fixture
def started() -> Iterator[list[ConnectorProcess]]:
    processes: list[ConnectorProcess] = []
    yield processes
    for process in processes:
        process.close()


def start(started: list[ConnectorProcess], configuration: dict[str, Any]) -> ConnectorProcess:
    process = ConnectorProcess(configuration)
    started.append(process)
    process.start()
    return process


def wait_for_exit(process: ConnectorProcess) -> int:
    deadline = time.monotonic() + 60
    while process.exit_code is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.exit_code is not None
    return process.exit_code


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_wrong_configuration_is_told_in_its_last_words(started: list[ConnectorProcess]) -> None:
    process = start(started, UNREACHABLE | {"batches": {}})
    assert wait_for_exit(process) == ExitCode.USAGE
    assert any("batches: unknown setting" in line for line in process.last_words())


def test_settings_in_the_environment_do_not_count(
    started: list[ConnectorProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_BATCH__NONSENSE", "1")
    monkeypatch.setenv("CIO_CONFIG", "/nowhere")
    process = start(started, UNREACHABLE | {"batch": {"max_events": 0}})
    wait_for_exit(process)
    words = "\n".join(process.last_words())
    assert "batch.max_events" in words
    assert "NONSENSE" not in words


def test_closing_ends_it_and_removes_its_files(started: list[ConnectorProcess]) -> None:
    process = start(started, UNREACHABLE)
    pid = process._running.pid
    folder = process._folder.name
    assert is_alive(pid)
    process.close()
    assert not is_alive(pid)
    assert not os.path.exists(folder)


def test_closing_what_was_never_started_does_no_harm() -> None:
    ConnectorProcess(UNREACHABLE).close()
