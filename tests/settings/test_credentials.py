from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.settings.credentials import read_credentials
from connector.settings.model import RegionSettings
from connector.settings.secret import Secret


def test_given_credentials_are_taken():
    credentials = read_credentials("us", RegionSettings(site_id="s", api_key=Secret("k")))
    assert (credentials.site_id, credentials.api_key.reveal()) == ("s", "k")


def test_file_is_read_without_the_line_end_and_anew_each_time():
    Path("key").write_text("first\n")
    region = RegionSettings(site_id="s", api_key_file="key")
    assert read_credentials("us", region).api_key.reveal() == "first"
    Path("key").write_text("second\n")
    assert read_credentials("us", region).api_key.reveal() == "second"


def test_site_id_may_be_in_a_file_too():
    Path("site").write_text("abc\n")
    assert read_credentials("us", RegionSettings(site_id_file="site", api_key=Secret("k"))).site_id == "abc"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "regions.us.api_key_file: is empty"),
        (b"\n \n", "regions.us.api_key_file: is empty"),
        (b"planted one", "holds spaces or characters that no credential has"),
        (b"planted\none", "holds spaces or characters that no credential has"),
        ("plantéd".encode(), "holds spaces or characters that no credential has"),
        (b"planted\xff", "regions.us.api_key_file: key is not text"),
        (b"planted" * 1000, "regions.us.api_key_file: key is too large for a credential"),
    ],
)
def test_file_that_holds_no_credential_is_one_clear_line(content: bytes, message: str):
    Path("key").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_credentials("us", RegionSettings(site_id="s", api_key_file="key"))
    assert message in str(caught.value)
    assert "plant" not in str(caught.value)


def test_missing_credential_is_named():
    with pytest.raises(ConfigurationError, match=r"^regions\.us\.site_id: is missing"):
        read_credentials("us", RegionSettings(api_key=Secret("k")))
