"""The stand-in in a terminal: what it listens on, a line a second of what happens, a table at the end."""

import asyncio
import signal
import time

import msgspec

from connector.simulator.options import SimulatorOptions
from connector.simulator.server import Simulator
from connector.simulator.workspace import Counts

_SUMMARY = (
    ("requests", "requests"),
    ("requests_refused", "  refused"),
    ("requests_faulted", "  spoiled by faults"),
    ("operations_accepted", "operations accepted"),
    ("operations_ignored", "  without effect (suppressed or unknown people)"),
    ("operations_duplicate", "events ignored as duplicates"),
    ("operations_conflicting", "  whose content differs from the first"),
    ("operations_rejected", "operations rejected"),
)


async def serve(options: SimulatorOptions) -> None:
    """Listens until SIGINT or SIGTERM."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with Simulator(options) as simulator:
        _say(_introduction(simulator))
        activity = asyncio.create_task(_show_activity(simulator))
        await stopping.wait()
        activity.cancel()
        _say(_summary(simulator))


async def _show_activity(simulator: Simulator) -> None:
    """One line a second in which something happened."""
    before = _counts(simulator)
    while True:
        await asyncio.sleep(1)
        now = _counts(simulator)
        if now != before:
            parts = [
                _activity(region, before[region], now[region])
                for region in now
                if now[region] != before[region]
            ]
            violations = simulator.violations.total
            invalid = f"   {violations} violations so far" if violations else ""
            _say(f"{time.strftime('%H:%M:%S')}  {'   '.join(parts)}{invalid}")
        before = now


def _counts(simulator: Simulator) -> dict[str, Counts]:
    return {
        region: msgspec.structs.replace(workspace.counts)
        for region, workspace in simulator.workspaces.items()
    }


def _activity(region: str, before: Counts, now: Counts) -> str:
    def change(name: str) -> int:
        return int(getattr(now, name) - getattr(before, name))

    parts = [f"{change('requests')} requests", f"{change('operations_accepted')} accepted"]
    for name, label in (
        ("operations_duplicate", "duplicates"),
        ("operations_rejected", "rejected"),
        ("requests_refused", "refused"),
        ("requests_faulted", "faults"),
    ):
        if change(name):
            parts.append(f"{change(name)} {label}")
    return f"{region}: {', '.join(parts)}"


def _introduction(simulator: Simulator) -> str:
    lines = ["Customer.io's stand-in listens on"]
    for region, workspace in simulator.options.workspaces.items():
        lines.append(
            f"  {region.upper()}  {simulator.url(region)}   site id {workspace.site_id}, the API key as given"
        )
    us, port = simulator.url("us"), simulator.port("us")
    if simulator.ca_file is None:
        lines.append(
            "The connector: regions.us.url and regions.eu.url. The Python SDKs speak https only: --tls"
        )
    else:
        python = f"(site_id, api_key, host='localhost', port={port})"
        node = f"new TrackClient(siteId, apiKey, {{url: 'https://localhost:{port}/api/v1', port: {port}}})"
        lines += [
            f"Trust this certificate authority: {simulator.ca_file}",
            f"  customerio        REQUESTS_CA_BUNDLE=<it>   CustomerIO{python}",
            f"  async-customerio  SSL_CERT_FILE=<it>        AsyncCustomerIO{python}",
            f"  customerio-node   NODE_EXTRA_CA_CERTS=<it>  {node}",
        ]
    return "\n".join([*lines, f"Look inside: {us}/simulator/state   Stop: Ctrl-C", ""])


def _summary(simulator: Simulator) -> str:
    regions = list(simulator.workspaces)
    rows = [("", *(region.upper() for region in regions))]
    for name, label in _SUMMARY:
        numbers = [getattr(simulator.workspaces[region].counts, name) for region in regions]
        if any(numbers) or not label.startswith("  "):
            rows.append((label, *(f"{number:,}" for number in numbers)))
    rows.append(("people", *(f"{len(simulator.workspaces[region].people):,}" for region in regions)))
    width = max(len(row[0]) for row in rows)
    lines = [""] + [f"{row[0]:{width}}" + "".join(f"{cell:>14}" for cell in row[1:]) for row in rows]
    violations = simulator.violations
    lines.append(f"violations of the API reference: {violations.total}")
    for violation in violations.kept[:10]:
        item = "" if violation.batch_index is None else f", item {violation.batch_index}"
        action = f" {violation.action}" if violation.action else ""
        lines.append(
            f"  {violation.region} {violation.request}{item}{action}: {violation.field} {violation.message}"
        )
    if violations.total > 10:
        lines.append(f"  ... and {violations.total - 10} more")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, flush=True)
