"""Clients of the health server that mean no good."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from connector.telemetry.connections import CONNECTIONS_MAX, SECONDS_MAX
from connector.telemetry.server import HealthServer
from tests.telemetry.examples import health_inputs
from tests.telemetry.test_server import no_metrics, run

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Metrics = Callable[[str], tuple[bytes, str]]


class Serving:
    def __init__(self, server: HealthServer, port: int) -> None:
        self._server = server
        self._port = port

    async def client(self) -> Client:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def answer(self, request: bytes) -> bytes:
        """All that comes until the server closes."""
        reader, writer = await self.client()
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()

    @property
    def open(self) -> int:
        assert self._server._runner is not None and self._server._runner.server is not None
        return len(self._server._runner.server.connections)

    async def let_time_pass(self) -> None:
        """Those that are open have had their time."""
        assert self._server._connections is not None
        self._server._connections._seconds_max = 0.0
        await self.until(lambda: self.open == 0)
        self._server._connections._seconds_max = SECONDS_MAX

    async def until(self, ready: Callable[[], bool]) -> None:
        """Bounded by the test's deadline."""
        while not ready():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(metrics: Metrics = no_metrics) -> AsyncIterator[Serving]:
    server = HealthServer("127.0.0.1", 0, health_inputs, metrics)
    try:
        yield Serving(server, await server.start())
    finally:
        await server.stop()


async def ended(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        assert await reader.read() == b""


def test_a_connection_serves_one_request() -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.answer(GET + b"\r\n" + GET + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"\r\nConnection: close\r\n" in answer
            assert answer.count(b"HTTP/1.1") == 1

    run(test)


@pytest.mark.parametrize("sent", [b"", b"G", GET, GET + b"X-Drip: "])
def test_a_client_that_never_finishes_its_request_is_cut_off(sent: bytes) -> None:
    async def test() -> None:
        async with serving() as server:
            reader, writer = await server.client()
            writer.write(sent)
            await server.until(lambda: server.open == 1)
            await server.let_time_pass()
            await ended(reader)
            assert (await server.answer(GET + b"\r\n")).startswith(b"HTTP/1.1 200")

    run(test)


def test_a_client_that_drips_headers_is_cut_off() -> None:
    async def test() -> None:
        async with serving() as server:
            reader, writer = await server.client()
            writer.write(GET)
            await server.until(lambda: server.open == 1)

            async def drip() -> None:
                while not writer.transport.is_closing():
                    writer.write(b"X: drip\r\n")
                    await asyncio.sleep(0.2)

            dripping = asyncio.create_task(drip())
            await server.let_time_pass()
            await ended(reader)
            writer.transport.abort()
            await dripping

    run(test)


def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    asked = threading.Event()

    def metrics(accept: str) -> tuple[bytes, str]:
        asked.set()
        return b"x" * 50_000_000, "text/plain"

    async def test() -> None:
        async with serving(metrics) as server:
            _, writer = await server.client()
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.until(asked.is_set)
            await server.let_time_pass()
            writer.transport.abort()

    run(test)


def test_idle_connections_are_bounded_and_keep_no_probe_out() -> None:
    async def test() -> None:
        async with serving() as server:
            idle = [await server.client() for _ in range(CONNECTIONS_MAX + 20)]
            await server.until(lambda: 0 < server.open <= CONNECTIONS_MAX)
            assert (await server.answer(GET + b"\r\n")).startswith(b"HTTP/1.1 200")
            for _, writer in idle:
                writer.transport.abort()

    run(test)


@pytest.mark.parametrize(
    "request_",
    [
        b"planted\r\n\r\n",
        b"\x16\x03\x01\x02\x00planted\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: planted\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nAuthorization: planted\x00\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\nX: planted\r\n\r\n",
        GET + b"X-Planted: planted\r\n" * 100 + b"\r\n",
        b"GET /" + b"planted" * 1_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_neither_repeated_nor_logged(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.answer(request_)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b" 400 Bad Request\r\n" in head
            assert b"Server: cio-connector" in head
            assert body == b"Bad Request\n"

    with caplog.at_level(logging.INFO):
        run(test)
    assert not caplog.records


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"])
def test_other_methods_are_refused(method: str) -> None:
    async def test() -> None:
        async with serving() as server:
            for path in ("/livez", "/readyz", "/metrics", "/"):
                answer = await server.answer(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert answer.split(b" ")[1] in (b"405", b"400")
                assert b"Python" not in answer and b"aiohttp" not in answer and b"Traceback" not in answer

    run(test)


def test_a_body_is_not_read() -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.answer(GET + b"Content-Length: 1000000000\r\n\r\n" + b"x" * 10_000)
            assert answer.startswith(b"HTTP/1.1 200")

    run(test)


def test_it_listens_where_it_is_told_and_nowhere_else() -> None:
    async def test() -> None:
        server = HealthServer("127.0.0.2", 0, health_inputs, no_metrics)
        port = await server.start()
        try:
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", port)
            _, writer = await asyncio.open_connection("127.0.0.2", port)
            writer.close()
        finally:
            await server.stop()

    run(test)
