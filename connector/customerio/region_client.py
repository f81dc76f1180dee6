"""Carries out `Send` for one region."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import httpx

from connector.core.answers import Answer, Unavailable
from connector.core.effects import Send
from connector.core.options import DeliveryOptions
from connector.customerio.answers import interpret
from connector.customerio.connections import Attempt, Connections, tls_context
from connector.customerio.endpoint import RegionEndpoint, base_url
from connector.customerio.failures import is_pool_suspect, unavailable
from connector.customerio.proxy import proxy_of
from connector.customerio.request_headers import request_headers
from connector.errors import ConfigurationError, ConnectorError


class RegionClient:
    """One region's connections and credentials. Made and used within a running event loop.

    `Cancel` is carried out by cancelling the task that awaits `send`.
    """

    def __init__(
        self,
        endpoint: RegionEndpoint,
        options: DeliveryOptions,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ConfigurationError for settings that cannot work, and what reading the credentials raises."""
        if options.concurrency > options.max_connections:
            raise ConfigurationError(
                f"delivery.concurrency ({options.concurrency}) is more than delivery.max_connections "
                f"({options.max_connections}), so requests would wait for a connection",
                "Raise delivery.max_connections or lower delivery.concurrency",
            )
        self._endpoint = endpoint
        self._options = options
        self._wall_clock = wall_clock
        self._url = base_url(endpoint)
        self._tls = tls_context(endpoint)
        self._proxy = proxy_of(endpoint)
        self._headers = request_headers(endpoint.credentials())
        self._connections = self._connect()
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, send: Send) -> Answer:
        """One attempt. Ends within `send.deadline_seconds` and raises nothing but CancelledError."""
        if send.refresh_credentials:
            self._refresh_credentials()
        url = self._url + send.path
        request = httpx.Request("POST", url, headers=self._headers, content=send.body)
        attempt = Attempt()
        connections = self._connections
        deadline = asyncio.timeout(send.deadline_seconds)
        try:
            async with deadline:
                reply = await connections.exchange(request, send.deadline_seconds, attempt)
        except asyncio.CancelledError:
            self._replace(connections)
            raise
        except Exception as error:  # noqa: BLE001 whatever it is, whether the request was applied is unknown
            if deadline.expired():
                self._replace(connections)
                return Unavailable("timeout", detail=f"no complete answer in {send.deadline_seconds:g} s")
            if is_pool_suspect(error):
                self._replace(connections)
            return unavailable(error, attempt)
        finally:
            self._close_if_drained(connections)
        return interpret(reply.status, reply.headers, reply.body, send.events, url, self._wall_clock())

    async def aclose(self) -> None:
        """Closes every connection. Requests still under way fail."""
        await self._connections.aclose()
        await asyncio.gather(*self._closing)

    def _connect(self) -> Connections:
        return Connections(self._tls, self._proxy, self._options)

    def _refresh_credentials(self) -> None:
        # A file that cannot be read may be about to be replaced: the next refusal comes here again.
        with contextlib.suppress(ConnectorError, OSError, ValueError):
            self._headers = request_headers(self._endpoint.credentials())

    def _replace(self, connections: Connections) -> None:
        """Leaves a pool on which a request was cut short, since pools have lost count of their connections over
        this (encode/httpcore#1093). Requests under way on it end there."""
        if connections is self._connections:
            self._connections = self._connect()

    def _close_if_drained(self, connections: Connections) -> None:
        if connections is not self._connections and not connections.in_flight:
            task = asyncio.get_running_loop().create_task(connections.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
