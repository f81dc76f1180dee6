"""Where spans and metrics are exported to, read from OpenTelemetry's standard variables.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ . The variables not read here
(headers, timeout, compression, certificates, `OTEL_BSP_*`, samplers, resource attributes) are read by the SDK.
"""

import os
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from connector.errors import ConfigurationError

PROTOCOLS = ("http/protobuf", "grpc")
EXPORTERS = ("otlp", "none")
NUMBERS = (
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_EXPORT_TIMEOUT",
)

Exporter = TypeVar("Exporter")


class Exporters(NamedTuple):
    """What is exported; None: nothing of that kind."""

    spans: SpanExporter | None
    metrics: MetricExporter | None


def exporters_from_environment() -> Exporters:
    """The exporters that the environment asks for: none without an OTLP endpoint or with `OTEL_SDK_DISABLED=true`.

    Raises ConfigurationError for a variable that cannot be followed.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Exporters(None, None)
    exporters = Exporters(_exporter("TRACES", _span_exporter), _exporter("METRICS", _metric_exporter))
    _check_numbers()
    return exporters


def _exporter(signal: str, make: Callable[[str], Exporter]) -> Exporter | None:
    endpoint_variable = _set_variable(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint_variable is None or not _is_wanted(f"OTEL_{signal}_EXPORTER"):
        return None
    protocol = _protocol(signal)
    if protocol != "grpc":
        _check_url(endpoint_variable)
    return make(protocol)


def _is_wanted(variable: str) -> bool:
    chosen = os.environ.get(variable, "").strip().lower() or "otlp"
    if chosen not in EXPORTERS:
        raise ConfigurationError(
            f"{variable} is {chosen}, which is not supported",
            f"Set it to {' or '.join(EXPORTERS)}; metrics for Prometheus are served on /metrics in any case",
        )
    return chosen == "otlp"


def _protocol(signal: str) -> str:
    variable = _set_variable(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = os.environ[variable].strip().lower() if variable is not None else PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise ConfigurationError(
            f"{variable} is {protocol}, which is not supported", f"Set it to {' or '.join(PROTOCOLS)}"
        )
    return protocol


def _check_url(variable: str) -> None:
    parts = urlsplit(os.environ[variable].strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"{variable} is not a URL of a collector",
            "Write it like http://localhost:4318, with http:// or https://",
        )


def _check_numbers() -> None:
    """The SDK would go on with its default after a stack trace."""
    for name in NUMBERS:
        value = os.environ.get(name)
        if value is not None and not value.strip().isdecimal():
            raise ConfigurationError(f"{name} is not a whole number", "Correct it, or unset it")


def _set_variable(*names: str) -> str | None:
    return next((name for name in names if os.environ.get(name, "").strip()), None)


def _span_exporter(protocol: str) -> SpanExporter:
    if protocol == "grpc":
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
                OTLPSpanExporter as GrpcSpanExporter,
            )
        except ImportError as error:
            raise _grpc_is_missing() from error
        return GrpcSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _metric_exporter(protocol: str) -> MetricExporter:
    if protocol == "grpc":
        try:
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
                OTLPMetricExporter as GrpcMetricExporter,
            )
        except ImportError as error:
            raise _grpc_is_missing() from error
        return GrpcMetricExporter()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()


def _grpc_is_missing() -> ConfigurationError:
    return ConfigurationError(
        "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and the gRPC exporter is not installed",
        "Install cio-connector[grpc], or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and the collector's HTTP port",
    )
