"""`cio-connector check`: would it work, and if not, what is to be done?"""

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.checks.result import Check

EXAMPLE = """\
example:
  cio-connector check --config config/example.yaml
  cio-connector check --config config/example.yaml --region eu --json

Looks at the configuration, the brokers, topics, consumer groups and the dead-letter topic with their permissions, each
region's credentials and whether its workspace is where it is said to be. Joins no group, writes and commits nothing,
sends no event.

Each line begins with ok, warn (it works, but), fail (with what to do) or skip (not looked at, after a failure).

exit codes: 0 nothing failed; 2 the configuration is wrong; 77 credentials or permissions are refused; 69 something is
unreachable or missing; 1 anything else. Of several, the first in this order.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check`."""
    parser = subparsers.add_parser(
        "check",
        help="say whether a configuration would work, and how to fix what would not",
        description="Say line by line whether a configuration would work, and how to fix what would not.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--region", metavar="NAME", help="check only the consumer group and workspace of this region"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object with a list of checks")
    parser.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> int:
    from connector.checks.result import exit_code

    found = asyncio.run(_found(arguments))
    code = exit_code(found)
    if arguments.json:
        import msgspec

        listed = [_listed(check) for check in found]
        shown = {"ok": code == 0, "exit_code": code, "checks": listed}
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    else:
        print(_summary(found), file=sys.stderr)
    return code


def _summary(found: "list[Check]") -> str:
    from connector.checks.result import Status, counted

    failures = sum(check.status is Status.FAIL for check in found)
    warnings = sum(check.status is Status.WARN for check in found)
    if failures:
        return f"{failures} of {len(found)} checks failed"
    return f"nothing failed, {counted(warnings, 'warning')}" if warnings else "all is well"


async def _found(arguments: argparse.Namespace) -> "list[Check]":
    """Everything, printed line by line as it comes unless JSON is wanted."""
    from connector.checks.suite import checks

    found = []
    async for check in checks(arguments.config, os.environ, arguments.region):
        found.append(check)
        if not arguments.json:
            print(check, flush=True)
    return found


def _listed(check: "Check") -> dict[str, Any]:
    return {
        "status": check.status,
        "check": check.check,
        "subject": check.subject,
        "message": check.message,
        "fix": check.fix,
    }
