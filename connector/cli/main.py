"""The console script: finds the command, runs it, and turns every failure into one line and an exit code.

A command is a module of this package with `add_parser(subparsers)`, which adds its parser and sets the
default `command` to a function that takes the parsed arguments and returns an exit code. `--version` and
`--config` are added to it here. Modules keep heavy imports inside their functions, so that `--help` is
immediate.
"""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from connector import __version__
from connector.cli.parser import Paragraphs, Parser
from connector.errors import ConnectorError, ExitCode

COMMANDS = {
    "run": "move events from Kafka to Customer.io until stopped",
    "check": "say whether a configuration would work, and how to fix what would not",
    "preview": "show what would be sent for events, sending nothing",
    "publish": "put events from a file on a topic",
    "dlq": "list, show and replay dead letters",
    "config": "show the settings in effect, or their schema",
    "simulate": "run a stand-in for Customer.io",
    "demo": "run the whole job on embedded parts and prove that nothing is lost",
}
"""Each is the module `connector.cli.<name>`, imported only when it is asked for."""

WITHOUT_CONFIG = ("simulate", "demo")

BROKEN_PIPE = 141
"""As a shell reports it: whoever read our output went away."""

EPILOG = """\
example:
  cio-connector demo
  cio-connector check --config config/example.yaml
  cio-connector run --config config/example.yaml

Settings come from the file and from environment variables such as CIO_KAFKA__BOOTSTRAP_SERVERS:
see docs/configuration.md
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code (see README.md) and never raises."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except ConnectorError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.SECOND_SIGNAL
    except BrokenPipeError:
        # The interpreter would complain when it flushes what is left at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception:  # noqa: BLE001 - the last resort, for everything that is no person's mistake
        traceback.print_exc()
        _say(
            f"error: this is a bug in cio-connector {__version__}. Please report it with the traceback above"
        )
        return ExitCode.BUG
    return code


def _run(arguments: list[str]) -> int:
    parser = command_parser(arguments)
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as exit_:  # argparse has said what there is to say
        return exit_.code if isinstance(exit_.code, int) else ExitCode.USAGE
    if parsed.command is None:
        parser.print_help(sys.stderr)
        return ExitCode.USAGE
    return int(parsed.command(parsed))


def command_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, in full for every command that the arguments name, with one line for each other."""
    parser = Parser(
        prog="cio-connector",
        description="Moves events from Kafka to Customer.io: none lost, none counted twice, each person's "
        "in order.",
        epilog=EPILOG,
    )
    parser.set_defaults(command=None, config=None)
    _add_common(parser, config=True)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, meaning in COMMANDS.items():
        if name not in arguments:
            subparsers.add_parser(name, help=meaning)
            continue
        importlib.import_module(f"connector.cli.{name}").add_parser(subparsers)
        for each in _with_nested(subparsers.choices[name]):
            _add_common(each, config=name not in WITHOUT_CONFIG)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, config: bool) -> None:
    """What is the same for every command: how help looks, and options at either side of its name."""
    parser.formatter_class = Paragraphs
    known = parser._option_string_actions
    if "--version" not in known:
        parser.add_argument("--version", action="version", version=f"cio-connector {__version__}")
    if config and "--config" not in known:
        parser.add_argument(
            "--config",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help="the configuration file (default: the one CIO_CONFIG names)",
        )


def _with_nested(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser of a command and those of the commands below it."""
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for nested in action.choices.values():
                found += _with_nested(nested)
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
