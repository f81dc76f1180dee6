import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connector.checks.result import Check
from connector.checks.suite import checks
from connector.simulator import Fault, FaultKind, SimulatorOptions, run_in_thread


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_what_never_answers_is_given_up(silent_broker: str, tmp_path: Path) -> None:
    path = tmp_path / "connector.yaml"
    hanging = SimulatorOptions(faults=(Fault(kind=FaultKind.HANG),))

    async def all_of_them() -> list[Check]:
        return [check async for check in checks(str(path), {}, None, timeout_seconds=0.5)]

    with run_in_thread(hanging) as customerio:
        us = {"url": customerio.url("us"), "site_id": "s", "api_key": "k"}
        kafka = {"bootstrap_servers": silent_broker, "topics": ["events"]}
        path.write_text(yaml.safe_dump({"kafka": kafka, "regions": {"us": us}}))
        found = asyncio.run(all_of_them())
    ended = {check.check: (check.status, check.exit_code) for check in found}
    assert ended["kafka"] == ("fail", 69)
    assert ended["topic"] == ended["group"] == ended["dead_letter_topic"] == ("skip", 0)
    assert ended["region"] == ("fail", 69)
    assert ended["credentials"] == ended["workspace"] == ("skip", 0)


def test_without_any_file_it_says_that_none_was_read() -> None:
    async def first() -> Check:
        return await anext(checks(None, {}, None))

    said = asyncio.run(first())
    assert (said.status, said.message) == ("warn", "no file was read")
    assert "--config" in said.fix
