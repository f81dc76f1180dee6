"""How the settings say that a region is reached."""

from pathlib import Path

import pytest

from connector.pipeline.region_endpoint import region_endpoint
from connector.settings.load import load_settings


@pytest.mark.parametrize(
    ("http", "verified"), [("{}", True), ("{ca_file: /ca.pem}", True), ("{verify_tls: false}", False)]
)
def test_certificates_are_verified_unless_that_is_switched_off_by_name(
    tmp_path: Path, http: str, verified: bool
) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text(f"regions: {{us: {{site_id: a, api_key: b}}}}\nhttp: {http}\n")
    settings = load_settings(str(file), {}, needs=())
    assert region_endpoint(settings, "us").verify_tls is verified
