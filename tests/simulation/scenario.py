"""What one seed stands for: sizes, options and faults, all drawn before anything happens."""

from random import Random
from typing import NamedTuple

from connector.core.effects import TopicPartition
from connector.core.options import (
    BatchOptions,
    BufferOptions,
    CoreOptions,
    DeadLetterShareOptions,
    DedupOptions,
    DeliveryOptions,
    EventWindowOptions,
    IdentifyCacheOptions,
    LanesOptions,
    LedgerOptions,
    RoutingOptions,
    RoutingRule,
)
from connector.events.event import RequestKind

REGIONS = ("us", "eu")
DEFAULT_REGION = "us"
RULED_TOPIC = "orders"
"""A topic that a routing rule sends to one region, where the scenario has rules."""


class Window(NamedTuple):
    """A time in which a region answers everything in one way."""

    start: float
    end: float
    kind: str
    """`outage`, `unauthorised`, `misconfigured` or `throttled`."""
    endpoint: RequestKind | None = None
    """The one that answers so; None: all of them."""


class Weather(NamedTuple):
    """How a region behaves until the faults end."""

    windows: tuple[Window, ...]
    failing: float
    """Share of requests that fail for no reason of their own."""
    unreadable: float
    """Share of answers that are a 207 which nobody can read."""
    latency_seconds: tuple[float, float]
    """Shortest and longest way of a request, and of its answer."""
    proxy_bytes: int
    """A proxy refuses larger bodies of several operations with 413; 0: there is none."""


class Fault(NamedTuple):
    """Something that happens to a consumer group."""

    time: float
    kind: str
    """A method of `faults.Faults`."""
    group: int


class Traffic(NamedTuple):
    """What is published."""

    records: int
    seconds: float
    people: int
    """In each region."""
    flaws: float
    """Share of records that Customer.io refuses."""
    poison: bool
    unreadable_records: float
    """Share of records that can never be sent."""
    duplicates: float
    conflicts: float
    merges: float
    wanderers: float
    """Share of a person's records that stand in another partition than the person's own."""
    padding_bytes: int
    """Some attributes are as long as this."""
    gaps: float
    """Share of records with a gap in the offsets before them."""
    timestamps: bool
    """Do records carry one?"""
    own_timestamps: float
    """Share of identifies with a timestamp of their own, which is an older one."""
    plans: int
    """How many different values an identify may set: few make the identify cache work."""


class Scenario(NamedTuple):
    """All that a run is made of, apart from the randomness on its way."""

    seed: int
    calm: bool
    """No faults at all: stronger promises hold."""
    partitions: tuple[TopicPartition, ...]
    serves: tuple[tuple[str, ...], ...]
    """One for each consumer group: the regions that it delivers."""
    members: int
    """In each group at first."""
    eager: bool
    """The rebalance protocol."""
    options: CoreOptions
    """Those of every core, apart from `serves`."""
    traffic: Traffic
    weather: dict[str, Weather]
    faults: tuple[Fault, ...]
    faults_end: float
    """Seconds after which nothing goes wrong any more."""
    commit_failures: float
    """Share of commits that the broker refuses."""
    dead_letter_failures: float
    """Share of dead letters whose writing fails."""
    metadata_limit: int
    """Characters of commit metadata that the broker takes."""
    lanes: int
    """How many lanes a channel has: few, so that people share them, and cores are made quickly."""
    traced: bool
    """Do records carry a trace?"""
    lateness_seconds: float
    """The event loop wakes up to so much later than asked."""
    poll_records: int
    """The most a poll takes."""


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    random = Random(seed)
    calm = random.random() < 0.1
    faults_end = 0.0 if calm else random.uniform(2, 25)
    poison = random.random() < 0.25
    by_rule = random.random() < 0.2
    partitions = _partitions(random)
    per_region = random.random() < 0.35
    options = _options(random, calm, poison, by_rule)
    serves = tuple((region,) for region in REGIONS) if per_region else (REGIONS,)
    scenario = Scenario(
        seed=seed,
        calm=calm,
        partitions=partitions,
        serves=serves,
        members=1 if calm else random.choice((1, 1, 2, 3)),
        eager=random.random() < 0.3,
        options=options,
        traffic=_traffic(random, poison),
        weather={
            region: _weather(random, calm, faults_end, options.delivery.timeout_seconds) for region in REGIONS
        },
        faults=() if calm else _faults(random, faults_end, len(serves)),
        faults_end=faults_end,
        commit_failures=0.0 if calm else random.choice((0.0, 0.0, 0.1, 0.5)),
        dead_letter_failures=0.0 if calm else random.choice((0.0, 0.0, 0.1, 0.5)),
        metadata_limit=random.choice((4095, 4095, 4095, 80, 40)),
        lanes=random.choice((64, 256) if poison else (1, 4, 64, 256)),
        traced=random.random() < 0.5,
        lateness_seconds=random.choice((0.0, 0.0, 0.002, 0.02)),
        poll_records=random.choice((1, 3, 10, 50, 1000)),
    )
    if calm or random.random() < 0.8:
        return scenario
    region = random.choice(REGIONS)
    weather = _with_trouble_at_an_endpoint(scenario.weather[region], random, faults_end)
    return scenario._replace(weather={**scenario.weather, region: weather})


