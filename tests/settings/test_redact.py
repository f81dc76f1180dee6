import json
import pickle
import pprint

import msgspec
import pytest
import yaml

from connector.settings.load import load_settings
from connector.settings.properties import Properties, holds_secret, redacted_url
from connector.settings.redact import redacted
from connector.settings.secret import Secret
from tests.settings.configuration import loaded

PLANTED = """
regions:
  us: {api_key: planted-1}
http: {proxy: "http://user:planted-2@proxy:3128"}
kafka:
  properties:
    sasl.password: planted-3
    ssl.key.pem: planted-4
    sasl.oauthbearer.config: planted-5
    sasl.passwrd: planted-6
    ssl.ca.location: /shown
    sasl.username: shown
dead_letters: {properties: {ssl.key.password: planted-7}}
"""


def test_secrets_are_replaced_and_the_rest_is_shown():
    shown = redacted(loaded(PLANTED, CIO_REGIONS__US__API_KEY=""))
    assert shown["regions"]["us"] == {
        "site_id": "us-site",
        "api_key": "***",
        "site_id_file": None,
        "api_key_file": None,
        "url": "https://track.customer.io",
    }
    assert shown["http"]["proxy"] == "http://***@proxy:3128"
    assert shown["kafka"]["properties"] == {
        "sasl.password": "***",
        "ssl.key.pem": "***",
        "sasl.oauthbearer.config": "***",
        "sasl.passwrd": "***",
        "ssl.ca.location": "/shown",
        "sasl.username": "shown",
    }
    assert "planted" not in json.dumps(shown)


def test_no_way_of_printing_settings_shows_a_secret():
    settings = loaded(PLANTED, CIO_REGIONS__US__API_KEY="")
    for text in (
        repr(settings),
        str(settings),
        f"{settings}",
        pprint.pformat(settings),
        f"{settings.regions}",
    ):
        assert "planted" not in text


def test_settings_with_a_secret_cannot_be_encoded_by_accident():
    with pytest.raises(TypeError):
        msgspec.json.encode(loaded())


def test_shown_settings_are_plain_data_that_loads_again(tmp_path):
    settings = loaded("routing: {rules: [{region: eu, attribute: country, values: [DE]}]}")
    file = tmp_path / "shown.yaml"
    file.write_text(yaml.safe_dump(redacted(settings), sort_keys=False))
    again = load_settings(file, {})
    assert again.routing == settings.routing
    assert again.kafka == settings.kafka


def test_secret_shows_only_when_asked():
    secret = Secret("planted")
    assert "planted" not in f"{secret} {secret!r} {secret:>20} {[secret]} {(secret,)!s}"
    assert secret.reveal() == "planted"
    assert secret == Secret("planted")
    assert secret != "planted"
    assert len({secret, Secret("planted"), Secret("")}) == 2
    assert not Secret("")
    assert pickle.loads(pickle.dumps(secret)) == secret


@pytest.mark.parametrize(
    "name",
    [
        "sasl.password",
        "SASL.Password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "sasl.jaas.config",
        "ssl.something.new",
        "my.token",
        "basic.auth.credentials",
    ],
)
def test_property_that_holds_a_secret(name: str):
    assert holds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "security.protocol",
        "sasl.mechanisms",
        "sasl.username",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.key.location",
        "ssl.keystore.location",
        "sasl.oauthbearer.token.endpoint.url",
        "client.id",
        "session.timeout.ms",
    ],
)
def test_property_that_may_be_shown(name: str):
    assert not holds_secret(name)


def test_credentials_inside_a_url_are_hidden():
    properties = Properties({"sasl.oauthbearer.token.endpoint.url": "https://me:planted@host/path"})
    assert properties.redacted() == {"sasl.oauthbearer.token.endpoint.url": "https://***@host/path"}
    assert "planted" not in repr(properties)


@pytest.mark.parametrize(
    "password", ["p@planted", "planted@p@planted", "planted planted", "planted?planted", "planted#p"]
)
def test_whatever_a_password_in_a_url_holds_is_hidden(password: str):
    assert redacted_url(f"http://user:{password}@proxy:3128") == "http://***@proxy:3128"
    two = f"http://user:{password}@one/path,http://user:{password}@two/a@b"
    assert redacted_url(two) == "http://***@one/path,http://***@two/a@b"
