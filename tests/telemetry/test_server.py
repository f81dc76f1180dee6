import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError, ExitCode
from connector.telemetry.health import HealthInputs, KafkaState
from connector.telemetry.server import HealthServer
from connector.telemetry.setup import TelemetryShell
from tests.telemetry.examples import health_inputs, snapshot


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


def no_metrics(accept: str) -> tuple[bytes, str]:
    return b"", "text/plain"


@asynccontextmanager
async def serving(
    health: Callable[[], HealthInputs] = health_inputs,
    metrics: Callable[[str], tuple[bytes, str]] = no_metrics,
) -> AsyncIterator[httpx.AsyncClient]:
    server = HealthServer("127.0.0.1", 0, health, metrics)
    port = await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        await server.stop()


def test_live_and_ready_answer_200() -> None:
    async def test() -> None:
        async with serving() as client:
            for path, word in (("/livez", "alive"), ("/readyz", "ready")):
                answer = await client.get(path)
                assert answer.status_code == 200
                assert answer.json()[word] is True

    run(test)


def test_not_ready_answers_503_and_says_why_while_alive() -> None:
    async def test() -> None:
        async with serving(lambda: health_inputs(kafka=KafkaState.UNREACHABLE)) as client:
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["not_ready"] == ["Kafka, group group-0: unreachable"]
            assert (await client.get("/livez")).status_code == 200

    run(test)


def test_thread_that_stands_still_answers_503() -> None:
    async def test() -> None:
        async with serving(lambda: health_inputs(poll_age=1000)) as client:
            assert (await client.get("/livez")).status_code == 503

    run(test)


def test_metrics_are_served_in_the_format_asked_for(silent_shell: TelemetryShell) -> None:
    async def test() -> None:
        silent_shell.observe(lambda: [("g", snapshot(buffered_records=3))], dict)
        async with serving(metrics=silent_shell.metrics_text) as client:
            plain = await client.get("/metrics")
            assert plain.headers["content-type"].startswith("text/plain; version=")
            assert "cio_connector_buffered_records 3.0" in plain.text
            accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
            open_metrics = await client.get("/metrics", headers=accept)
            assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
            assert open_metrics.text.endswith("# EOF\n")

    run(test)


def test_many_scrapes_at_once_are_each_complete(silent_shell: TelemetryShell) -> None:
    async def test() -> None:
        silent_shell.observe(lambda: [("g", snapshot(buffered_records=3))], dict)
        async with serving(metrics=silent_shell.metrics_text) as client:
            pages = await asyncio.gather(*(client.get("/metrics") for _ in range(20)))
            assert {page.text.count("\ncio_connector_buffered_records ") for page in pages} == {1}

    run(test)


def test_index_lists_the_paths() -> None:
    async def test() -> None:
        async with serving() as client:
            page = (await client.get("/")).text
            assert all(path in page for path in ("/livez", "/readyz", "/metrics"))

    run(test)


def test_unknown_paths_and_methods_are_refused_plainly() -> None:
    async def test() -> None:
        async with serving() as client:
            assert (await client.get("/secret")).status_code == 404
            assert (await client.get("/..%2f..%2fetc/passwd")).status_code == 404
            refused = await client.post("/metrics", content=b"x" * 100_000)
            assert refused.status_code == 405
            assert refused.headers["allow"] == "GET,HEAD"

    run(test)


def test_failure_shows_no_stack_and_no_versions() -> None:
    def broken() -> HealthInputs:
        raise RuntimeError("planted")

    async def test() -> None:
        async with serving(broken) as client:
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.text) == (500, "Internal Server Error\n")
            assert answer.headers["server"] == "cio-connector"

    run(test)


def test_long_request_lines_and_headers_are_refused() -> None:
    async def test() -> None:
        async with serving() as client:
            assert (await client.get("/" + "x" * 10_000)).status_code == 400
            assert (await client.get("/livez", headers={"X-Long": "x" * 10_000})).status_code == 400
            assert (await client.get("/livez")).status_code == 200

    run(test)


def start_error(host: str, port: int) -> ConfigurationError:
    async def start() -> None:
        server = HealthServer(host, port, health_inputs, no_metrics)
        try:
            await server.start()
        finally:
            await server.stop()

    with pytest.raises(ConfigurationError) as raised:
        asyncio.run(start())
    assert raised.value.exit_code == ExitCode.USAGE
    return raised.value


def test_port_in_use_is_named_with_its_fix() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = start_error("127.0.0.1", port)
    assert f"127.0.0.1:{port} is already in use" in error.what
    assert "CIO_SERVER__PORT" in error.fix


def test_address_of_another_machine_is_named_with_its_fix() -> None:
    error = start_error("192.0.2.1", 0)
    assert "192.0.2.1 is no address of this machine" in error.what
    assert "CIO_SERVER__HOST" in error.fix


def test_stops_while_a_connection_is_open() -> None:
    async def test() -> None:
        server = HealthServer("127.0.0.1", 0, health_inputs, no_metrics)
        port = await server.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await server.stop()
        rest = await reader.read()
        assert json.loads(rest)["alive"]
        writer.close()

    run(test)
