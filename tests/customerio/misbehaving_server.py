"""A small HTTP server over real sockets that does whatever a test tells it to."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """Which connection it came on, counted from 0."""
    nth: int
    """Which request on that connection, counted from 0."""


Behaviour = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    behaviour: Behaviour
    read_bodies: bool = True
    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    """Accepted so far."""
    open_connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self.connections
        self.connections += 1
        self.open_connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                nth = 0
                while not writer.is_closing():
                    request = await read_request(reader, connection, nth, self.read_bodies)
                    self.requests.append(request)
                    await self.behaviour(request, writer)
                    await writer.drain()
                    if request.headers.get("connection") == "close":
                        break
                    nth += 1
        finally:
            self.open_connections -= 1
            writer.close()


async def read_request(
    reader: asyncio.StreamReader, connection: int = 0, nth: int = 0, with_body: bool = True
) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", "0")) if with_body else 0
    method, target, _ = first.split(" ")
    return Received(method, target, headers, await reader.readexactly(length), connection, nth)


@contextlib.asynccontextmanager
async def serving(
    behaviour: Behaviour, tls: ssl.SSLContext | None = None, read_bodies: bool = True
) -> AsyncIterator[Server]:
    server = Server(behaviour, read_bodies, scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(status: int, body: bytes = b"{}", **headers: str) -> bytes:
    """An answer as it goes over the wire. `_` in a header's name stands for `-`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def answering(raw: bytes) -> Behaviour:
    async def behave(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return behave


async def hang(_request: Received, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection with RST."""
    writer.transport.abort()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for something to become true, and fails when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 the server tells nobody what it counts
            await asyncio.sleep(0.005)
