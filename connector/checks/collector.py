"""The OpenTelemetry collector, where one is configured. Delivery does not depend on it, so nothing here fails but
variables that `run` would refuse."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from connector.checks.deadline import Deadline
from connector.checks.result import Check, fail, ok, warn
from connector.errors import ConfigurationError, ExitCode
from connector.telemetry.export import exporters_from_environment

CHECK = "otlp"
CONNECT_SECONDS = 5.0
GENERAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", GENERAL)
_PORTS = {"http": 80, "https": 443}


class _Place(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def check_collectors(environ: Mapping[str, str], deadline: Deadline) -> list[Check]:
    """Whether something listens where spans and metrics are exported to."""
    try:
        exporters = exporters_from_environment()
    except ConfigurationError as error:
        return [fail(CHECK, "", error.what, error.fix, ExitCode.USAGE)]
    if exporters.spans is None and exporters.metrics is None:
        return []
    places: dict[_Place, str] = {}
    for variable in VARIABLES:
        place = _place(environ.get(variable, "").strip())
        if place is not None:
            places.setdefault(place, variable)
    return list(
        await asyncio.gather(*[_check(place, variable, deadline) for place, variable in places.items()])
    )


def _place(endpoint: str) -> _Place | None:
    parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    try:
        port = parts.port or _PORTS.get(parts.scheme, 4317)
    except ValueError:
        return None
    return _Place(parts.hostname, port) if parts.hostname else None


async def _check(place: _Place, variable: str, deadline: Deadline) -> Check:
    try:
        async with asyncio.timeout(deadline.seconds(CONNECT_SECONDS)):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or "no answer in time"
        lost = f"nothing answers ({why}): no spans and metrics are exported"
        return warn(CHECK, str(place), lost, f"Start the collector, or mend {variable}")
    writer.close()
    return ok(CHECK, str(place), "the collector's port is open")
