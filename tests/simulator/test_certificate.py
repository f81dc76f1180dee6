"""https with a certificate made on the spot."""

import ssl
from pathlib import Path

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.simulator import Fault, FaultKind, SimulatorOptions, run_in_thread
from tests.simulator.conftest import US


def test_clients_that_trust_the_authority_are_served() -> None:
    with run_in_thread(SimulatorOptions(tls=True)) as simulator:
        assert simulator.ca_file is not None
        trusting = ssl.create_default_context(cafile=simulator.ca_file)
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        with httpx.Client(verify=trusting, auth=US) as client:
            for host in ("127.0.0.1", "localhost"):
                url = f"https://{host}:{simulator.port('us')}"
                answer = client.get(f"{url}/api/v1/accounts/region")
                assert answer.json()["url"] == url
            simulator.inject(Fault(kind=FaultKind.RESET))
            # OpenSSL may report the reset as the end of the stream
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                client.get(f"{simulator.url('us')}/api/v1/accounts/region")
    assert not Path(simulator.ca_file).exists()


def test_clients_that_do_not_trust_it_refuse() -> None:
    with (
        run_in_thread(SimulatorOptions(tls=True)) as simulator,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        httpx.get(simulator.url("us"))


def test_an_authority_that_cannot_be_written_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "ca.pem")
    with (
        pytest.raises(ConfigurationError, match=missing),
        run_in_thread(SimulatorOptions(tls=True, ca_file=missing)),
    ):
        pass


def test_the_authority_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    wanted = tmp_path / "ca.pem"
    with run_in_thread(SimulatorOptions(tls=True, ca_file=str(wanted))) as simulator:
        assert simulator.ca_file == str(wanted)
    text = wanted.read_text()
    assert "BEGIN CERTIFICATE" in text
    assert "PRIVATE KEY" not in text
