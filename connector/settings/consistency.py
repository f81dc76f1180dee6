"""Settings that each are right but do not go together, or that would bite later."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path as FilePath
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from connector.settings.brokers import servers_wrong
from connector.settings.credentials import CredentialError, read_credentials
from connector.settings.groups import SESSION_TIMEOUT_MS, consumer_groups
from connector.settings.model import RegionSettings, Settings
from connector.settings.owned import owned_properties
from connector.settings.problem import Problem
from connector.settings.resolve import REGION_URLS
from connector.settings.tree import Path, dotted

Need = Literal["kafka", "customerio"]
"""What a command is going to talk to, and so what must be configured."""

NO_TOPIC_NAME = "is no topic name; Kafka takes at most 249 letters, digits, ., _ and -"
TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
POLL_INTERVAL_MS = 300_000
"""librdkafka's default of max.poll.interval.ms."""
SILENCE_SECONDS_MAX = 60.0
"""A poll thread that has not come round for longer fails /livez."""


def inconsistencies(settings: Settings, needs: Collection[Need]) -> Iterator[Problem]:
    """Everything that is wrong with resolved settings."""
    if "kafka" in needs:
        yield from _kafka_missing(settings)
    yield from _brokers(settings)
    if "customerio" in needs:
        yield from _regions_missing(settings)
    yield from _topics(settings)
    yield from owned_properties(settings)
    yield from _fetch(settings)
    yield from _timing(settings)
    for name, region in settings.regions.items():
        yield from _url(name, region)
    yield from _routing(settings)
    yield from _limits(settings)
    yield from _http(settings)


def _kafka_missing(settings: Settings) -> Iterator[Problem]:
    if not settings.kafka.bootstrap_servers.strip():
        yield Problem(
            ("kafka", "bootstrap_servers"),
            "is missing; name the brokers, such as localhost:9092",
            missing=True,
        )
    if not settings.kafka.topics:
        yield Problem(
            ("kafka", "topics"),
            "is missing; name the topics to read, such as [customer-events]",
            missing=True,
        )
    elif not settings.dead_letters.topic:
        yield Problem(
            ("dead_letters", "topic"),
            "is missing; with several topics or a pattern it must be named",
            missing=True,
        )


def _brokers(settings: Settings) -> Iterator[Problem]:
    wrong = servers_wrong(settings.kafka.bootstrap_servers)
    if wrong:
        yield Problem(("kafka", "bootstrap_servers"), wrong)


def _regions_missing(settings: Settings) -> Iterator[Problem]:
    if not settings.regions:
        yield Problem(("regions",), "is missing; configure us, eu or both, each with site_id and api_key")
    for name, region in settings.regions.items():
        for field in ("site_id", "api_key"):
            if getattr(region, field) is None and getattr(region, f"{field}_file") is None:
                yield Problem(
                    ("regions", name, field),
                    f"is missing; set it, or {field}_file to a file that holds it",
                    missing=True,
                )
                break
        else:
            try:
                read_credentials(name, region)
            except CredentialError as error:
                yield Problem(error.path, error.said)


def _topics(settings: Settings) -> Iterator[Problem]:
    dead_letters = settings.dead_letters.topic
    sound = True
    for index, topic in enumerate(settings.kafka.topics):
        path = ("kafka", "topics", f"[{index}]")
        if topic in settings.kafka.topics[:index]:
            yield Problem(path, f'"{topic}" is given twice')
        elif topic.startswith("^"):
            yield from _topic_pattern(path, topic, dead_letters)
        elif not _is_topic_name(topic):
            sound = False
            yield Problem(path, f'"{topic}" {NO_TOPIC_NAME}')
        elif topic == dead_letters:
            yield Problem(("dead_letters", "topic"), f'"{topic}" is read from as well; name another')
    if sound and dead_letters and not _is_topic_name(dead_letters):
        yield Problem(("dead_letters", "topic"), f'"{dead_letters}" {NO_TOPIC_NAME}')


def _topic_pattern(path: Path, pattern: str, dead_letters: str) -> Iterator[Problem]:
    try:
        matches = re.search(pattern, dead_letters) is not None
    except re.error as error:
        yield Problem(path, f'"{pattern}" is no regular expression: {error.msg}')
        return
    if dead_letters and matches:
        yield Problem(
            path, f'"{pattern}" matches the dead-letter topic "{dead_letters}" too; narrow it or name another'
        )


def _is_topic_name(name: str) -> bool:
    return TOPIC_NAME.fullmatch(name) is not None and name not in (".", "..")


def _timing(settings: Settings) -> Iterator[Problem]:
    """The poll thread neither polls nor beats while it waits for a revoke."""
    deadline = settings.kafka.revoke_deadline_seconds
    bounds = [(SILENCE_SECONDS_MAX, f"{SILENCE_SECONDS_MAX:g}, after which /livez restarts the process")]
    for name, otherwise in (
        ("max.poll.interval.ms", POLL_INTERVAL_MS),
        ("session.timeout.ms", SESSION_TIMEOUT_MS),
    ):
        given = settings.kafka.properties.get(name, str(otherwise))
        if given.isdecimal():
            bounds.append((int(given) / 1000, f"{name} ({int(given) / 1000:g} s)"))
    bound, named = min(bounds)
    if deadline >= bound:
        yield Problem(
            ("kafka", "revoke_deadline_seconds"), f"must be less than {named}, not {deadline:g}; lower it"
        )
    yield from _more_than(settings.delivery, "backoff_seconds_min", "backoff_seconds_max", ("delivery",))