def _partitions(random: Random) -> tuple[TopicPartition, ...]:
    topics = random.choice((("events",), ("events",), ("events", RULED_TOPIC)))
    return tuple(TopicPartition(topic, number) for topic in topics for number in range(random.randint(1, 3)))


def _options(random: Random, calm: bool, poison: bool, by_rule: bool) -> CoreOptions:
    backoff_seconds_min = random.choice((0.02, 0.1, 0.5))
    rules = (RoutingRule(region="eu", topic=RULED_TOPIC + "*"),) if by_rule else ()
    return CoreOptions(
        regions=REGIONS,
        serves=REGIONS,
        batch=BatchOptions(
            max_events=random.choice((1, 2, 3, 5, 10, 50, 2000)),
            max_bytes=random.choice((32_100, 40_000, 100_000, 499_999)),
            linger_ms=random.choice((0, 1, 10, 100)),
        ),
        delivery=DeliveryOptions(
            concurrency=random.choice((1, 2, 3, 10)),
            timeout_seconds=random.choice((1.0, 3.0, 10.0)),
            requests_per_second=random.choice((5.0, 20.0, 100.0, 1000.0)),
            anonymous_share=random.choice((0.1, 0.5, 0.5, 1.0)),
            backoff_seconds_min=backoff_seconds_min,
            backoff_seconds_max=backoff_seconds_min * random.choice((1, 4, 10)),
            retry_after_seconds_max=random.choice((1.0, 5.0, 30.0)),
            breaker_failures=random.choice((1, 2, 5, 5)),
            probe_seconds=random.choice((0.1, 0.5, 2.0)),
            # Too few would take a few unlucky requests for poison.
            poison_attempts=random.choice((8, 10, 15)),
        ),
        dedup=DedupOptions(
            events=EventWindowOptions(
                max_entries=200_000 if calm else random.choice((0, 5, 50, 200_000, 200_000)),
                ttl_seconds=600.0 if calm else random.choice((0.5, 5.0, 600.0, 600.0)),
                on_conflict=random.choice(("send", "send", "drop", "dead_letter")),
                warm_up_records=random.choice((0, 3, 20, 5000)),
            ),
            identifies=IdentifyCacheOptions(
                max_entries=random.choice((0, 0, 3, 10_000)), ttl_seconds=random.choice((1.0, 60.0))
            ),
        ),
        # Poison is known by others of its region succeeding: it needs room for others beside it.
        buffer=BufferOptions(max_records=200_000 if poison else random.choice((3, 10, 50, 200_000))),
        lanes=LanesOptions(key=random.choice(("identifier", "identifier", "identifier", "record_key"))),
        ledger=LedgerOptions(
            max_span=1_000_000 if poison else random.choice((3, 10, 1_000_000, 1_000_000)),
            commit_interval_seconds=random.choice((0.05, 0.3, 1.0, 1.0)),
            metadata_max_characters=random.choice((0, 70, 100, 4000, 4000)),
        ),
        dead_letter_share=DeadLetterShareOptions(max_share=1.0)
        if calm or random.random() < 0.85
        else DeadLetterShareOptions(window_records=random.choice((5, 10, 30)), max_share=0.4, min_records=3),
        routing=RoutingOptions(default=DEFAULT_REGION, strict=random.random() < 0.15, rules=rules),
        auto_offset_reset="latest" if not calm and random.random() < 0.1 else "earliest",
        session_timeout_seconds=random.choice((2.0, 10.0, 45.0)),
    )


