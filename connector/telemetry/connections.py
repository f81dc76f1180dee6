"""Clients of the health server, as far as they are trusted: not at all.

A connection serves one request and has `SECONDS_MAX` for all of it, so that nobody is served by being slow. When
`CONNECTIONS_MAX` are open the oldest gives way: to refuse the newest would keep out the probes, and have the process
restarted. What is no HTTP is answered and not logged, or anybody could fill the log.
"""

import asyncio
from collections import deque
from http import HTTPStatus

from aiohttp import web
from aiohttp.web_request import BaseRequest

SERVER_NAME = "cio-connector"
LINE_BYTES_MAX = 4096
"""The longest request line and header."""
HEADERS_MAX = 64
CONNECTIONS_MAX = 64
SECONDS_MAX = 30.0
"""For one request, from the connection's begin to the last byte of the answer. Scrapers wait 10 s by default."""
SWEEP_SECONDS = 1.0


class Connection(web.RequestHandler):
    """One client. What cannot be read is answered without a word of it, and without a version."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Called by aiohttp for what is no HTTP."""
        response = web.Response(
            status=status, text=f"{HTTPStatus(status).phrase}\n", headers={"Server": SERVER_NAME}
        )
        response.force_close()
        return response


class Connections:
    """Accepts connections on the event loop on which it is made, and ends those that have had their time."""

    def __init__(self, server: web.Server) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._seconds_max = SECONDS_MAX
        self._latest: deque[tuple[float, Connection]] = deque()
        """(when it began, connection), also those that have ended since."""
        self._listener: asyncio.Server | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int) -> int:
        """The port: the one given, or a free one for 0. Raises OSError."""
        self._listener = await self._loop.create_server(self._accept, host, port)
        self._sweep()
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    def close(self) -> None:
        """Accepts no more. Those that are open are the server's to end."""
        if self._listener is not None:
            self._listener.close()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _accept(self) -> Connection:
        if len(self._latest) >= CONNECTIONS_MAX:
            _end(self._latest.popleft()[1])
        connection = Connection(
            self._server,
            loop=self._loop,
            access_log=None,  # type: ignore[arg-type] # aiohttp takes it, but does not say so
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
            max_headers=HEADERS_MAX,
            keepalive_timeout=self._seconds_max,
            lingering_time=1.0,
        )
        self._latest.append((self._loop.time(), connection))
        return connection

    def _sweep(self) -> None:
        now = self._loop.time()
        while self._latest and now - self._latest[0][0] >= self._seconds_max:
            _end(self._latest.popleft()[1])
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)


def _end(connection: Connection) -> None:
    if connection.transport is not None:
        connection.transport.abort()
