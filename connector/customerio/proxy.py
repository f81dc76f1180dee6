"""Which proxy the requests of a region go through."""

import ipaddress
from urllib.request import getproxies, proxy_bypass

import httpx

from connector.customerio.endpoint import RegionEndpoint
from connector.errors import ConfigurationError


def proxy_of(endpoint: RegionEndpoint) -> httpx.Proxy | None:
    """The configured one, else the environment's. Raises ConfigurationError where it is no proxy's URL."""
    configured = endpoint.proxy
    if configured is None:
        configured, origin = _environment_proxy(httpx.URL(endpoint.url)), "HTTPS_PROXY or HTTP_PROXY"
    else:
        origin = "http.proxy"
    if not configured:
        return None
    try:
        proxy = httpx.Proxy(configured)
    except (httpx.InvalidURL, ValueError):
        proxy = None
    if proxy is None or proxy.url.scheme not in ("http", "https") or not proxy.url.host:
        raise ConfigurationError(
            f"{origin} is not an http or https URL", "Write it as http://proxy.example.com:3128"
        )
    return proxy


def _environment_proxy(url: httpx.URL) -> str | None:
    if _is_loopback(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxy = getproxies().get(url.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _is_loopback(host: str) -> bool:
    """The machine itself is never reached through a proxy of the environment, as in Go's clients."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
