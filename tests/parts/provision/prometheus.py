"""Prometheus' promtool, which checks rules and tries them on made-up series. It is not built here: with all that
Prometheus can discover services by, that takes longer than the tests."""

import shutil
from pathlib import Path

from tests.parts.provision.errors import require


def promtool() -> Path:
    """Where it is installed."""
    require("Trying the alerts", "promtool")
    return Path(shutil.which("promtool") or "")
