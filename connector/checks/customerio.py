"""Customer.io, region by region: whether it answers, takes the credentials, and keeps the data where it is told to."""

import time

from connector.checks.deadline import Deadline
from connector.checks.result import Check, fail, failed, ok, skip, warn
from connector.customerio.account_region import AccountRegion, account_region, require_configured_region
from connector.customerio.connections import tls_context
from connector.customerio.endpoint import RegionEndpoint, base_url
from connector.customerio.proxy import proxy_of
from connector.errors import ConfigurationError, ConnectorError, ExitCode, PermissionRefusedError

ANSWER_SECONDS = 10.0
SKEW_SECONDS_MAX = 60.0


async def check_region(endpoint: RegionEndpoint, deadline: Deadline) -> list[Check]:
    """Reachable, credentials, the workspace's region, the clock. Sends no data."""
    name = endpoint.name
    try:
        _check_settings(endpoint)
    except ConfigurationError as error:
        return [fail("region", name, error.what, error.fix, ExitCode.USAGE), *_unusable(name)]
    try:
        account = await account_region(endpoint, deadline.seconds(ANSWER_SECONDS))
    except PermissionRefusedError as error:
        refused = failed("credentials", name, error)
        return [_reachable(endpoint), refused, skip("workspace", name, "since the credentials are refused")]
    except ConnectorError as error:
        return [failed("region", name, error), *_unusable(name)]
    return [
        _reachable(endpoint),
        ok("credentials", name, "Customer.io accepts them"),
        _workspace(endpoint, account),
        *_clock(name, account),
    ]


def _check_settings(endpoint: RegionEndpoint) -> None:
    """Raises ConfigurationError for what is wrong without asking anybody."""
    base_url(endpoint)
    tls_context(endpoint)
    proxy_of(endpoint)


def _reachable(endpoint: RegionEndpoint) -> Check:
    return ok("region", endpoint.name, f"{endpoint.url} answers")


def _unusable(name: str) -> list[Check]:
    return [skip(check, name, "since the region cannot be used") for check in ("credentials", "workspace")]


def _workspace(endpoint: RegionEndpoint, account: AccountRegion) -> Check:
    try:
        require_configured_region(endpoint, account)
    except ConfigurationError as error:
        return failed("workspace", endpoint.name, error)
    number = "" if account.environment_id is None else f" {account.environment_id}"
    return ok("workspace", endpoint.name, f"workspace{number} is in {account.region.upper()}, as configured")


def _clock(name: str, account: AccountRegion) -> list[Check]:
    """Says nothing where the clocks agree."""
    if account.answered_at is None:
        return []
    ahead_seconds = time.time() - account.answered_at
    if abs(ahead_seconds) <= SKEW_SECONDS_MAX:
        return []
    way = "ahead of" if ahead_seconds > 0 else "behind"
    told = f"this machine's clock is {abs(ahead_seconds):.0f} s {way} Customer.io's"
    return [
        warn("clock", name, told, "Let it be set by NTP: events without a time of their own go by clocks")
    ]
