"""The stand-in on real sockets: one port a region, one event loop for all.

    async with Simulator(SimulatorOptions()) as simulator:
        simulator.url("us")                       # http://127.0.0.1:<a free port>
        simulator.inject(Fault(kind=FaultKind.STATUS, status=503, requests=3))
        simulator.workspaces["us"].operations     # what was accepted, in order
        simulator.violations.total                # 0: nothing invalid ever left

Outside an event loop: `with run_in_thread(SimulatorOptions()) as simulator:` in `connector.simulator.thread`.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
import time
from email.utils import formatdate
from types import TracebackType
from typing import Self

from aiohttp import web

from connector.errors import ConfigurationError
from connector.simulator import admin, limits
from connector.simulator.certificate import make_server_context
from connector.simulator.faults import Fault, FaultKind, Faults
from connector.simulator.options import SimulatorOptions
from connector.simulator.track_api import Reply, Request, TrackAPI
from connector.simulator.violations import Violations
from connector.simulator.workspace import Workspace

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Simulator:
    """Customer.io's regional hosts with a workspace each. As an asynchronous context manager it listens."""

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        self.options = options or SimulatorOptions()
        self.workspaces = {
            region: Workspace(
                region,
                remember_operations=self.options.remember_operations,
                remember_attributes=self.options.remember_attributes,
            )
            for region in self.options.workspaces
        }
        self.violations = Violations()
        self.faults = Faults(self.options.seed)
        self.ca_file: str | None = None
        """The certificate authority that clients must trust; None without TLS."""
        self._ports: dict[str, int] = {}
        self._runners: list[web.ServerRunner] = []

    def url(self, region: str, host: str | None = None) -> str:
        """The base URL of a region's host, once it listens; as seen by a client that calls it `host`."""
        host = host or _ANY_ADDRESS.get(self.options.host, self.options.host)
        scheme = "https" if self.options.tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._ports[region]}"

    def port(self, region: str) -> int:
        """The port of a region's host, once it listens."""
        return self._ports[region]

    def inject(self, fault: Fault) -> None:
        """From now on."""
        self.faults.inject(fault, time.monotonic())

    def clear_faults(self) -> None:
        """All faults end. Answers that hang now stay so until their clients give up."""
        self.faults.clear()

    def reset(self) -> None:
        """Forget everything that was accepted, and end all faults. From another thread: while nothing is sent."""
        self.faults.clear()
        self.violations.clear()
        for workspace in self.workspaces.values():
            workspace.clear()

    async def __aenter__(self) -> Self:
        context = None
        if self.options.tls:
            context, self.ca_file = make_server_context(self.options.host, self.options.ca_file)
        try:
            for region, workspace in self.options.workspaces.items():
                # a v1 path names a person: it belongs in no access log
                server = web.Server(_Handler(self, region), handler_cancellation=True, access_log=None)
                runner = web.ServerRunner(server, shutdown_timeout=0.1)
                await runner.setup()
                self._runners.append(runner)
                site = web.TCPSite(runner, self.options.host, workspace.port, ssl_context=context)
                await self._listen(site, region, workspace.port)
                self._ports[region] = runner.addresses[0][1]
        except BaseException:
            await self._close()
            raise
        for fault in self.options.faults:
            self.inject(fault)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def _listen(self, site: web.TCPSite, region: str, port: int) -> None:
        try:
            await site.start()
        except OSError as error:
            where = f"{self.options.host}:{port} for region {region}"
            if error.errno == errno.EADDRINUSE:
                fix = "Choose another port, or 0 for any that is free"
                raise ConfigurationError(f"cannot listen on {where}: the port is in use", fix) from None
            raise ConfigurationError(f"cannot listen on {where}: {error.strerror or error}") from None

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        self._runners = []
        if self.ca_file is not None and self.options.ca_file is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.ca_file)


class _Handler:
    """Answers the requests to one region's host."""

    def __init__(self, simulator: Simulator, region: str) -> None:
        self._simulator = simulator
        self._region = region
        self._api = TrackAPI(
            simulator.options.workspaces,
            simulator.workspaces,
            simulator.violations,
            strict=simulator.options.strict,
        )

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        body = await _read(request)
        now = time.monotonic()
        if path.startswith("/simulator/"):
            return _response(admin.answer(self._simulator, request.method, path, request.query, body, now))
        counts = self._simulator.workspaces[self._region].counts
        counts.requests += 1
        plan = self._simulator.faults.plan(self._region, path, now, body)
        fault = plan.fault
        if fault is not None:
            counts.requests_faulted += 1
        reply = Reply(200)
        if fault is None or fault.applied:
            reply = self._api.answer(self._request(request, path, body), now, plan.rejects)
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        return _response(reply) if fault is None else await _spoil(request, fault, reply)

    def _request(self, request: web.BaseRequest, path: str, body: bytes) -> Request:
        headers = request.headers
        return Request(
            self._region,
            request.method,
            path,
            headers.get("Authorization", ""),
            headers.get("Content-Type", ""),
            body,
            # under the name by which this client reaches us: in another container it is not ours
            lambda region: self._simulator.url(region, request.url.host),
        )


async def _read(request: web.BaseRequest) -> bytes:
    """The body; of one that is far too large as much as shows that."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limits.BODY_BYTES_READ:
            break
    return bytes(body)


def _response(reply: Reply) -> web.Response:
    return web.Response(
        status=reply.status, body=reply.body, headers=reply.headers, content_type="application/json"
    )


async def _spoil(request: web.BaseRequest, fault: Fault, reply: Reply) -> web.StreamResponse:
    match fault.kind:
        case FaultKind.STATUS:
            return _response(Reply(fault.status or 500, _FAULT_BODY, _retry_after(fault)))
        case FaultKind.REDIRECT:
            return _response(Reply(fault.status or 308, b"", {"Location": fault.location or ""}))
        case FaultKind.GARBAGE:
            return web.Response(body=b"<html>not what you expected", content_type="text/html")
        case FaultKind.TRUNCATE:
            return await _truncate(request, reply)
        case FaultKind.HANG if fault.delay_seconds is None:
            # the handler is cancelled when the client gives up
            await asyncio.Event().wait()
        case FaultKind.HANG:
            await asyncio.sleep(fault.delay_seconds or 0.0)
            if not fault.applied:
                return _response(Reply(504, _FAULT_BODY))
        case FaultKind.RESET:
            _reset(request)
    return _response(reply)


_FAULT_BODY = b'{"meta":{"error":"injected fault"}}'


def _retry_after(fault: Fault) -> dict[str, str]:
    seconds = fault.retry_after_seconds
    if seconds is None:
        return {}
    if fault.retry_after_date:
        return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
    return {"Retry-After": f"{seconds:g}"}


async def _truncate(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(
        status=reply.status,
        headers={"Content-Type": "application/json", "Content-Length": str(len(reply.body) + 100)},
    )
    await response.prepare(request)
    await response.write(reply.body[:-1])
    if request.transport is not None:
        request.transport.close()
    return response


def _reset(request: web.BaseRequest) -> None:
    """Close so that the client sees a reset instead of an orderly end."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # by a copy: the event loop's own handle does not allow it in every implementation
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
