import asyncio
import os

import pytest

from connector.checks.collector import check_collectors
from connector.checks.deadline import Deadline
from connector.checks.result import Check

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


async def looked_at() -> list[Check]:
    return await check_collectors(os.environ, Deadline.after(10))


@pytest.mark.anyio
async def test_without_an_endpoint_there_is_nothing_to_say() -> None:
    assert await looked_at() == []


@pytest.mark.anyio
async def test_an_open_port_is_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}/custom")
    async with server:
        (check,) = await looked_at()
    assert (check.status, check.subject) == ("ok", f"127.0.0.1:{port}")


@pytest.mark.anyio
async def test_a_closed_port_is_a_warning_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{NOBODY}/v1/traces")
    (check,) = await looked_at()
    assert (check.status, check.exit_code) == ("warn", 0)
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in check.fix


@pytest.mark.anyio
async def test_a_collector_switched_off_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOBODY)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert await looked_at() == []


@pytest.mark.anyio
async def test_a_variable_that_run_would_refuse_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost")
    (check,) = await looked_at()
    assert (check.status, check.exit_code) == ("fail", 2)
