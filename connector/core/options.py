"""What a person may choose about the core's behaviour. The settings are made of these; defaults and
reasons stand here."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class BatchOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How operations are gathered into one request."""

    max_events: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Operations in one request at most (the recipe's value: 100)."),
    ] = 2000
    max_bytes: Annotated[
        int,
        Meta(
            ge=32_012,
            le=499_999,
            description="Bytes of one request's body at most, frame included. Customer.io takes less than "
            "500 kB.",
        ),
    ] = 499_999
    linger_ms: Annotated[
        float,
        Meta(
            ge=0,
            le=60_000,
            description="How long an event waits for company before a request that is not full is sent (the "
            "recipe's value: 1000). Under load requests fill by themselves. Before that the broker gathers records for "
            "up to 10 ms, unless `kafka.properties` holds `fetch.wait.max.ms`.",
        ),
    ] = 10


class DeliveryOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How requests are sent, and sent again. Each region has its own."""

    concurrency: Annotated[
        int, Meta(ge=1, le=1000, description="Requests in flight at most, a region (the recipe's value: 10).")
    ] = 10
    timeout_seconds: Annotated[
        float,
        Meta(gt=0, le=600, description="One attempt may take this long in all (the recipe's value: 30)."),
    ] = 30.0
    max_connections: Annotated[
        int, Meta(ge=1, description="Connections in a region's pool at most (the recipe's value: 100).")
    ] = 100
    max_keepalive_connections: Annotated[
        int, Meta(ge=1, description="Idle connections kept open at most (the recipe's value: 20).")
    ] = 20
    keepalive_seconds: Annotated[
        float, Meta(gt=0, description="How long an idle connection is kept (the recipe's value: 30).")
    ] = 30.0
    requests_per_second: Annotated[
        float,
        Meta(
            gt=0,
            description="Requests a second at most, a region and process. Customer.io's limit is 1,000 a "
            "workspace: divide it by the number of processes.",
        ),
    ] = 1000.0
    anonymous_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Share of concurrency and of requests a second that anonymous events, one request "
            "each, may use at most.",
        ),
    ] = 0.5
    backoff_seconds_min: Annotated[
        float,
        Meta(gt=0, description="First retry's longest wait; doubles with each further one, full jitter."),
    ] = 0.5
    backoff_seconds_max: Annotated[float, Meta(gt=0, description="A retry's longest wait.")] = 30.0
    retry_after_seconds_max: Annotated[
        float, Meta(gt=0, description="A Retry-After beyond this is cut to it.")
    ] = 300.0
    breaker_failures: Annotated[
        int,
        Meta(ge=1, description="Failures in a row, across lanes, after which a region is only probed."),
    ] = 5
    probe_seconds: Annotated[
        float, Meta(gt=0, description="How often a region that refuses or fails is probed with one request.")
    ] = 5.0
    poison_attempts: Annotated[
        int,
        Meta(
            ge=5,
            description="A record that alone fails this often while others of its region succeed is "
            "dead-lettered.",
        ),
    ] = 10


class EventWindowOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window in which a second event of the same id is a duplicate."""

    max_entries: Annotated[
        int, Meta(ge=0, description="Ids remembered at most (the recipe's value: 50000). 0: off.")
    ] = 200_000
    ttl_seconds: Annotated[
        float, Meta(gt=0, description="How long an id is remembered once accepted (the recipe's value: 5).")
    ] = 600.0
    on_conflict: Annotated[
        Literal["send", "drop", "dead_letter"],
        Meta(
            description="The same id with other content: sent under a ULID of id and content, dropped as a "
            "duplicate, or dead-lettered as `conflict`. Contents are compared byte by byte: choose `drop` where a "
            "publisher writes the JSON of an event anew when it sends it again."
        ),
    ] = "send"
    warm_up_records: Annotated[
        int,
        Meta(
            ge=0,
            description="Records before the committed offset, a partition, that are read again on "
            "assignment only to feed the window.",
        ),
    ] = 5_000


class IdentifyCacheOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Skips an identify that says what the last accepted one of the same person said. Timestamps are not compared:
    leave it off where identifies come out of the order of their own."""

    max_entries: Annotated[
        int, Meta(ge=0, description="People remembered at most (the recipe's value: 10000). 0: off.")
    ] = 0
    ttl_seconds: Annotated[
        float, Meta(gt=0, description="How long an accepted identify is remembered (the recipe's value: 60).")
    ] = 60.0


class DedupOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recognised as sent before."""

    events: EventWindowOptions = EventWindowOptions()
    identifies: IdentifyCacheOptions = IdentifyCacheOptions()


class BufferOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held in memory without an ending at most. At the bound nothing more is taken from Kafka."""

    max_bytes: Annotated[int, Meta(ge=1_000_000, description="Bytes of records and operations.")] = (
        32 * 1024 * 1024
    )
    max_records: Annotated[int, Meta(ge=1, description="Records.")] = 200_000


class LanesOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept in order."""

    key: Annotated[
        Literal["identifier", "record_key"],
        Meta(
            description="Order is kept for each identifier, or for each record key: for publishers who key "
            "by person and use several identifiers for one."
        ),
    ] = "identifier"


class LedgerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is remembered about records on their way, and when offsets are committed."""

    max_span: Annotated[
        int,
        Meta(
            ge=1,
            description="Records of a partition from the oldest without an ending to the newest read, at "
            "most; then the partition is paused.",
        ),
    ] = 1_000_000
    commit_interval_seconds: Annotated[float, Meta(gt=0, description="Offsets are committed this often.")] = (
        1.0
    )
    metadata_max_characters: Annotated[
        int, Meta(ge=0, le=4000, description="Commit metadata's length at most (the broker's limit: 4095).")
    ] = 4000


class DeadLetterShareOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the whole input seems bad, a partition is stopped instead of moved to the dead letters."""

    window_records: Annotated[
        int, Meta(ge=1, description="The last records of a partition that are looked at.")
    ] = 1000
    max_share: Annotated[
        float,
        Meta(
            gt=0, le=1, description="Share of dead letters among them beyond which it is stopped. 1: never."
        ),
    ] = 0.5
    min_records: Annotated[int, Meta(ge=1, description="Never stopped for fewer dead letters than this.")] = (
        100
    )


class RoutingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: the first that matches decides. All conditions given must hold."""

    region: Annotated[str, Meta(description="The region it sends to.")]
    topic: Annotated[str | None, Meta(description="A topic's name, `*` and `?` allowed.")] = None
    attribute: Annotated[
        str | None,
        Meta(
            description="A dotted path into the event, such as `traits.country`; a bare name is looked up "
            "in `attributes`, `traits`, `properties` and `context.traits`."
        ),
    ] = None
    values: Annotated[
        tuple[str, ...], Meta(description="Values of the attribute that match, compared without case.")
    ] = ()
    id_pattern: Annotated[
        str | None, Meta(description="A regular expression that the person's or object's identifier matches.")
    ] = None


class RoutingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which region an event goes to where neither it nor its `region` header says so."""

    default: Annotated[
        str,
        Meta(description="The region of whatever no rule decides. Where only one is configured: that one."),
    ] = "us"
    strict: Annotated[
        bool,
        Meta(
            description="Dead-letter what no rule decides as `unroutable`: for data that must not leave a "
            "region."
        ),
    ] = False
    rules: tuple[RoutingRule, ...] = ()
    function: Annotated[
        str | None,
        Meta(
            description="A Python callable asked after the rules, as `package.module:name` or the name of "
            "an entry point in the group `cio_connector.routing`. It takes the decoded event (a dict) and "
            "the topic and returns a region's name or None. It must be pure."
        ),
    ] = None


class CoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the core is told when it is made."""

    regions: tuple[str, ...]
    """All configured regions."""
    serves: tuple[str, ...]
    """Those whose records this consumer group delivers; the others' are filtered."""
    batch: BatchOptions = BatchOptions()
    delivery: DeliveryOptions = DeliveryOptions()
    dedup: DedupOptions = DedupOptions()
    buffer: BufferOptions = BufferOptions()
    lanes: LanesOptions = LanesOptions()
    ledger: LedgerOptions = LedgerOptions()
    dead_letter_share: DeadLetterShareOptions = DeadLetterShareOptions()
    routing: RoutingOptions = RoutingOptions()
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    session_timeout_seconds: float = 45.0
    """No request starts when polling has stood still longer than this."""
    accept_dead_letters: bool = False
    """Start partitions that an earlier run stopped for their share of dead letters."""
