"""Asks Customer.io where a workspace's data is, to compare it with the settings."""

import asyncio
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from connector.core.options import DeliveryOptions
from connector.customerio.connections import Attempt, Connections, Reply, tls_context
from connector.customerio.endpoint import RegionEndpoint, base_url
from connector.customerio.failures import unavailable
from connector.customerio.proxy import proxy_of
from connector.customerio.request_headers import request_headers
from connector.errors import ConfigurationError, PermissionRefusedError, UnavailableError

PATH = "/api/v1/accounts/region"
KNOWN_REGIONS = ("us", "eu")


class AccountRegion(msgspec.Struct, frozen=True):
    """What `GET /api/v1/accounts/region` says of the credentials. Either region's host answers for both."""

    region: str
    """`us` or `eu`."""
    url: str
    """The Track API's base for this workspace."""
    environment_id: int | None = None
    """The workspace."""
    answered_at: float | None = None
    """Customer.io's clock as it answered, in whole Unix seconds; None where it did not say."""


class _Answer(msgspec.Struct):
    url: str
    region: str | None = None
    # What older answers call it.
    data_center: str | None = None
    environment_id: int | None = None


async def account_region(endpoint: RegionEndpoint, timeout_seconds: float = 10.0) -> AccountRegion:
    """The workspace that the endpoint's credentials belong to.

    Raises PermissionRefusedError for refused credentials, UnavailableError where Customer.io cannot be
    reached now, ConfigurationError where something else answers.
    """
    reply = await _get(endpoint, timeout_seconds)
    where = f"regions.{endpoint.name}.url {base_url(endpoint)}"
    if reply.status in (401, 403):
        raise PermissionRefusedError(
            f"Customer.io refuses the credentials of region {endpoint.name} (HTTP {reply.status})",
            f"Set regions.{endpoint.name}.site_id and .api_key to the Site ID and Track API key of a workspace",
        )
    if reply.status in (408, 429) or reply.status >= 500:
        raise UnavailableError(f"{where} answers HTTP {reply.status}", "Try again later")
    answer = _readable(reply)
    region = answer and (answer.region or answer.data_center)
    if answer is None or not region:
        raise ConfigurationError(
            f"{where} answers HTTP {reply.status} to {PATH}, and not as Customer.io does", "Correct the URL"
        )
    return AccountRegion(region.lower(), answer.url, answer.environment_id, _date(reply))


def require_configured_region(endpoint: RegionEndpoint, account: AccountRegion) -> None:
    """Raises ConfigurationError where the workspace lives elsewhere than the endpoint says.

    Judged by the host where it is one of Customer.io's, elsewhere (a proxy, a stand-in) by the region's name.
    """
    url, home_url = httpx.URL(endpoint.url), httpx.URL(account.url)
    host, home = url.host, home_url.host
    if host.endswith(".customer.io"):
        wrong = host != home
    else:
        wrong = endpoint.name.lower() in KNOWN_REGIONS and endpoint.name.lower() != account.region
    if wrong and (url.scheme, host, url.port) == (home_url.scheme, home, home_url.port):
        raise ConfigurationError(
            f"the workspace of region {endpoint.name} is in {account.region.upper()}, where its url points",
            f"Call the region {account.region} (regions.{account.region}), or use the credentials and the url of a "
            f"{endpoint.name.upper()} workspace",
        )
    if wrong:
        raise ConfigurationError(
            f"the workspace of region {endpoint.name} is in {account.region.upper()}, "
            f"not where regions.{endpoint.name}.url points: {base_url(endpoint)}",
            f"Set it to {account.url}, or use the credentials of a workspace that is there",
        )


def _readable(reply: Reply) -> _Answer | None:
    if reply.status != 200:
        return None
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
        return answer if httpx.URL(answer.url).host else None
    except (msgspec.DecodeError, RecursionError, ValueError, httpx.InvalidURL):
        return None


def _date(reply: Reply) -> float | None:
    try:
        return parsedate_to_datetime(reply.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None


async def _get(endpoint: RegionEndpoint, timeout_seconds: float) -> Reply:
    request = httpx.Request("GET", base_url(endpoint) + PATH, headers=request_headers(endpoint.credentials()))
    connections = Connections(tls_context(endpoint), proxy_of(endpoint), DeliveryOptions())
    attempt = Attempt()
    deadline = asyncio.timeout(timeout_seconds)
    try:
        async with deadline:
            return await connections.exchange(request, timeout_seconds, attempt)
    except Exception as error:
        why = "no answer in time" if deadline.expired() else unavailable(error, attempt).detail
        raise UnavailableError(
            f"region {endpoint.name} cannot be reached: {why}",
            f"Check regions.{endpoint.name}.url and the way there: name service, firewall, http.proxy",
        ) from error
    finally:
        await connections.aclose()
