"""`cio-connector run`: the job itself."""

import argparse

from connector.cli.configuration import settings_in_effect
from connector.errors import ExitCode

EXAMPLE = """\
example:
  cio-connector run --config config/example.yaml
  cio-connector run --config config/example.yaml --region eu

SIGTERM or Ctrl-C delivers what is held, commits and leaves the group; a second one stops at once. Nothing is lost
either way: what has no ending is read again.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `run`."""
    parser = subparsers.add_parser(
        "run",
        help="move events from Kafka to Customer.io until stopped",
        description="Move events from Kafka to Customer.io until stopped.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--region", metavar="NAME", help="run only the consumer group of this region")
    parser.add_argument(
        "--accept-dead-letters",
        action="store_true",
        help="go on with partitions that were stopped because too many of their records became dead letters",
    )
    parser.add_argument(
        "--accept-routing-change",
        action="store_true",
        help="after a change of regions or routing rules, start all groups at the lowest committed offset",
    )
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    import logging
    import sys

    from connector import __version__
    from connector.cli.changed_settings import changed_settings
    from connector.pipeline.service import Service
    from connector.settings.groups import consumer_groups
    from connector.settings.load import EVERYTHING
    from connector.settings.redact import redacted
    from connector.telemetry.logs import configure_logging
    from connector.telemetry.setup import setup_telemetry

    settings = settings_in_effect(arguments, EVERYTHING)
    configure_logging(settings.log.level, settings.log.format)
    groups = consumer_groups(settings, arguments.region)
    telemetry = setup_telemetry(
        region_urls={name: region.url for name, region in settings.regions.items()},
        process_span_share=settings.telemetry.process_span_share,
        process_spans_per_second_max=settings.telemetry.process_spans_per_second_max,
    )
    named = [group.group_id for group in groups]
    logging.getLogger("connector").info(
        "cio-connector starts",
        extra={
            "fields": {"version": __version__, "groups": named, "settings": redacted(settings)},
            "text_fields": {
                "version": __version__,
                "groups": ",".join(named),
                **changed_settings(settings),
            },
        },
    )
    service = Service(
        settings, groups, telemetry, arguments.accept_dead_letters, arguments.accept_routing_change
    )
    try:
        if sys.platform == "win32":
            import asyncio

            return asyncio.run(service.run())
        import uvloop

        code: ExitCode = uvloop.run(service.run())
        return code
    finally:
        telemetry.shutdown()
