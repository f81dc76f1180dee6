"""`cio-connector demo`: the whole job on embedded parts, and the proof that nothing is lost."""

import argparse
import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from connector.errors import ExitCode

if TYPE_CHECKING:
    from connector.demo.run import Result

EVENTS_MAX = 1_000_000

EXAMPLE = """\
example:
  cio-connector demo
  cio-connector demo --faults --seed 7
  cio-connector demo --events 100000 --rate 5000 --json

Exits with 0 if everything holds, with 1 if not.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `demo`."""
    parser = subparsers.add_parser(
        "demo",
        help="run the whole job on embedded parts and prove that nothing is lost",
        description="Runs the whole job on embedded parts: a Kafka cluster and a stand-in for Customer.io's regions "
        "in this process, and `cio-connector run` in another. Publishes events as a business would, with "
        "duplicates and mistakes among them, and then accounts for every single one from outside: from what "
        "Customer.io holds, what the dead-letter topic holds, and what the consumer groups have committed.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--events",
        type=_events,
        default=20_000,
        metavar="N",
        help=f"records to publish (default: 20000, at most {EVENTS_MAX})",
    )
    parser.add_argument(
        "--rate", type=_rate, metavar="N", help="records a second (default: as fast as they are taken)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="decides the traffic (default: %(default)s)"
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="Customer.io throttles, fails, loses answers, and eu is down for a while",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object instead of a table"
    )
    parser.set_defaults(command=demo)


def demo(arguments: argparse.Namespace) -> int:
    """Run it once."""
    from connector.demo.progress import ProgressDisplay
    from connector.demo.run import DemoOptions, run_demo
    from connector.demo.table import Style, introduction, result_table
    from connector.kafka.interruption import Interruption

    options = DemoOptions(
        events=arguments.events, rate=arguments.rate, seed=arguments.seed, faults=arguments.faults
    )
    if not arguments.json:
        print(introduction(options), flush=True)
    with Interruption() as interruption, closing(ProgressDisplay(sys.stderr)) as progress:
        result = run_demo(options, progress, interruption.check)
    if arguments.json:
        print(json.dumps(_summary(result)))
        for complaint in result.account.complaints:
            print(complaint, file=sys.stderr)
    else:
        print(result_table(result, options, Style(sys.stdout, bool(os.environ.get("NO_COLOR")))))
    return ExitCode.DONE if result.account.ok else ExitCode.CHECK_FAILED


def _summary(result: "Result") -> dict[str, object]:
    account = result.account
    return {
        "published": account.published,
        "accepted": account.accepted,
        "duplicates": account.duplicates,
        "dead_lettered": account.dead_lettered,
        "lost": account.lost,
        "out_of_order": account.out_of_order,
        "wrong_region": account.wrong_region,
        "uncommitted": account.uncommitted,
        "events_per_second": round(result.events_per_second, 1),
        "ok": account.ok,
    }


def _events(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= EVENTS_MAX:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to {EVENTS_MAX}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of records a second")
    return rate
