"""A stand-in without sockets, and one with."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from connector.simulator import Simulator, SimulatorOptions, Workspace, run_in_thread
from connector.simulator.options import DEFAULT_WORKSPACES
from connector.simulator.track_api import Reply, Request, TrackAPI
from connector.simulator.violations import Violations

US = ("us-site", "us-key")
EU = ("eu-site", "eu-key")


class SocketlessAPI:
    """The Track API with its workspaces, asked directly."""

    def __init__(self, *, strict: bool = True) -> None:
        self.workspaces = {
            region: Workspace(region, remember_attributes=True) for region in DEFAULT_WORKSPACES
        }
        self.violations = Violations()
        self.api = TrackAPI(DEFAULT_WORKSPACES, self.workspaces, self.violations, strict=strict)

    @property
    def us(self) -> Workspace:
        return self.workspaces["us"]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        host: str = "us",
        auth: tuple[str, str] = US,
        content_type: str = "application/json",
        rejects: Callable[[], bool] | None = None,
    ) -> Reply:
        authorization = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        request = Request(
            host,
            method,
            path,
            authorization,
            content_type,
            content,
            lambda region: f"http://{region}.example",
        )
        return self.api.answer(request, 1.0, rejects)

    def batch(self, *items: Any, **options: Any) -> Reply:
        return self.ask("POST", "/api/v2/batch", {"batch": list(items)}, **options)


@pytest.fixture
def track() -> SocketlessAPI:
    return SocketlessAPI()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with run_in_thread(SimulatorOptions(remember_attributes=True)) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    """Speaks to the US host with the US workspace's credentials."""
    with httpx.Client(base_url=simulator.url("us"), auth=US, timeout=20) as speaking:
        yield speaking
