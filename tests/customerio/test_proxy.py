"""Requests through a proxy, over real sockets."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from connector.core.answers import Accepted, Unavailable
from connector.customerio.proxy import proxy_of
from connector.errors import ConfigurationError
from tests.customerio.conftest import Certificate, ClientMaker, EndpointMaker
from tests.customerio.misbehaving_server import Received, answering, http, read_request, serving
from tests.customerio.sends import a_send

# httpx-aiohttp hands the proxy's credentials to aiohttp in a way that aiohttp means to drop in version 4.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:httpx_aiohttp")


@dataclass
class Proxy:
    refuse: bool
    port: int = 0
    asked: list[Received] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """CONNECT becomes a tunnel; anything else is answered as if it had been passed on."""
        request = await read_request(reader)
        self.asked.append(request)
        if self.refuse or request.method != "CONNECT":
            writer.write(http(407 if self.refuse else 200, Connection="close"))
        else:
            host, _, port = request.target.partition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def proxying(refuse: bool = False) -> AsyncIterator[Proxy]:
    proxy = Proxy(refuse)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()


@pytest.mark.anyio
async def test_https_goes_through_a_tunnel_with_the_proxys_credentials(
    client: ClientMaker, certificate: Certificate
) -> None:
    async with proxying() as proxy, serving(answering(http(200)), tls=certificate.server_tls) as server:
        url = f"http://user:secret@127.0.0.1:{proxy.port}"
        async with client(server.url, proxy=url, ca_file=str(certificate.file)) as region:
            assert await region.send(a_send()) == Accepted()
            assert await region.send(a_send()) == Accepted()
    (asked,) = proxy.asked
    assert (asked.method, asked.target) == ("CONNECT", f"localhost:{server.port}")
    assert asked.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:secret').decode()}"
    # Ours stay within the tunnel, the proxy's outside.
    assert "authorization" not in asked.headers
    assert all("proxy-authorization" not in request.headers for request in server.requests)


@pytest.mark.anyio
async def test_http_is_handed_to_the_proxy_with_the_whole_url(client: ClientMaker) -> None:
    async with (
        proxying() as proxy,
        client("http://track.invalid", proxy=f"http://user:secret@127.0.0.1:{proxy.port}") as region,
    ):
        assert await region.send(a_send()) == Accepted()
    (asked,) = proxy.asked
    assert asked.target == "http://track.invalid/api/v2/batch"
    assert asked.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'user:secret').decode()}"


@pytest.mark.anyio
async def test_a_proxy_that_refuses_is_named(client: ClientMaker) -> None:
    async with (
        proxying(refuse=True) as proxy,
        client("https://track.invalid", proxy=f"http://user:secret@127.0.0.1:{proxy.port}") as region,
    ):
        result = await region.send(a_send())
    assert result == Unavailable("connect", detail="the proxy answered 407")


@pytest.mark.anyio
async def test_a_proxy_that_is_down_is_named(client: ClientMaker) -> None:
    async with client("https://track.invalid", proxy="http://user:secret@127.0.0.1:1") as region:
        result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.detail == "cannot connect to the proxy 127.0.0.1:1 (connection refused)"


@pytest.mark.parametrize(
    "url", ["socks5://localhost:1", "localhost:3128", "http://", "http://host:port", "ftp://x"]
)
def test_what_is_no_http_proxy_is_a_configuration_error(endpoint: EndpointMaker, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"http\.proxy"):
        proxy_of(endpoint("https://track.customer.io", proxy=url))


def test_without_a_setting_the_environment_decides(
    endpoint: EndpointMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    us, eu = endpoint("https://track.customer.io"), endpoint("https://track-eu.customer.io")
    assert proxy_of(us) is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "track-eu.customer.io")
    found = proxy_of(us)
    assert found is not None
    assert str(found.url) == "http://proxy.example.com:3128"
    assert proxy_of(eu) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_the_environments_proxy_is_not_asked_for_this_machine(
    endpoint: EndpointMaker, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert proxy_of(endpoint(f"http://{host}:9001")) is None
    assert proxy_of(endpoint("http://stand-in:9001")) is not None


def test_an_empty_setting_means_no_proxy(endpoint: EndpointMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert proxy_of(endpoint("https://track.customer.io", proxy="")) is None
