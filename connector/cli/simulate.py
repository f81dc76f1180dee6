"""`cio-connector simulate`: the Customer.io stand-in alone, to point an SDK, a test or the connector at."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from connector.simulator import Fault, SimulatorOptions

_EXAMPLE = """\
example:
  cio-connector simulate --us-port 9001 --eu-port 9002 --us-credentials SITE:KEY --eu-credentials SITE:KEY
  curl -u SITE:KEY http://127.0.0.1:9001/api/v1/accounts/region
  curl http://127.0.0.1:9001/simulator/state

While it runs, faults are injected and looked at over HTTP:
  curl -X POST http://127.0.0.1:9001/simulator/faults -d '{"kind": "status", "status": 503, "requests": 3}'

Kinds are latency, status, redirect, reject_items, reset, hang, truncate and garbage; conditions are region, path,
contains, probability, requests and seconds; "applied": true loses the answer only. Others: GET state, violations,
operations, people, faults; DELETE faults; POST reset. See docs/simulator.md
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "simulate",
        help="run a stand-in for Customer.io",
        description="Runs a stand-in for Customer.io's Track API: one port for the US host and one for the EU's. It "
        "checks every request against the API reference, ignores events whose ULID it has seen, remembers what it "
        "accepted, and lets things go wrong on request.",
        epilog=_EXAMPLE,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    for region, port in (("us", 9001), ("eu", 9002)):
        name = region.upper()
        parser.add_argument(
            f"--{region}-port",
            type=_port,
            default=port,
            metavar="PORT",
            help=f"{name} (default: %(default)s; 0: any)",
        )
        parser.add_argument(
            f"--{region}-credentials",
            type=_credentials,
            default=(f"{region}-site", f"{region}-key"),
            metavar="SITE:KEY",
            help=f"site id and API key of the {name} workspace (default: {region}-site:{region}-key)",
        )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="speak https with a certificate made on the spot; prints what to trust",
    )
    parser.add_argument(
        "--ca-file",
        metavar="PATH",
        help="with --tls: write the authority to trust here instead of a temporary file",
    )
    parser.add_argument(
        "--no-strict",
        action="store_true",
        help="forgive what Customer.io forgives: unknown fields, numbers as ids, invalid timestamps and event ids",
    )
    parser.add_argument(
        "--remember",
        choices=("counts", "operations", "attributes"),
        default="attributes",
        help="what is kept in memory of each operation (default: %(default)s; for long runs: counts)",
    )
    _add_fault_arguments(parser)
    parser.set_defaults(command=simulate)


def _add_fault_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("faults", "rates are probabilities from 0 to 1, decided by --seed")
    group.add_argument(
        "--seed", type=int, default=0, help="decides every random choice (default: %(default)s)"
    )
    group.add_argument(
        "--latency-ms", type=_positive, default=0.0, metavar="MS", help="every answer comes later"
    )
    group.add_argument(
        "--jitter-ms", type=_positive, default=0.0, metavar="MS", help="up to so much later still"
    )
    group.add_argument("--throttle-rate", type=_rate, default=0.0, metavar="RATE", help="answered with 429")
    group.add_argument(
        "--retry-after", type=_positive, metavar="SECONDS", help="Retry-After of these 429 (default: none)"
    )
    group.add_argument("--error-rate", type=_rate, default=0.0, metavar="RATE", help="answered with 503")
    group.add_argument(
        "--reset-rate", type=_rate, default=0.0, metavar="RATE", help="connection reset, not applied"
    )
    group.add_argument(
        "--lost-answer-rate",
        type=_rate,
        default=0.0,
        metavar="RATE",
        help="applied, then the connection is reset",
    )
    group.add_argument(
        "--hang-rate", type=_rate, default=0.0, metavar="RATE", help="never answered, not applied"
    )
    group.add_argument(
        "--reject-rate", type=_rate, default=0.0, metavar="RATE", help="items rejected in a 207"
    )


def simulate(arguments: argparse.Namespace) -> int:
    """Runs until it is interrupted."""
    from connector.simulator.console import serve

    asyncio.run(serve(_options(arguments)))
    return ExitCode.DONE


def _options(arguments: argparse.Namespace) -> "SimulatorOptions":
    from connector.simulator import SimulatorOptions, WorkspaceOptions

    if arguments.us_credentials == arguments.eu_credentials:
        raise ConfigurationError(
            "--us-credentials and --eu-credentials are the same", "Give each region credentials of its own"
        )
    workspaces = {}
    for number, region in enumerate(("us", "eu"), 1):
        site_id, api_key = getattr(arguments, f"{region}_credentials")
        port = getattr(arguments, f"{region}_port")
        workspaces[region] = WorkspaceOptions(
            site_id=site_id, api_key=api_key, port=port, environment_id=number
        )
    return SimulatorOptions(
        workspaces=workspaces,
        host=arguments.host,
        strict=not arguments.no_strict,
        remember_operations=arguments.remember != "counts",
        remember_attributes=arguments.remember == "attributes",
        seed=arguments.seed,
        faults=tuple(_faults(arguments)),
        tls=arguments.tls,
        ca_file=arguments.ca_file,
    )


def _faults(arguments: argparse.Namespace) -> "list[Fault]":
    from connector.simulator import Fault, FaultKind

    faults = []
    if arguments.latency_ms or arguments.jitter_ms:
        delay, jitter = arguments.latency_ms / 1000, arguments.jitter_ms / 1000
        faults.append(Fault(kind=FaultKind.LATENCY, delay_seconds=delay, jitter_seconds=jitter))
    if arguments.throttle_rate:
        faults.append(
            Fault(
                kind=FaultKind.STATUS,
                status=429,
                probability=arguments.throttle_rate,
                retry_after_seconds=arguments.retry_after,
            )
        )
    if arguments.error_rate:
        faults.append(Fault(kind=FaultKind.STATUS, status=503, probability=arguments.error_rate))
    if arguments.reset_rate:
        faults.append(Fault(kind=FaultKind.RESET, probability=arguments.reset_rate))
    if arguments.lost_answer_rate:
        faults.append(Fault(kind=FaultKind.RESET, probability=arguments.lost_answer_rate, applied=True))
    if arguments.hang_rate:
        faults.append(Fault(kind=FaultKind.HANG, probability=arguments.hang_rate))
    if arguments.reject_rate:
        faults.append(Fault(kind=FaultKind.REJECT_ITEMS, share=arguments.reject_rate))
    return faults


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _credentials(text: str) -> tuple[str, str]:
    site_id, colon, api_key = text.partition(":")
    if not (site_id and colon and api_key):
        raise argparse.ArgumentTypeError("credentials are SITE:KEY")
    return site_id, api_key


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("must be a number from 0 on")
    return number


def _rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("a rate is a number from 0 to 1")
    return number
