"""Who is trusted, over real TLS connections."""

import asyncio
from pathlib import Path

import pytest

from connector.core.answers import Accepted, Unavailable
from connector.customerio.account_region import account_region
from connector.errors import ConfigurationError, UnavailableError
from tests.customerio.conftest import Certificate, ClientMaker, EndpointMaker, make_certificate
from tests.customerio.misbehaving_server import answering, http, serving
from tests.customerio.sends import a_send

pytestmark = pytest.mark.anyio


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_setting_named(
    client: ClientMaker, certificate: Certificate
) -> None:
    async with (
        serving(answering(http(200)), tls=certificate.server_tls) as server,
        client(server.url) as region,
    ):
        result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.kind == "connect"
    assert "localhost" in result.detail
    assert "self-signed certificate" in result.detail
    assert "http.ca_file" in result.detail
    assert server.requests == []


async def test_check_sends_it_no_credentials_either(
    endpoint: EndpointMaker, certificate: Certificate
) -> None:
    async with serving(answering(http(200)), tls=certificate.server_tls) as server:
        with pytest.raises(UnavailableError, match="self-signed certificate"):
            await account_region(endpoint(server.url))
    assert server.requests == []


async def test_ca_file_makes_it_trusted(client: ClientMaker, certificate: Certificate) -> None:
    async with (
        serving(answering(http(200)), tls=certificate.server_tls) as server,
        client(server.url, ca_file=str(certificate.file)) as region,
    ):
        assert await region.send(a_send()) == Accepted()
        assert await region.send(a_send(b"x" * 499_999)) == Accepted()
    assert server.connections == 1


async def test_verification_can_be_switched_off_by_name(
    client: ClientMaker, certificate: Certificate
) -> None:
    async with (
        serving(answering(http(200)), tls=certificate.server_tls) as server,
        client(server.url, verify_tls=False) as region,
    ):
        assert await region.send(a_send()) == Accepted()


async def test_a_certificate_for_another_host_is_refused(client: ClientMaker, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "track.example.com")
    async with (
        serving(answering(http(200)), tls=other.server_tls) as server,
        client(server.url, ca_file=str(other.file)) as region,
    ):
        result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.kind == "connect"
    assert "mismatch" in result.detail
    assert server.requests == []


async def test_a_server_that_speaks_no_tls_is_told(client: ClientMaker) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        async with client(f"https://localhost:{port}") as region:
            result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.kind == "connect"
    assert result.detail.startswith("TLS with localhost:")


@pytest.mark.parametrize("content", [None, b"not a certificate"])
async def test_a_ca_file_without_certificates_is_a_configuration_error(
    client: ClientMaker, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"http\.ca_file"):
        async with client("https://localhost:1", ca_file=str(file)):
            pass
