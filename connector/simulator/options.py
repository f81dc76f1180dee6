"""What a person may choose about the stand-in."""

import msgspec

from connector.simulator.faults import Fault


class WorkspaceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One workspace and the regional host that serves it."""

    site_id: str
    api_key: str
    port: int = 0
    """0: any free port."""
    environment_id: int = 1
    """The workspace's number, as `accounts/region` answers it."""

    def __repr__(self) -> str:
        return f"WorkspaceOptions(site_id={self.site_id!r}, api_key='***', port={self.port})"


DEFAULT_WORKSPACES = {
    "us": WorkspaceOptions(site_id="us-site", api_key="us-key", environment_id=1),
    "eu": WorkspaceOptions(site_id="eu-site", api_key="eu-key", environment_id=2),
}


class SimulatorOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the stand-in behaves."""

    workspaces: dict[str, WorkspaceOptions] = msgspec.field(default_factory=DEFAULT_WORKSPACES.copy)
    """Region -> workspace. `us` redirects the others' credentials, every other host refuses them."""
    host: str = "127.0.0.1"
    strict: bool = True
    """Refuse whatever the API reference does not name. False: forgive what Customer.io is known to forgive
    (unknown fields, numbers as ids, invalid timestamps and event ids)."""
    remember_operations: bool = True
    """Keep every accepted operation in order. False: only counts, people and event ids."""
    remember_attributes: bool = False
    """Also keep attributes, and with them what each person looks like now: memory for each operation."""
    seed: int = 0
    """Decides every random choice of the faults."""
    faults: tuple[Fault, ...] = ()
    """Faults from the first request on."""
    tls: bool = False
    """Speak https with a certificate made on the spot: see `Simulator.ca_file`."""
    ca_file: str | None = None
    """Where the certificate authority to trust is written. None: a temporary file."""
