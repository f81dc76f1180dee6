"""`cio-connector dlq`: dead letters listed, shown, replayed, and mended by hand."""

import argparse
from collections.abc import Callable

from connector.cli.arguments import add_kafka, count, rate

EXAMPLE = """\
example:
  cio-connector dlq list --config config/example.yaml --since 24h
  cio-connector dlq show --config config/example.yaml 0:17
  cio-connector dlq replay --config config/example.yaml --reason rejected --rate 100
  cio-connector dlq export --config config/example.yaml --reason invalid --output mend.jsonl
  cio-connector dlq import --config config/example.yaml mend.jsonl

The topic is that of the settings; --topic and --bootstrap-servers do without any. See docs/dead-letters.md
"""
EXAMPLE_LIST = """\
example:
  cio-connector dlq list --config config/example.yaml --reason invalid --reason too_large --since 24h
  cio-connector dlq list --bootstrap-servers localhost:9092 --topic customer-events.dead-letters --counts --json
"""
EXAMPLE_SHOW = """\
example:
  cio-connector dlq show --config config/example.yaml 0:17
  cio-connector dlq show --config config/example.yaml customer-events:3:1204 --value
"""
EXAMPLE_REPLAY = """\
Each record goes back to the partition that it came from, as it was, with the header dead-letter.replay. What is put
back and how far that is are one transaction, so that a replay that was interrupted, even killed, goes on with --resume
and puts nothing back twice.

example:
  cio-connector dlq replay --config config/example.yaml --reason rejected --since 24h --rate 100
  cio-connector dlq replay --config config/example.yaml --resume cio-connector-replay-20260131T120000Z-3f2a
"""
EXAMPLE_EXPORT = """\
example:
  cio-connector dlq export --config config/example.yaml --reason invalid --output mend.jsonl
  $EDITOR mend.jsonl
  cio-connector dlq import --config config/example.yaml mend.jsonl
"""
EXAMPLE_IMPORT = """\
Each line of the file is one that dlq export wrote; `topic` and `value` are enough. Nothing is put on a topic if a line
is bad.

example:
  cio-connector dlq import --config config/example.yaml mend.jsonl
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dlq list`, `show`, `replay`, `export` and `import`."""
    parser = subparsers.add_parser(
        "dlq",
        help="list, show and replay dead letters",
        description="List, show, replay and mend dead letters.",
        epilog=EXAMPLE,
    )
    actions = parser.add_subparsers(title="commands", dest="action", required=True, metavar="COMMAND")
    _add_list(actions)
    _add_show(actions)
    _add_replay(actions)
    _add_export(actions)
    _add_import(actions)


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(actions, "list", "list and count dead letters, each record once", EXAMPLE_LIST, _list)
    _add_filters(parser)
    parser.add_argument("--counts", action="store_true", help="only count")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=count,
        help="list so many, and count all (default: 50; with --json: all)",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a record; with --counts, one in all"
    )


def _add_show(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(actions, "show", "show one dead letter: why, where from, headers", EXAMPLE_SHOW, _show)
    parser.add_argument(
        "place",
        metavar="PLACE",
        help="PARTITION:OFFSET in the dead-letter topic, or TOPIC:PARTITION:OFFSET where it came from",
    )
    parser.add_argument(
        "--value", action="store_true", help="show key and value too, which are people's data"
    )


def _add_replay(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(actions, "replay", "put dead letters back on their topic", EXAMPLE_REPLAY, _replay)
    _add_filters(parser)
    _add_writing(parser)
    parser.add_argument("--resume", metavar="ID", help="go on with a replay that was interrupted")


def _add_export(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(
        actions, "export", "write dead letters to a file, to mend them in an editor", EXAMPLE_EXPORT, _export
    )
    _add_filters(parser)
    parser.add_argument(
        "--output", metavar="FILE", default="-", help="a new file (default: -, which is standard output)"
    )


def _add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _add(
        actions, "import", "put mended dead letters from a file on their topics", EXAMPLE_IMPORT, _import
    )
    parser.add_argument("file", metavar="FILE", help="JSON lines; - is standard input")
    parser.add_argument(
        "--after-line", metavar="N", type=count, default=0, help="leave out the lines up to this one"
    )
    _add_writing(parser)


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    meaning: str,
    example: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=meaning,
        description=f"{meaning[0].upper()}{meaning[1:]}.",
        epilog=example,
    )
    parser.add_argument(
        "--topic", metavar="NAME", help="the dead-letter topic (default: that of the settings)"
    )
    add_kafka(parser)
    parser.set_defaults(command=command)
    return parser


def _add_filters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "filters", "all that are given must hold; those marked * may be repeated, and one must hold"
    )
    group.add_argument("--reason", metavar="REASON", action="append", default=[], help="* why it is there")
    group.add_argument(
        "--source-topic", metavar="NAME", action="append", default=[], help="* the topic it came from"
    )
    group.add_argument(
        "--since", metavar="TIME", help="written then or later: 2026-01-31T12:00:00Z, or 90m, 24h, 7d ago"
    )
    group.add_argument("--until", metavar="TIME", help="written before")
    group.add_argument(
        "--place",
        metavar="PLACE",
        action="append",
        default=[],
        help="* PARTITION:OFFSET in the dead-letter topic, or TOPIC:PARTITION:OFFSET where it came from",
    )


def _add_writing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rate", metavar="N", type=rate, help="records a second (default: as fast as they are taken)"
    )
    parser.add_argument(
        "--timestamps",
        choices=("original", "now"),
        help="of the records that are put back (default: original, and none if the topic's retention may take them)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before putting back many")


def _list(arguments: argparse.Namespace) -> int:
    from connector.cli import dlq_reading

    return dlq_reading.list_letters(arguments)


def _show(arguments: argparse.Namespace) -> int:
    from connector.cli import dlq_reading

    return dlq_reading.show(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from connector.cli import dlq_reading

    return dlq_reading.export(arguments)


def _replay(arguments: argparse.Namespace) -> int:
    from connector.cli import dlq_writing

    return dlq_writing.replay(arguments)


def _import(arguments: argparse.Namespace) -> int:
    from connector.cli import dlq_writing

    return dlq_writing.import_lines(arguments)
