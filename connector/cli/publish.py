"""`cio-connector publish`: events from a file onto a topic, with the person as key and a trace each."""

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connector.cli.arguments import add_kafka, rate
from connector.cli.configuration import settings_in_effect
from connector.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from connector.kafka.publisher import Publisher, PublisherOptions
    from connector.telemetry.setup import TelemetryShell

EXAMPLE = """\
Each line of the file is a JSON object: an event, or {"value": ..., "key": ..., "headers": {"name": "text"}}, where a
value that is a string stands for its own bytes and null for a record without a value. Without a key, the person's
identifier becomes it. Every record gets a trace context (OTEL_* variables say where spans go).

example:
  cio-connector publish --bootstrap-servers localhost:9092 --topic customer-events --file events.jsonl
  generate-events | cio-connector publish --config config/example.yaml --rate 500
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `publish`."""
    parser = subparsers.add_parser(
        "publish",
        help="put events from a file on a topic",
        description="Put events from a file, or from standard input, on a topic.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--file", metavar="FILE", default="-", help="JSON lines (default: -, which is standard input)"
    )
    parser.add_argument("--topic", metavar="NAME", help="the topic (default: the one of kafka.topics)")
    add_kafka(parser)
    parser.add_argument(
        "--rate", metavar="N", type=rate, help="records a second (default: as fast as they are taken)"
    )
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from connector.kafka.abandon import abandon
    from connector.kafka.interruption import Interruption
    from connector.kafka.lines import opened, read_lines
    from connector.kafka.publisher import Publisher

    topic, options = _destination(arguments)
    telemetry = _telemetry(os.environ)
    with Interruption() as interruption:
        publisher = Publisher(options, telemetry.publish_spans().begin, interruption.check)
        try:
            with opened(arguments.file) as file:
                publisher.require_topic(topic)
                try:
                    for line in interruption.raised_between(read_lines(file, topic)):
                        publisher.send(line.record, place=f"line {line.number}")
                finally:
                    _finish(publisher, topic)
        except BaseException:
            abandon(publisher)
            raise
        finally:
            telemetry.shutdown()
    return ExitCode.DONE


def _destination(arguments: argparse.Namespace) -> "tuple[str, PublisherOptions]":
    """The topic, and how it is reached."""
    from connector.kafka.configuration import ProducerOptions
    from connector.kafka.publisher import PublisherOptions

    kafka = settings_in_effect(arguments, ()).kafka
    servers = arguments.bootstrap_servers or kafka.bootstrap_servers
    if not servers:
        raise ConfigurationError(
            "no brokers are named", "Give --bootstrap-servers, or kafka.bootstrap_servers"
        )
    topics = [arguments.topic] if arguments.topic else list(kafka.topics)
    if len(topics) != 1 or topics[0].startswith("^"):
        raise ConfigurationError("it is not clear which topic to publish to", "Give --topic")
    producer = ProducerOptions(
        bootstrap_servers=servers, properties={**kafka.properties, **dict(arguments.properties)}
    )
    return topics[0], PublisherOptions(producer=producer, records_per_second=arguments.rate)


def _finish(publisher: "Publisher", topic: str) -> None:
    """Waits for what was sent, and says what came of it, also where a bad line, a broker or Ctrl-C stops it; a
    second Ctrl-C ends the wait."""
    try:
        publisher.flush()
    finally:
        number = publisher.acknowledged
        print(f"{number} record{'' if number == 1 else 's'} acknowledged on topic {topic}", flush=True)


def _telemetry(environ: Mapping[str, str]) -> "TelemetryShell":
    """Every record gets a span, whether spans are exported or not: the consumer's trace hangs on it."""
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from connector.telemetry.export import exporters_from_environment
    from connector.telemetry.logs import configure_logging
    from connector.telemetry.setup import setup_telemetry

    exporters = exporters_from_environment()
    processor: SpanProcessor | None = None
    if exporters.spans is not None:
        configure_logging("warning", "text")
        processor = BatchSpanProcessor(exporters.spans)
    elif environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true":
        processor = SpanProcessor()
    return setup_telemetry(region_urls={}, process_spans_per_second_max=1e9, span_processor=processor)
