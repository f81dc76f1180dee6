"""The pooled connections to one region, behind httpx's transport interface.

aiohttp carries them out: a request costs a fifth of the CPU time that it costs on httpx's own transport
(`python -m bench.transport`). The transport is called directly instead of through `httpx.AsyncClient`, which
costs less again, and leaves nothing that would follow redirects, keep cookies or add headers.
"""

import ssl
from contextvars import ContextVar
from types import SimpleNamespace
from typing import NamedTuple

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from connector.core.options import DeliveryOptions
from connector.customerio.endpoint import RegionEndpoint
from connector.errors import ConfigurationError

ANSWER_BYTES_MAX = 4 * 1024 * 1024
"""An answer is read up to here; a real one is some hundred bytes an item."""
CONNECT_SECONDS_MAX = 10.0
"""A connection that is not there by then will not come: another attempt has the better chances."""


class Reply(NamedTuple):
    """One complete answer."""

    status: int
    headers: httpx.Headers
    body: bytes


class Attempt:
    """What is noted about one request on its way, for the case that it fails."""

    __slots__ = ("answer_began", "connection_reused")

    def __init__(self) -> None:
        self.connection_reused = False
        self.answer_began = False


_attempt: ContextVar[Attempt] = ContextVar("customerio_attempt")


async def _note_reuse(_session: object, _context: SimpleNamespace, _params: object) -> None:
    # aiohttp calls this in the task that sends the request, so the variable is that request's own.
    _attempt.get().connection_reused = True


class Connections:
    """One pool of kept-alive connections. Made and used within a running event loop."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy | None, options: DeliveryOptions) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.max_connections, keepalive_timeout=options.keepalive_seconds, ssl=tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
        )
        self._transport = AiohttpTransport(verify=tls, proxy=proxy, client=session)
        self._keepalive_max = options.max_keepalive_connections
        self._keepalive_in_use = 0
        self.in_flight = 0

    async def exchange(self, request: httpx.Request, deadline_seconds: float, attempt: Attempt) -> Reply:
        """Sends the request and reads its answer, cut at `ANSWER_BYTES_MAX`.

        Raises the transport's errors as they come. `deadline_seconds` bounds connecting only: the caller
        bounds the whole, since timeouts for reading start again with each byte.
        """
        connect_seconds = min(deadline_seconds, CONNECT_SECONDS_MAX)
        request.extensions["timeout"] = {"connect": connect_seconds, "pool": connect_seconds}
        # aiohttp keeps every idle connection. So as many as may stay idle are kept alive, any further one is not.
        kept_alive = self._keepalive_in_use < self._keepalive_max
        if not kept_alive:
            request.headers["Connection"] = "close"
        _attempt.set(attempt)
        self._keepalive_in_use += kept_alive
        self.in_flight += 1
        try:
            response = await self._transport.handle_async_request(request)
            attempt.answer_began = True
            try:
                return Reply(response.status_code, response.headers, await _body(response))
            finally:
                await response.aclose()
        finally:
            self.in_flight -= 1
            self._keepalive_in_use -= kept_alive

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            break
    return bytes(body[:ANSWER_BYTES_MAX])


def tls_context(endpoint: RegionEndpoint) -> ssl.SSLContext:
    """What certificates are checked against. Raises ConfigurationError where `ca_file` holds none."""
    if not endpoint.verify_tls:
        return httpx.create_ssl_context(verify=False)
    if endpoint.ca_file is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=endpoint.ca_file)
    except OSError as error:  # ssl.SSLError is one
        why = "holds no certificates in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"http.ca_file {endpoint.ca_file}: {why}", "Name a readable file of PEM certificates"
        ) from error
