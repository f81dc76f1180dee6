"""A region's address in OpenTelemetry's words."""

from typing import NamedTuple
from urllib.parse import urlsplit

from opentelemetry.util.types import AttributeValue


class Endpoint(NamedTuple):
    """Where a region's requests go."""

    base_url: str
    """Without credentials, query or a slash at its end."""
    attributes: dict[str, AttributeValue]
    """`server.address` and `server.port`."""


UNKNOWN = Endpoint("", {})
"""Of a region whose address was not told."""


def endpoint(url: str) -> Endpoint:
    """Reads a region's base URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        place += f":{parts.port}"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Endpoint(
        f"{parts.scheme}://{place}{parts.path.rstrip('/')}", {"server.address": host, "server.port": port}
    )
