"""Puts telemetry together from OpenTelemetry's standard variables.

Without an OTLP endpoint nothing is exported and no span is made; metrics are served on `/metrics` in any case
(`OTEL_SDK_DISABLED=true` empties it too). Nothing here is global: each set-up has providers and a registry of its own.
"""

import logging
import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider, ObservableGauge
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from connector import __version__
from connector.errors import ConfigurationError
from connector.telemetry.context import headers_from_environment
from connector.telemetry.core_metrics import Clocks, CoreMetrics, Ends, Snapshots
from connector.telemetry.endpoint import endpoint
from connector.telemetry.export import exporters_from_environment
from connector.telemetry.group import GroupTelemetry
from connector.telemetry.publish_spans import PublishSpans
from connector.telemetry.request_metrics import RequestMetrics
from connector.telemetry.sampling import SpanBudget

SCOPE = "cio-connector"
SERVICE_NAME = "cio-connector"
SHUTDOWN_SECONDS = 3.0
PARTITION_SERIES_MAX = 20_000
"""Partitions times groups that metrics tell apart; OpenTelemetry's default is 2,000."""

logger = logging.getLogger("connector")


class TelemetryShell:
    """The telemetry of one process. Made by `setup_telemetry`."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider,
        registry: CollectorRegistry,
        region_urls: Mapping[str, str],
        process_span_share: float,
        process_spans_per_second_max: float,
        clocks: Clocks,
    ) -> None:
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._registry = registry
        self._endpoints = {region: endpoint(url) for region, url in region_urls.items()}
        self._share = process_span_share
        self._clocks = clocks
        self._budget = SpanBudget(process_spans_per_second_max, time.monotonic)
        self._tracer: Tracer | None = None
        if tracer_provider is not None:
            self._tracer = tracer_provider.get_tracer(SCOPE, __version__)
        self._meter = meter_provider.get_meter(SCOPE, __version__)
        self._request_metrics = RequestMetrics(self._meter, self._endpoints, clocks.wall)
        self._groups: dict[str, GroupTelemetry] = {}
        self._meter.create_observable_counter(
            "messaging.client.consumed.messages", [self._consumed], "{message}", "Records taken from Kafka."
        )

    def for_group(self, group: str, serves: Collection[str] = ()) -> GroupTelemetry:
        """What the pipeline of this consumer group, which delivers to the regions `serves`, talks to. All groups share
        the spans a second."""
        if group not in self._groups:
            self._groups[group] = GroupTelemetry(
                group,
                serves,
                self._tracer,
                self._budget,
                self._share,
                self._endpoints,
                self._request_metrics,
                self._clocks.monotonic,
            )
        return self._groups[group]

    def publish_spans(self) -> PublishSpans:
        """What a publisher begins its spans with. The caller's context is taken from `TRACEPARENT`."""
        return PublishSpans(self._tracer, self._budget, headers_from_environment(os.environ))

    def observe(self, snapshots: Snapshots, ends: Ends) -> None:
        """Registers the instruments that read the cores' snapshots. Once a process.

        Both are called several times a collection, from other threads than the event loop's: they must be quick and
        return what does not change under the reader.
        """
        CoreMetrics(snapshots, ends, self._clocks).register(self._meter)

    def metrics_text(self, accept: str = "") -> tuple[bytes, str]:
        """What `/metrics` answers, with its content type, in the format that the `Accept` header asks for. One call
        at a time."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def shutdown(self, seconds_max: float = SHUTDOWN_SECONDS) -> bool:
        """Exports what is waiting, within `seconds_max`; then the process may end. False if time did not suffice."""
        flush = threading.Thread(target=self._shutdown_providers, name="telemetry-shutdown", daemon=True)
        flush.start()
        flush.join(seconds_max)
        if flush.is_alive():
            logger.warning("the last spans and metrics were not exported in time")
        return not flush.is_alive()

    def _shutdown_providers(self) -> None:
        try:
            if self._tracer_provider is not None:
                self._tracer_provider.shutdown()
            self._meter_provider.shutdown()
        except Exception:
            logger.exception("telemetry could not be shut down cleanly")

    def _consumed(self, options: CallbackOptions) -> Iterable[Observation]:
        for name, group in list(self._groups.items()):
            attributes = {
                "messaging.system": "kafka",
                "messaging.operation.name": "poll",
                "messaging.consumer.group.name": name,
            }
            yield Observation(group.consumed_records, attributes)


def setup_telemetry(
    *,
    region_urls: Mapping[str, str],
    process_span_share: float = 0.01,
    process_spans_per_second_max: float = 50.0,
    clocks: Clocks | None = None,
    span_processor: SpanProcessor | None = None,
) -> TelemetryShell:
    """Reads the `OTEL_*` variables and makes the process's telemetry.

    `region_urls` are the regions' base URLs, for the attributes of requests. `process_span_share` is the share of
    records without a trace that are followed, `process_spans_per_second_max` bounds all followed records of the
    process. `clocks` are those of the wall and of the core. `span_processor` takes the spans instead of the exporter
    that the environment asks for. Raises ConfigurationError.
    """
    exporters = exporters_from_environment()
    resource = _resource()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    try:
        if span_processor is None and exporters.spans is not None:
            span_processor = BatchSpanProcessor(exporters.spans)
        return TelemetryShell(
            _tracer_provider(resource, span_processor),
            _meter_provider(resource, registry, exporters.metrics),
            registry,
            region_urls,
            process_span_share,
            process_spans_per_second_max,
            clocks or Clocks(),
        )
    except ValueError as error:
        raise ConfigurationError(
            f"an OTEL_ variable has a value that cannot be used: {error}", "Correct it, or unset it"
        ) from error


def _tracer_provider(resource: Resource, processor: SpanProcessor | None) -> TracerProvider | None:
    if processor is None:
        return None
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


def _meter_provider(
    resource: Resource, registry: CollectorRegistry, exporter: MetricExporter | None
) -> MeterProvider:
    prometheus = PrometheusMetricReader(
        registry=registry,
        scope_info_enabled=False,
        cardinality_limits={ObservableGauge: PARTITION_SERIES_MAX},
    )
    readers: list[MetricReader] = [prometheus]
    if exporter is not None:
        readers.append(PeriodicExportingMetricReader(exporter))
    return MeterProvider(readers, resource=resource, shutdown_on_exit=False)


def _resource() -> Resource:
    """Service name and version; what the environment says comes first."""
    given = Resource.create()
    if str(given.attributes.get("service.name", "unknown_service")).startswith("unknown_service"):
        given = given.merge(Resource({"service.name": SERVICE_NAME}))
    if "service.version" not in given.attributes:
        given = given.merge(Resource({"service.version": __version__}))
    return given
