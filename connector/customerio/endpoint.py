"""Where a region is and how it is reached."""

from collections.abc import Callable

import httpx
import msgspec

from connector.errors import ConfigurationError

Credentials = tuple[str, str]
"""(Site ID, API key)."""


class RegionEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One region of Customer.io, or of something that speaks like it."""

    name: str
    """The region's name in the settings, such as `us`."""
    url: str
    """The base that every request of the region starts from, such as `https://track-eu.customer.io`."""
    credentials: Callable[[], Credentials]
    """Reads the credentials. Called at the start, and again after they were refused, since a secret file may
    have changed. Raises ConnectorError or OSError where a file cannot be read."""
    ca_file: str | None = None
    """Certificates to trust instead of the usual ones, PEM."""
    verify_tls: bool = True
    proxy: str | None = None
    """`http://` or `https://` URL of a proxy, with credentials if it wants some. None: what `HTTPS_PROXY`,
    `HTTP_PROXY` and `NO_PROXY` say. Empty: no proxy, whatever they say."""

    def __repr__(self) -> str:
        # The proxy's URL may hold a password.
        return f"RegionEndpoint({self.name!r})"


def base_url(endpoint: RegionEndpoint) -> str:
    """The region's URL without a trailing slash. Raises ConfigurationError where it is none."""
    try:
        url = httpx.URL(endpoint.url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"regions.{endpoint.name}.url is not an http or https URL",
            "Set it to https://track.customer.io, or https://track-eu.customer.io for the EU",
        )
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(
            f"regions.{endpoint.name}.url holds more than scheme, host and path",
            f"Put credentials into regions.{endpoint.name}.site_id and .api_key",
        )
    return str(url).rstrip("/")
