"""What every request to Customer.io carries besides its body."""

from base64 import b64encode

import httpx

from connector import __version__
from connector.customerio.endpoint import Credentials


def request_headers(credentials: Credentials) -> httpx.Headers:
    """HTTP Basic with the Site ID as user and the API key as password."""
    site_id, api_key = credentials
    token = b64encode(f"{site_id}:{api_key}".encode()).decode("ascii")
    return httpx.Headers(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Basic {token}",
            "Content-Type": "application/json",
            "User-Agent": f"cio-connector/{__version__}",
        }
    )
