import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.core.options import DeliveryOptions
from connector.customerio.endpoint import RegionEndpoint
from connector.customerio.region_client import RegionClient

SITE_ID = "site-1234"
API_KEY = "key-5678"

EndpointMaker = Callable[..., RegionEndpoint]
ClientMaker = Callable[..., AbstractAsyncContextManager[RegionClient]]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(autouse=True)
def _no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def endpoint() -> EndpointMaker:
    def make(url: str, **more: object) -> RegionEndpoint:
        given = {"name": "us", "url": url, "credentials": lambda: (SITE_ID, API_KEY), **more}
        return RegionEndpoint(**given)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(endpoint: EndpointMaker) -> ClientMaker:
    @contextlib.asynccontextmanager
    async def make(
        url: str, options: DeliveryOptions | None = None, **more: object
    ) -> AsyncIterator[RegionClient]:
        made = RegionClient(endpoint(url, **more), options or DeliveryOptions())
        try:
            yield made
        finally:
            await made.aclose()

    return make


@dataclass
class Certificate:
    """A self-signed certificate for localhost."""

    file: Path
    server_tls: ssl.SSLContext


def make_certificate(folder: Path, host: str = "localhost") -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(host), *([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / f"{host}.pem", folder / f"{host}.key"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key_file)
    return Certificate(file, tls)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)