def _fetch(settings: Settings) -> Iterator[Problem]:
    """A partition that may not give as much as the broker waits for would wait for each fetch."""
    name, most = "fetch.min.bytes", settings.kafka.partition_fetch_bytes
    given = settings.kafka.properties.get(name, "")
    if given.isdecimal() and int(given) > most:
        yield Problem(
            ("kafka", "properties", name),
            f"must not be more than kafka.partition_fetch_bytes ({most}), or each fetch waits for fetch.wait.max.ms; "
            "lower it",
        )


def _url(name: str, region: RegionSettings) -> Iterator[Problem]:
    path = ("regions", name, "url")
    if not region.url:
        yield Problem(path, "is missing; only regions named us and eu have one of their own", missing=True)
        return
    try:
        parts = urlsplit(region.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield Problem(path, "is no URL; such as https://track.customer.io")
        return
    if parts.scheme not in ("http", "https") or not host:
        yield Problem(path, "must be an http or https URL with a host, such as https://track.customer.io")
    elif parts.username is not None or parts.password is not None:
        yield Problem(path, "must hold no credentials; they belong in site_id and api_key")
    elif parts.query or parts.fragment:
        yield Problem(path, "must end with the host or a path, without ? and #")
    else:
        for other, url in REGION_URLS.items():
            if name in REGION_URLS and name != other and host == urlsplit(url).hostname:
                yield Problem(path, f"{host} is the host of region {other}, not of {name}")


def _routing(settings: Settings) -> Iterator[Problem]:
    regions = settings.regions
    configured = f"configured are {', '.join(regions)}"
    if regions and settings.routing.default not in regions:
        yield Problem(
            ("routing", "default"), f'"{settings.routing.default}" is no configured region; {configured}'
        )
    for index, rule in enumerate(settings.routing.rules):
        path = ("routing", "rules", f"[{index}]")
        if regions and rule.region not in regions:
            yield Problem((*path, "region"), f'"{rule.region}" is no configured region; {configured}')
        if rule.attribute is not None and not rule.values:
            yield Problem((*path, "values"), "is missing; name the values of the attribute that match")
        if rule.values and rule.attribute is None:
            yield Problem((*path, "attribute"), "is missing; name the attribute that has these values")
        if rule.topic is None and rule.attribute is None and rule.id_pattern is None and not rule.values:
            yield Problem(
                path, "has no condition; give topic, attribute or id_pattern, or use routing.default"
            )
        if rule.id_pattern is not None:
            try:
                re.compile(rule.id_pattern)
            except re.error as error:
                yield Problem((*path, "id_pattern"), f"is no regular expression: {error.msg}")


def _limits(settings: Settings) -> Iterator[Problem]:
    if settings.lanes.key == "record_key" and settings.dedup.identifies.max_entries:
        yield Problem(
            ("dedup", "identifies", "max_entries"),
            "must be 0 with lanes.key: record_key, by which a person's states may overtake each other",
        )
    # Each request in flight needs a connection.
    for name in ("max_keepalive_connections", "concurrency"):
        yield from _more_than(settings.delivery, name, "max_connections", ("delivery",))
    groups = len(consumer_groups(settings)) or 1
    if settings.buffer.max_bytes // groups < 2 * settings.batch.max_bytes:
        needed = 2 * settings.batch.max_bytes * groups
        yield Problem(
            ("buffer", "max_bytes"), f"must be {needed} or more: two full batches for each of {groups} groups"
        )
    if settings.buffer.max_records < groups:
        yield Problem(("buffer", "max_records"), f"must be {groups} or more: one for each group")
    share = settings.dead_letters.share
    yield from _more_than(share, "min_records", "window_records", ("dead_letters", "share"))


def _more_than(section: msgspec.Struct, lesser: str, greater: str, path: Path) -> Iterator[Problem]:
    """One setting must not be more than another of its section."""
    value, bound = getattr(section, lesser), getattr(section, greater)
    if value > bound:
        yield Problem(
            (*path, lesser), f"must be at most {dotted((*path, greater))} ({bound:g}), not {value:g}"
        )


def _http(settings: Settings) -> Iterator[Problem]:
    if settings.http.proxy:
        try:
            parts = urlsplit(settings.http.proxy.reveal())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            yield Problem(("http", "proxy"), "must be an http or https URL, such as http://proxy:3128")
        elif parts.path.strip("/") or parts.query or parts.fragment:
            # Most likely the rest of a password, which would be shown.
            yield Problem(
                ("http", "proxy"),
                "must end with host and port; in a password write %2F for /, %3F for ? and %23 for #",
            )
    if settings.http.ca_file is not None:
        try:
            with FilePath(settings.http.ca_file).open("rb"):
                pass
        except OSError as error:
            yield Problem(("http", "ca_file"), f"cannot read {settings.http.ca_file}: {error.strerror}")
