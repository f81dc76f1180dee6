"""Prometheus' promtool, which checks rules and tries them on made-up series."""

import shutil
from pathlib import Path

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import BrokenPartError, MissingPartError, require


def promtool() -> Path:
    """The one that is installed, else the one in Debian's package: to build it takes longer than all tests."""
    installed = shutil.which("promtool")
    if installed:
        return Path(installed)

    def build(folder: Path) -> None:
        try:
            # Installed, the package would start a server.
            run(["apt-get", "download", "prometheus"], folder)
        except BrokenPartError as failure:
            raise MissingPartError(f"Prometheus' package is missing: apt-get update? {failure}") from failure
        (package,) = folder.glob("*.deb")
        run(["dpkg-deb", "--extract", str(package), str(folder)], folder)

    if shutil.which("apt-get") is None:
        require("Trying the alerts", "promtool")
    return cached("promtool", "debian", build, seconds_cold=5) / "usr" / "bin" / "promtool"
