"""How the settings say that a region is reached."""

from connector.customerio.endpoint import RegionEndpoint
from connector.settings.credentials import read_credentials
from connector.settings.model import Settings


def region_endpoint(settings: Settings, name: str) -> RegionEndpoint:
    """Its URL, its credentials (files are read anew each time they are asked for), and the way there."""
    region, http = settings.regions[name], settings.http

    def credentials() -> tuple[str, str]:
        read = read_credentials(name, region)
        return read.site_id, read.api_key.reveal()

    return RegionEndpoint(
        name=name,
        url=region.url,
        credentials=credentials,
        ca_file=http.ca_file,
        verify_tls=http.verify_tls,
        proxy=None if http.proxy is None else http.proxy.reveal(),
    )
