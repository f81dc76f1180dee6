"""What a request costs on each transport: `python -m bench.transport`.

Many requests of one event and some of a full batch, ten at a time, to a server in another process that answers at once.
What counts is the client's CPU time: it is what one core has to spend, whatever else the machine does.
"""

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import httpx
import uvloop
from httpx_aiohttp import AiohttpTransport

from connector.core.answers import Accepted
from connector.core.effects import Send
from connector.core.options import DeliveryOptions
from connector.customerio.endpoint import RegionEndpoint
from connector.customerio.region_client import RegionClient

CONCURRENCY = 10
ROUNDS = 3
"""The best of them counts: what else runs on the machine only ever adds."""
WORKLOADS = {"1 event, 400 B": (400, 4000), "full batch, 490 kB": (490_000, 400)}
"""Bytes of one body, and how many requests."""
HEADERS = {"Authorization": "Basic c2l0ZTprZXk=", "Content-Type": "application/json"}
OPTIONS = DeliveryOptions()

Request = Callable[[], Awaitable[None]]
Way = Callable[[str, bytes], AbstractAsyncContextManager[Request]]
"""Given URL and body, something that sends it."""


class AnswersAtOnce(asyncio.Protocol):
    """Counts the bytes of each request and answers 200 when all are there; no pipelining."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._head = b""
        self._missing = 0

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._missing = int(length) - len(body)
            self._head = b""
        if not self._missing:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
            )


def serve(port_to: Connection) -> None:
    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(AnswersAtOnce, "127.0.0.1", 0)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(listen())


def httpx_transport() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=100, max_keepalive_connections=20))


def aiohttp_transport() -> httpx.AsyncBaseTransport:
    return AiohttpTransport(limits=httpx.Limits(max_connections=100, keepalive_expiry=30))


def through_client(make_transport: Callable[[], httpx.AsyncBaseTransport]) -> Way:
    """The usual way: `httpx.AsyncClient` on top of the transport."""

    @asynccontextmanager
    async def requests(url: str, body: bytes) -> AsyncIterator[Request]:
        async with httpx.AsyncClient(transport=make_transport(), headers=HEADERS, timeout=30) as client:

            async def request() -> None:
                response = await client.post(url + "/api/v2/batch", content=body)
                assert response.status_code == 200

            yield request

    return requests


def directly(make_transport: Callable[[], httpx.AsyncBaseTransport]) -> Way:
    """The transport alone."""

    @asynccontextmanager
    async def requests(url: str, body: bytes) -> AsyncIterator[Request]:
        async with make_transport() as transport:
            timeout = {"connect": 10, "read": 30, "write": 30, "pool": 10}

            async def request() -> None:
                response = await transport.handle_async_request(
                    httpx.Request(
                        "POST",
                        url + "/api/v2/batch",
                        headers=HEADERS,
                        content=body,
                        extensions={"timeout": timeout},
                    )
                )
                await response.aread()
                assert response.status_code == 200

            yield request

    return requests


@asynccontextmanager
async def region_client(url: str, body: bytes) -> AsyncIterator[Request]:
    """The connector's own: the transport directly, with total deadline, limits and the answer's meaning."""
    endpoint = RegionEndpoint(name="us", url=url, credentials=lambda: ("site", "key"), proxy="")
    client = RegionClient(endpoint, OPTIONS)
    send = Send(1, "us", "batch", "/api/v2/batch", body, 1, 1, 30.0)

    async def request() -> None:
        assert await client.send(send) == Accepted()

    yield request
    await client.aclose()


WAYS: dict[str, Way] = {
    "httpx.AsyncClient, httpx's transport": through_client(httpx_transport),
    "httpx's transport alone": directly(httpx_transport),
    "httpx.AsyncClient, aiohttp transport": through_client(aiohttp_transport),
    "aiohttp transport alone": directly(aiohttp_transport),
    "the connector (aiohttp transport)": region_client,
}
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def measure(way: Way, url: str, body: bytes, count: int) -> tuple[float, float]:
    """Seconds on the clock and of CPU time for `count` requests, ten at a time."""
    async with way(url, body) as request:

        async def worker(requests: int) -> None:
            for _ in range(requests):
                await request()

        await asyncio.gather(*[worker(5) for _ in range(CONCURRENCY)])
        clock, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*[worker(count // CONCURRENCY) for _ in range(CONCURRENCY)])
        return time.perf_counter() - clock, time.process_time() - cpu


def results(url: str, scale: float) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for workload, (size, full_count) in WORKLOADS.items():
        count = max(CONCURRENCY, int(full_count * scale))
        for loop, new_loop in LOOPS.items():
            for name, way in WAYS.items():
                rounds = []
                for _ in range(ROUNDS):
                    with asyncio.Runner(loop_factory=new_loop) as runner:
                        rounds.append(runner.run(measure(way, url, b"x" * size, count)))
                clock, cpu = min(rounds, key=lambda round: round[1])
                rows.append(
                    {
                        "workload": workload,
                        "loop": loop,
                        "way": name,
                        "requests_per_second": round(count / clock),
                        "requests_per_cpu_second": round(count / cpu),
                        "cpu_us_per_request": round(cpu / count * 1e6),
                    }
                )
                print_row(rows[-1])
    return rows


def print_row(row: dict[str, object]) -> None:
    print(
        f"{row['workload']:20} {row['loop']:8} {row['way']:38} {row['requests_per_second']:>10,} "
        f"{row['requests_per_cpu_second']:>12,} {row['cpu_us_per_request']:>10,}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of requests")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    arguments = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}"
        print(f"{'':20} {'loop':8} {'':38} {'requests/s':>10} {'per CPU-s':>12} {'CPU us':>10}")
        rows = results(url, arguments.scale)
    finally:
        server.terminate()
        server.join()
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
