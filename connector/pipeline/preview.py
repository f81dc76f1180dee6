"""What the next records of the topics, or the records of a file, would become. Sends nothing and commits nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException

from connector.core.commit_metadata import Identity
from connector.core.effects import TopicPartition
from connector.core.routing import Route, Router
from connector.errors import ConfigurationError, UnavailableError
from connector.events.decode import Decoder
from connector.events.record import Record
from connector.kafka.abandon import abandon
from connector.kafka.configuration import ConsumerOptions
from connector.kafka.errors import connector_error
from connector.kafka.group_offsets import group_offsets
from connector.kafka.lines import opened, read_lines
from connector.kafka.lookup import isolation_level
from connector.kafka.peek import peek
from connector.kafka.reach import Reached, patiently, reached
from connector.kafka.topic_facts import Bounds, TopicFacts, log_bounds, topic_facts, topics_named
from connector.pipeline.dry_run import Fate, dry_run
from connector.pipeline.kafka_options import consumer_options
from connector.pipeline.routing_function import load_routing_function
from connector.pipeline.standing import Standings, lowest, standings, with_finished
from connector.settings.groups import ConsumerGroup, consumer_groups, core_options
from connector.settings.model import Settings

LOOKUP_SECONDS = 10.0


class Previewed(NamedTuple):
    """A record and what would become of it. The offset of a file's record is the number of its line."""

    record: Record
    fate: Fate


class _Logs(NamedTuple):
    """What is read."""

    topics: Mapping[str, TopicFacts]
    bounds: Mapping[TopicPartition, Bounds]


def preview_file(settings: Settings, path: str, topic: str, region: str | None) -> Iterator[Previewed]:
    """The records of a file (`-`: standard input), as if they were read from `topic`. Raises InputFileError at a bad
    line."""
    groups = consumer_groups(settings, region)
    route = load_routing_function(settings.routing.function)
    with opened(path) as file:
        records: Iterator[Record] = (line.record for line in read_lines(file, topic))
        yield from _previewed(records, settings, groups, route, "")


def preview_topics(
    settings: Settings,
    region: str | None,
    from_beginning: bool,
    timeout_seconds: float,
    topic: str | None = None,
) -> Iterator[Previewed]:
    """The records that the consumer groups have not finished or, `from_beginning`, all that the topics hold; `topic`:
    those of this one alone. Ends with the logs, or when the time is up. Raises ConnectorError."""
    groups = consumer_groups(settings, region)
    route = load_routing_function(settings.routing.function)
    kafka = reached(consumer_options(settings, groups[0].group_id), LOOKUP_SECONDS)
    try:
        yield from _unfinished(kafka, settings, groups, route, from_beginning, timeout_seconds, topic)
    except UnavailableError:
        abandon(kafka.admin)
        raise


def _unfinished(
    kafka: Reached,
    settings: Settings,
    groups: Sequence[ConsumerGroup],
    route: Route | None,
    from_beginning: bool,
    timeout_seconds: float,
    topic: str | None,
) -> Iterator[Previewed]:
    options = consumer_options(settings, groups[0].group_id)
    logs = _logs(kafka, options, topic)
    where: dict[str, Standings] = {}
    if not from_beginning:
        digest = Router(settings.routing, tuple(settings.regions), route).digest
        for group in groups:
            where |= dict.fromkeys(group.serves, _standings(kafka, settings, group, logs, digest))
    starts = {
        partition: lowest(where.values(), partition, default=bounds.low)
        for partition, bounds in logs.bounds.items()
    }
    # Partitions that have been read to their ends would only be waited for.
    starts = {partition: start for partition, start in starts.items() if start < logs.bounds[partition].high}
    if not starts:
        return
    records = peek(options, starts, timeout_seconds)
    for previewed in _previewed(records, settings, groups, route, kafka.cluster_id):
        standing = where.get(previewed.fate.region)
        if standing is None or not _is_finished(previewed.record, standing):
            yield previewed


def _previewed(
    records: Iterator[Record],
    settings: Settings,
    groups: Iterable[ConsumerGroup],
    route: Route | None,
    cluster_id: str,
) -> Iterator[Previewed]:
    serves = tuple(region for group in groups for region in group.serves)
    decode = Decoder(settings.events, settings.lanes.key)
    shown, played = tee(records)
    fates = dry_run(played, core_options(settings, serves), decode, route, cluster_id)
    yield from map(Previewed, shown, fates)


def _logs(kafka: Reached, options: ConsumerOptions, only: str | None) -> _Logs:
    """`only`: of this topic alone. Raises ConnectorError where a topic is missing, or must not be seen."""
    servers = options.bootstrap_servers
    names: list[str] = []
    for name in options.topics:
        matching = topics_named(kafka.metadata, name)
        if not matching:
            raise UnavailableError(
                f"no topic at {servers} matches {name}", "Create one, or mend kafka.topics"
            )
        names += [topic for topic in matching if topic not in names]
    if only is not None:
        if only not in names:
            raise ConfigurationError(
                f"topic {only} is not among those that are read", f"Give --topic one of {', '.join(names)}"
            )
        names = [only]
    topics = {}
    for topic, facts in topic_facts(kafka, names, LOOKUP_SECONDS).items():
        if isinstance(facts, KafkaError):
            raise connector_error(facts, servers, topic)
        topics[topic] = facts
    partitions = [partition for facts in topics.values() for partition in facts.all_partitions]
    isolation = isolation_level(options.properties)
    try:
        bounds = patiently(
            lambda: log_bounds(kafka.admin, partitions, isolation, LOOKUP_SECONDS), LOOKUP_SECONDS
        )
    except KafkaException as exception:
        raise connector_error(exception.args[0], servers, ", ".join(names)) from None
    return _Logs(topics, bounds)


def _standings(
    kafka: Reached, settings: Settings, group: ConsumerGroup, logs: _Logs, digest: str
) -> Standings:
    """Raises ConnectorError where the group's offsets must not be seen."""
    try:
        commits = patiently(lambda: group_offsets(kafka.admin, group.group_id, logs.bounds), LOOKUP_SECONDS)
    except KafkaException as exception:
        servers = settings.kafka.bootstrap_servers
        raise connector_error(exception.args[0], servers, group_id=group.group_id) from None
    identities = {
        partition: Identity(
            kafka.cluster_id, logs.topics[partition.topic].topic_id, bounds.leader_epoch, digest
        )
        for partition, bounds in logs.bounds.items()
    }
    where = standings(logs.bounds, commits, settings.kafka.auto_offset_reset)
    return with_finished(where, commits, identities)


def _is_finished(record: Record, where: Standings) -> bool:
    partition, offset = TopicPartition(record.topic() or "", record.partition() or 0), record.offset() or 0
    return partition in where and where[partition].has_finished(offset)
