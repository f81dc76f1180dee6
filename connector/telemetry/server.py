"""The connector's own HTTP server: `/livez`, `/readyz`, `/metrics`. It says nothing else and takes no bodies.

Whoever reaches the port may do what they like with it: see `connections.py` for what is done about that.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
from aiohttp import web

from connector.errors import ConfigurationError
from connector.telemetry.connections import LINE_BYTES_MAX, SERVER_NAME, Connections
from connector.telemetry.health import HealthInputs, Verdict, liveness, readiness

logger = logging.getLogger("connector")

PathHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HealthServer:
    """Serves on the event loop that starts it; metrics are put together in a thread of their own.

    `health` is called on the event loop, `metrics` in that thread: given the request's `Accept` header it returns
    the body and its content type.
    """

    def __init__(
        self,
        host: str,
        port: int,
        health: Callable[[], HealthInputs],
        metrics: Callable[[str], tuple[bytes, str]],
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self._connections: Connections | None = None
        self._scraper = ThreadPoolExecutor(1, "metrics")

    async def start(self) -> int:
        """Listens, and returns the port: the one given, or a free one for 0. Raises ConfigurationError."""
        runner = web.AppRunner(self._application(), shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None, "it is set up"
        self._connections = Connections(runner.server)
        try:
            port = await self._connections.listen(self._host, self._port)
        except OSError as error:
            await runner.cleanup()
            raise _cannot_listen(self._host, self._port, error) from error
        self._runner = runner
        return port

    async def stop(self) -> None:
        """Stops listening and ends open connections within a second."""
        if self._connections is not None:
            self._connections.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._scraper.shutdown(wait=False)

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LINE_BYTES_MAX, middlewares=[_plain_errors])
        application.router.add_get("/", _index)
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._serve_metrics)
        application.on_response_prepare.append(_end_connection)
        return application

    async def _livez(self, request: web.Request) -> web.Response:
        return _verdict(liveness(self._health()))

    async def _readyz(self, request: web.Request) -> web.Response:
        return _verdict(readiness(self._health()))

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        loop = asyncio.get_running_loop()
        body, content_type = await loop.run_in_executor(self._scraper, self._metrics, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})


async def _index(request: web.Request) -> web.Response:
    return web.Response(
        text="cio-connector\n\n/livez    is it alive\n/readyz   is it ready\n/metrics  Prometheus\n"
    )


@web.middleware
async def _plain_errors(request: web.Request, handler: PathHandler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=f"{error.reason}\n", headers=_allow(error))
    except Exception:
        logger.exception("a request to the health server failed", extra={"fields": {"path": request.path}})
        return web.Response(status=500, text="Internal Server Error\n")


async def _end_connection(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_NAME
    response.headers["Connection"] = "close"
    response.force_close()


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


def _verdict(verdict: Verdict) -> web.Response:
    well, details = verdict
    body = msgspec.json.format(msgspec.json.encode(details), indent=2) + b"\n"
    return web.Response(status=200 if well else 503, body=body, content_type="application/json")


def _cannot_listen(host: str, port: int, error: OSError) -> ConfigurationError:
    place = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"server: {place} is already in use",
            "Stop what listens there, or set server.port (CIO_SERVER__PORT) to another port",
        )
    if error.errno == errno.EACCES:
        return ConfigurationError(
            f"server: not allowed to listen on {place}",
            "Set server.port (CIO_SERVER__PORT) to a port from 1024 on",
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(
            f"server: {host} is no address of this machine",
            "Set server.host (CIO_SERVER__HOST), for example to 0.0.0.0 or 127.0.0.1",
        )
    return ConfigurationError(
        f"server: cannot listen on {place}: {error.strerror}", "Set server.host and server.port"
    )
