"""`cio-connector preview`: the requests that the next records would become. Sends nothing, commits nothing."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from connector.cli.configuration import settings_in_effect
from connector.errors import ExitCode

if TYPE_CHECKING:
    from connector.pipeline.preview import Previewed
    from connector.settings.consistency import Need
    from connector.settings.model import Settings

EXAMPLE = """\
example:
  cio-connector preview --config config/example.yaml
  cio-connector preview --config config/example.yaml --region eu --from-beginning --max 100 --json
  echo '{"type":"track","userId":"42","event":"Order Completed"}' | cio-connector preview --file -

Sends nothing, joins no group and commits nothing. Begins with the first record that is not committed.

A file holds one event a line, or {"value": ..., "key": ..., "headers": {...}}, as for publish; neither Kafka nor
credentials are needed for it, and without --config Customer.io's two regions are assumed. A line has neither a time
nor a place in a topic: an event without a timestamp or an id gets one from the record that it is published as; the id
that is shown stands in for that one.

With --json, a line for each record: its topic, partition and offset, or its line in the file; event_id; region; and
operations, each exactly as it would be sent after its "request" (v2 or v1), or else outcome and reason.
Attributes are shown. Duplicates are found among the records that are read here.
"""

RECORDS = 10
SECONDS = 10.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `preview`."""
    parser = subparsers.add_parser(
        "preview",
        help="show what would be sent for events, sending nothing",
        description="Show the requests that the next records of the topics, or of a file, would become.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--file", metavar="FILE", help="take the records of this file instead; - is standard input"
    )
    parser.add_argument(
        "--topic",
        metavar="NAME",
        help="only the records of this one of kafka.topics; with --file: the topic that they are taken to come from, "
        "for routing rules",
    )
    parser.add_argument(
        "--region", metavar="NAME", help="only what the consumer group of this region delivers"
    )
    parser.add_argument(
        "--from-beginning",
        action="store_true",
        help="begin with the oldest records instead of the first that are not committed",
    )
    parser.add_argument(
        "--max", type=_count, metavar="N", help=f"records at most (default: {RECORDS}; with --file: all)"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=SECONDS,
        metavar="SECONDS",
        help="how long records are waited for (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a record")
    parser.set_defaults(command=_preview)


def _preview(arguments: argparse.Namespace) -> int:
    from_file = arguments.file is not None
    needs: tuple[Need, ...] = () if from_file else ("kafka",)
    settings = settings_in_effect(arguments, needs)
    limit = arguments.max if arguments.max is not None or from_file else RECORDS
    outcomes: Counter[str] = Counter()
    for previewed in islice(_records(arguments, settings), limit):
        outcomes[previewed.fate.outcome] += 1
        print(_json(previewed, from_file) if arguments.json else _text(previewed, from_file))
    if not arguments.json:
        print(_summary(outcomes), file=sys.stderr)
    return ExitCode.DONE


def _records(arguments: argparse.Namespace, settings: "Settings") -> "Iterator[Previewed]":
    from connector.pipeline.preview import preview_file, preview_topics

    if arguments.file is None:
        return preview_topics(
            settings, arguments.region, arguments.from_beginning, arguments.timeout, arguments.topic
        )
    topics = settings.kafka.topics
    topic = arguments.topic or (topics[0] if len(topics) == 1 and not topics[0].startswith("^") else "")
    return preview_file(settings, arguments.file, topic, arguments.region)


def _json(previewed: "Previewed", from_file: bool) -> str:
    import msgspec

    record, fate = previewed
    shown: dict[str, Any] = {}
    if from_file:
        shown["line"] = record.offset()
    else:
        shown |= {"topic": record.topic(), "partition": record.partition(), "offset": record.offset()}
    shown |= {"event_id": fate.event_id, "region": _region(previewed)}
    if fate.operations:
        shown["operations"] = [msgspec.Raw(_with_request(kind, body)) for kind, body in fate.operations]
    else:
        shown |= {"outcome": fate.outcome, "reason": fate.reason or None, "message": fate.message or None}
    return msgspec.json.encode(shown).decode()


def _with_request(kind: str, body: bytes) -> bytes:
    """The operation with `"request"` as its first member; not a byte of it is changed."""
    return b'{"request":"%b",%b' % (kind.encode(), body.removeprefix(b"{"))


def _text(previewed: "Previewed", from_file: bool) -> str:
    record, fate = previewed
    if from_file:
        place = f"line {record.offset()}"
    else:
        place = f"{record.topic()}[{record.partition()}] offset {record.offset()}"
    parts = [place]
    if fate.event_id is not None:
        parts.append(f"event {_printable(fate.event_id)}")
    if region := _region(previewed):
        parts.append(f"region {region}")
    if not fate.operations:
        return f"{', '.join(parts)}\n  {_word(fate.outcome)}: {_why(previewed)}"
    lines = [", ".join(parts)]
    for kind, body in fate.operations:
        lines += [f"  {_PATHS[kind]}", *(f"  {line}" for line in _indented(body))]
    return "\n".join(lines)


_PATHS = {"v2": "POST /api/v2/batch, an item of its batch", "v1": "POST /api/v1/events"}


def _why(previewed: "Previewed") -> str:
    """Why nothing would be sent."""
    record, fate = previewed
    match fate.outcome:
        case "duplicate":
            return "its event id came before"
        case "unchanged":
            return "it says what the last identify of this person said"
        case "filtered":
            return "it has no value" if record.value() is None else "another consumer group's"
        case _:
            return f"{fate.reason}: {fate.message}"


def _region(previewed: "Previewed") -> str | None:
    """The region that the event goes to; None where it never came so far."""
    fate = previewed.fate
    return None if fate.event_id is None else fate.region


def _indented(body: bytes) -> list[str]:
    import msgspec

    return msgspec.json.format(body, indent=2).decode().splitlines()


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


def _summary(outcomes: "Counter[str]") -> str:
    if not outcomes:
        return "nothing to show: there are no records, or none are left to read"
    counts = [f"{number} {_word(outcome)}" for outcome, number in outcomes.items()]
    return f"records: {outcomes.total()} ({', '.join(counts)}). Nothing was sent or committed"


def _word(outcome: str) -> str:
    return "to be sent" if outcome == "accepted" else outcome.replace("_", "-")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return seconds
