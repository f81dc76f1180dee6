"""All settings, typed. Defaults and descriptions here and in the options they are composed of are the
documentation: `docs/configuration.md` and the JSON Schema are generated from them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from connector.core.options import (
    BatchOptions,
    BufferOptions,
    DeadLetterShareOptions,
    DedupOptions,
    DeliveryOptions,
    LanesOptions,
    LedgerOptions,
    RoutingOptions,
)
from connector.events.options import EventOptions
from connector.settings.properties import Properties
from connector.settings.secret import Secret

PROPERTIES_SCHEMA = {"additionalProperties": {"type": ["string", "number", "boolean"]}}

RegionName = Annotated[str, Meta(pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where events come from."""

    bootstrap_servers: Annotated[
        str, Meta(description="Brokers to start from, as `host:port`, several separated by commas. Required.")
    ] = ""
    topics: Annotated[
        tuple[str, ...],
        Meta(
            description="Topics to read. A name that begins with `^` is a regular expression that topics' "
            "names match. Required."
        ),
    ] = ()
    group_id: Annotated[
        str, Meta(min_length=1, description="The consumer group. With a group for each region: its prefix.")
    ] = "cio-connector"
    group_per_region: Annotated[
        bool | None,
        Meta(
            description="A consumer group for each region, `<group_id>-<region>`, so that a region that is "
            "down holds up nobody else's offsets. Unset: on where several regions are configured."
        ),
    ] = None
    group_protocol: Annotated[
        Literal["classic", "consumer"],
        Meta(description="How the group balances: `consumer` is KIP-848, for brokers 4.0 and later."),
    ] = "classic"
    group_instance_id: Annotated[
        str | None,
        Meta(
            description="A fixed name of this process within the group (static membership): a short restart "
            "then moves no partition. Must differ between processes.",
        ),
    ] = None
    auto_offset_reset: Annotated[
        Literal["earliest", "latest"],
        Meta(
            description="Where to start in a partition for which nothing is committed. Never applied to a "
            "committed offset."
        ),
    ] = "earliest"
    prefetch_bytes: Annotated[
        int,
        Meta(
            ge=1_048_576,
            le=2_000_000_000,
            description="Bytes fetched ahead at most, a consumer (`queued.max.messages.kbytes`). Beside "
            "`buffer.max_bytes`.",
        ),
    ] = 16 * 1024 * 1024
    partition_fetch_bytes: Annotated[
        int,
        Meta(
            ge=65_536,
            le=1_000_000_000,
            description="Bytes asked of a partition in one fetch (`fetch.message.max.bytes`). A larger "
            "record is still read.",
        ),
    ] = 1024 * 1024
    revoke_deadline_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="When a partition is taken away, requests in flight are awaited this long; what is "
            "unfinished then is left to the next owner. Nothing is polled meanwhile, so less than "
            "`session.timeout.ms` (45 s) and 60.",
        ),
    ] = 10.0
    properties: Annotated[
        Properties,
        Meta(
            description="Any librdkafka property, passed through to consumers and producers: "
            "`security.protocol`, `sasl.mechanisms`, `ssl.ca.location` and so on.",
            extra_json_schema=PROPERTIES_SCHEMA,
        ),
    ] = msgspec.field(default_factory=Properties)


class RegionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Customer.io workspace. Site ID and API key: in Customer.io under Settings, API Credentials,
    Track API Keys."""

    site_id: Annotated[str | None, Meta(description="The workspace's Site ID.")] = None
    api_key: Annotated[Secret | None, Meta(description="The Track API key. Better: `api_key_file`.")] = None
    site_id_file: Annotated[str | None, Meta(description="A file that holds the Site ID instead.")] = None
    api_key_file: Annotated[
        str | None,
        Meta(
            description="A file that holds the API key instead. Read again when Customer.io refuses the "
            "credentials, so that a key is changed without a restart."
        ),
    ] = None
    url: Annotated[
        str,
        Meta(
            description="Base URL of the Track API. Regions named `us` and `eu` need none: "
            "https://track.customer.io and https://track-eu.customer.io."
        ),
    ] = ""


class DeadLetterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where records go that can never be delivered."""

    topic: Annotated[
        str,
        Meta(
            description="The dead-letter topic. Empty: `<topic>.dead-letters` where one topic is read; with "
            "several, or a pattern, it must be named."
        ),
    ] = ""
    share: DeadLetterShareOptions = DeadLetterShareOptions()
    properties: Annotated[
        Properties,
        Meta(
            description="librdkafka properties of the dead-letter producer alone, over those of "
            "`kafka.properties`.",
            extra_json_schema=PROPERTIES_SCHEMA,
        ),
    ] = msgspec.field(default_factory=Properties)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Customer.io is reached."""

    proxy: Annotated[
        Secret | None,
        Meta(
            description="A proxy for all requests to Customer.io: `http://[user:password@]host:port`. Unset: "
            "what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. Empty in the file: none at all."
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        Meta(description="A PEM file of certificate authorities to trust instead of the usual ones."),
    ] = None
    verify_tls: Annotated[
        bool, Meta(description="Check Customer.io's certificate. Off only for tests: people's data is sent.")
    ] = True


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The connector's own HTTP server: `/livez`, `/readyz`, `/metrics`."""

    enabled: Annotated[bool, Meta(description="Off: no port is opened.")] = True
    host: Annotated[str, Meta(min_length=1, description="The address to listen on.")] = "0.0.0.0"  # noqa: S104 - probes and scrapers come from outside
    port: Annotated[
        int, Meta(ge=0, le=65535, description="The port. 0: any free one, which the log names.")
    ] = 8080


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Traces. Where they are exported to is said by OpenTelemetry's own variables,
    `OTEL_EXPORTER_OTLP_ENDPOINT` and so on."""

    process_span_share: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Share of the records without a trace of their own for which one is begun. Records "
            "whose trace is sampled are always followed.",
        ),
    ] = 0.01
    process_spans_per_second_max: Annotated[
        float, Meta(ge=0, description="Spans of single records at most, a second. 0: none.")
    ] = 50.0


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least that is logged.")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"],
        Meta(description="`auto`: text on a terminal, JSON elsewhere."),
    ] = "auto"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of cio-connector."""

    kafka: KafkaSettings = KafkaSettings()
    regions: dict[RegionName, RegionSettings] = {}
    routing: RoutingOptions = RoutingOptions()
    events: EventOptions = EventOptions()
    batch: BatchOptions = BatchOptions()
    delivery: DeliveryOptions = DeliveryOptions()
    http: HttpSettings = HttpSettings()
    dedup: DedupOptions = DedupOptions()
    buffer: BufferOptions = BufferOptions()
    lanes: LanesOptions = LanesOptions()
    ledger: LedgerOptions = LedgerOptions()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    server: ServerSettings = ServerSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    log: LogSettings = LogSettings()
    drain_deadline_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="After SIGTERM, what is buffered is delivered, offsets are committed and the group is left, "
            "all within this time; what is not delivered by then will be read again. At most 5 s later the process "
            "has ended: keep Kubernetes' terminationGracePeriodSeconds so much longer.",
        ),
    ] = 25.0
