import base64
import json

import pytest

from connector.customerio.account_region import AccountRegion, account_region, require_configured_region
from connector.errors import ConfigurationError, PermissionRefusedError, UnavailableError
from tests.customerio.conftest import API_KEY, SITE_ID, EndpointMaker
from tests.customerio.misbehaving_server import answering, hang, http, serving

EU = AccountRegion("eu", "https://track-eu.customer.io", 3)
US = AccountRegion("us", "https://track.customer.io", 3)


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["region", "data_center"])
async def test_the_region_of_the_credentials_is_asked_for(endpoint: EndpointMaker, name: str) -> None:
    body = json.dumps({"url": "https://track-eu.customer.io", name: "EU", "environment_id": 3}).encode()
    async with serving(answering(http(200, body))) as server:
        assert await account_region(endpoint(server.url)) == EU
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/api/v1/accounts/region")
    token = base64.b64encode(f"{SITE_ID}:{API_KEY}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {token}"


@pytest.mark.anyio
@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_told_with_the_settings_to_mend(
    endpoint: EndpointMaker, status: int
) -> None:
    async with serving(answering(http(status))) as server:
        with pytest.raises(PermissionRefusedError, match=r"regions\.us\.site_id") as raised:
            await account_region(endpoint(server.url))
    assert API_KEY not in str(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_unavailable_customer_io_is_told(endpoint: EndpointMaker, status: int) -> None:
    async with serving(answering(http(status))) as server:
        with pytest.raises(UnavailableError, match=str(status)):
            await account_region(endpoint(server.url))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "raw",
    [
        http(200, b"<html>"),
        http(200, b"{}"),
        http(200, b'{"url": 3}'),
        http(200, b'{"url": "https://host:port", "region": "us"}'),
        http(200, b'{"url": "nowhere", "region": "us"}'),
        http(200, b'{"url": "https://track.customer.io"}'),
        http(200, b"[" * 100_000),
        http(404),
        http(301, Location="https://example.com"),
    ],
)
async def test_something_else_at_the_url_is_told(endpoint: EndpointMaker, raw: bytes) -> None:
    async with serving(answering(raw)) as server:
        with pytest.raises(ConfigurationError, match=r"regions\.us\.url"):
            await account_region(endpoint(server.url))


@pytest.mark.anyio
async def test_an_unreachable_host_is_told(endpoint: EndpointMaker) -> None:
    with pytest.raises(UnavailableError, match=r"cannot resolve track\.invalid"):
        await account_region(endpoint("https://track.invalid"))


@pytest.mark.anyio
async def test_a_silent_host_is_told(endpoint: EndpointMaker) -> None:
    async with serving(hang) as server:
        with pytest.raises(UnavailableError, match="no answer in time"):
            await account_region(endpoint(server.url), timeout_seconds=0.2)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url", ["", "track.customer.io", "ftp://track.customer.io", "https://", "https://host:port"]
)
async def test_a_url_that_is_none_is_a_configuration_error(endpoint: EndpointMaker, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"regions\.us\.url"):
        await account_region(endpoint(url))


@pytest.mark.anyio
async def test_credentials_within_the_url_are_refused_and_not_shown(endpoint: EndpointMaker) -> None:
    with pytest.raises(ConfigurationError) as raised:
        await account_region(endpoint("https://me:secret@track.customer.io"))
    assert "secret" not in str(raised.value)


def test_the_configured_region_is_accepted(endpoint: EndpointMaker) -> None:
    require_configured_region(endpoint("https://track-eu.customer.io/", name="europe"), EU)
    require_configured_region(endpoint("http://localhost:9002", name="eu"), EU)
    require_configured_region(endpoint("http://localhost:9002", name="brand-two"), EU)


def test_a_workspace_and_a_url_of_the_other_region_are_told_to_be_that_region(
    endpoint: EndpointMaker,
) -> None:
    account = AccountRegion("eu", "http://localhost:9002/", 3)
    with pytest.raises(ConfigurationError, match=r"is in EU, where its url points\. Call the region eu \("):
        require_configured_region(endpoint("http://localhost:9002", name="us"), account)


def test_a_workspace_of_the_other_region_is_told_with_the_right_url(endpoint: EndpointMaker) -> None:
    with pytest.raises(ConfigurationError, match=r"is in EU.*Set it to https://track-eu\.customer\.io"):
        require_configured_region(endpoint("https://track.customer.io"), EU)
    with pytest.raises(ConfigurationError, match="is in US"):
        require_configured_region(endpoint("http://localhost:9002", name="eu"), US)