def _traffic(random: Random, poison: bool) -> Traffic:
    some = random.choice
    return Traffic(
        records=random.choice((10, 30, 30, 60, 60, 120, 200)),
        seconds=some((0.0, 1.0, 5.0, 15.0)),
        people=some((1, 3, 10, 40)),
        flaws=some((0.0, 0.03, 0.03, 0.2)),
        poison=poison,
        unreadable_records=some((0.0, 0.05, 0.05, 0.3)),
        duplicates=some((0.0, 0.1, 0.1, 0.4)),
        conflicts=some((0.0, 0.0, 0.03, 0.15)),
        merges=some((0.0, 0.05, 0.05, 0.3)),
        wanderers=some((0.0, 0.0, 0.1, 0.5)),
        padding_bytes=some((0, 0, 0, 2_000, 15_000)),
        gaps=some((0.0, 0.0, 0.1, 0.5)),
        timestamps=random.random() < 0.93,
        own_timestamps=some((0.0, 0.0, 0.2)),
        plans=some((2, 2, 1000)),
    )


def _with_trouble_at_an_endpoint(weather: Weather, random: Random, faults_end: float) -> Weather:
    kind = random.choice(("outage", "outage", "unauthorised", "misconfigured"))
    start = random.uniform(0, faults_end / 2)
    window = Window(start, random.uniform(start, faults_end), kind, random.choice(tuple(RequestKind)))
    return weather._replace(windows=(*weather.windows, window))


def _weather(random: Random, calm: bool, faults_end: float, timeout_seconds: float) -> Weather:
    fastest = random.choice((0.001, 0.01, 0.05))
    latency = (fastest, min(fastest * random.choice((1.0, 3.0, 20.0)), timeout_seconds * 0.45))
    proxy_bytes = random.choice((0, 0, 0, 0, 1500))
    if calm:
        return Weather((), 0.0, 0.0, latency, proxy_bytes)
    windows = []
    for kind in ("outage", "unauthorised", "misconfigured", "throttled"):
        if random.random() < 0.25:
            start = random.uniform(0, faults_end)
            windows.append(Window(start, min(faults_end, start + random.uniform(0.2, 8)), kind))
    return Weather(
        tuple(windows),
        failing=random.choice((0.0, 0.05, 0.2, 0.6)),
        unreadable=random.choice((0.0, 0.0, 0.05, 0.3)),
        latency_seconds=latency,
        proxy_bytes=proxy_bytes,
    )


FAULT_KINDS = (
    "crash",
    "crash_between_effects",
    "join",
    "leave",
    "lose",
    "shuffle",
    "shuffle",
    "stall",
    "poll_error",
    "reset_offsets",
    "forget_offsets",
    "truncate",
    "recreate_topic",
    "elect_unclean_leader",
)


def _faults(random: Random, faults_end: float, groups: int) -> tuple[Fault, ...]:
    kinds = [kind for kind in FAULT_KINDS if random.random() < 0.3]
    if not kinds:
        return ()
    count = random.choice((1, 3, 8, 15))
    drawn = [
        Fault(random.uniform(0, faults_end), random.choice(kinds), random.randrange(groups))
        for _ in range(count)
    ]
    return tuple(sorted(drawn))
