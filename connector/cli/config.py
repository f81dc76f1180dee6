"""`cio-connector config`: what is in effect, and the schema of what may be."""

import argparse
import json
import os
import sys

from connector.cli.configuration import settings_in_effect
from connector.errors import ExitCode

EXAMPLE_SHOW = """\
example:
  CIO_DELIVERY__CONCURRENCY=20 cio-connector config show --config config/example.yaml
"""
EXAMPLE_SCHEMA = """\
example:
  cio-connector config schema > cio-connector.schema.json
  and as the first line of your configuration file:
  # yaml-language-server: $schema=cio-connector.schema.json
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `config show` and `config schema`."""
    parser = subparsers.add_parser(
        "config",
        help="show the settings in effect, or their schema",
        description="Show the settings in effect, or the schema of a configuration file.",
        epilog=EXAMPLE_SHOW,
    )
    actions = parser.add_subparsers(title="commands", dest="action", required=True, metavar="COMMAND")
    show = actions.add_parser(
        "show",
        help="print the settings in effect, without secrets",
        description="Print the settings in effect: environment over file over defaults, secrets as ***.",
        epilog=EXAMPLE_SHOW,
    )
    show.add_argument("--json", action="store_true", help="as JSON instead of YAML")
    show.set_defaults(command=_show)
    schema = actions.add_parser(
        "schema",
        help="print the JSON Schema of a configuration file",
        description="Print the JSON Schema by which editors check and complete a configuration file.",
        epilog=EXAMPLE_SCHEMA,
    )
    schema.set_defaults(command=_schema)


def _show(arguments: argparse.Namespace) -> int:
    from connector.settings.load import NO_FILE, file_in_effect
    from connector.settings.redact import redacted

    shown = redacted(settings_in_effect(arguments, ()))
    if file_in_effect(arguments.config, os.environ) is None:
        print(f"note: {NO_FILE}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(shown, indent=2))
    else:
        import yaml

        print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
    return ExitCode.DONE


def _schema(arguments: argparse.Namespace) -> int:
    from connector.settings.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return ExitCode.DONE
