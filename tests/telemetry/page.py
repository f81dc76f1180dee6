"""Reads the page that `/metrics` serves."""

from prometheus_client.parser import text_string_to_metric_families

from connector.telemetry.setup import TelemetryShell

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(shell: TelemetryShell) -> Samples:
    """(name, labels) -> value of everything on the page."""
    page = shell.metrics_text()[0].decode()
    families = text_string_to_metric_families(page)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))
