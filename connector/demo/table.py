"""The last word: a table in which everything that was published is accounted for."""

import textwrap
from collections.abc import Mapping
from typing import TextIO

from connector.demo.accounting import Account
from connector.demo.embedded_kafka import BROKERS
from connector.demo.people import PARTITIONS
from connector.demo.run import DemoOptions, Result

_LABEL = 18
_NUMBER = 12
_WIDTH = 78
_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Style:
    """Colours and marks, as far as the stream takes them."""

    def __init__(self, stream: TextIO, no_color: bool) -> None:
        self._colours = stream.isatty() and not no_color
        try:
            "✓✗─".encode(stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            self._good, self._bad, self.line = "ok", "NO", "-"
        else:
            self._good, self._bad, self.line = "✓", "✗", "─"

    def mark(self, good: bool) -> str:
        text = f"{self._good if good else self._bad:<2}"
        return self._coloured(text, _GREEN if good else _RED)

    def verdict(self, text: str, good: bool) -> str:
        return self._coloured(text, _BOLD + (_GREEN if good else _RED))

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text


def introduction(options: DemoOptions) -> str:
    """What is about to happen."""
    faults = ", which fail now and then" if options.faults else ""
    return f"""The whole job on embedded parts: {options.events:,} records, seed {options.seed}

   publisher           people of both regions, duplicates, mistakes on purpose
   Kafka               {BROKERS} brokers, a topic of {PARTITIONS} partitions
   cio-connector run   a process of its own, a consumer group for each region
   Customer.io         stand-ins for us and eu{faults}
"""


def result_table(result: Result, options: DemoOptions, style: Style) -> str:
    """Lines of less than 80 characters."""
    account = result.account
    ended = account.accepted + account.duplicates + account.dead_lettered
    lines = [
        *_row("   ", "published", account.published, "records on the topic"),
        *_row("   ", "accepted", account.accepted, f"events at Customer.io: {_by_region(account)}"),
        *_row("   ", "duplicates", account.duplicates, "published twice, counted once"),
        *_row("   ", "dead-lettered", account.dead_lettered, _by_reason(account)),
        " " * (3 + _LABEL) + style.line * _NUMBER,
        *_row(style.mark(account.balanced) + " ", "accounted for", ended, ""),
        "",
        *_check(style, "lost", account.lost, "neither accepted nor a dead letter"),
        *_check(style, "out of order", account.out_of_order, "each person's, within a partition"),
        *_check(style, "wrong region", account.wrong_region, "each person's is us or eu"),
        *_check(style, "uncommitted", account.uncommitted, "behind the end of the log, in both groups"),
    ]
    if options.faults:
        lines += [
            "",
            *_row(
                "   ", "spoiled requests", result.requests_spoiled, "throttled, failed, reset, answers lost"
            ),
            *_row("   ", "sent again", account.repeated, "operations, after their answer was lost"),
        ]
    return "\n".join([*lines, "", *_verdict(result, style)])


def _verdict(result: Result, style: Style) -> list[str]:
    account = result.account
    speed = (
        f"{account.published:,} records in {result.seconds:.1f} s, {result.events_per_second:,.0f} events/s"
    )
    if account.ok:
        return [style.verdict("Everything holds.", True) + f" {speed}"]
    lines = [style.verdict("It does not hold.", False) + f" {speed}"]
    for complaint in account.complaints:
        lines += textwrap.wrap(complaint, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return lines


def _check(style: Style, label: str, number: int, note: str) -> list[str]:
    return _row(style.mark(number == 0) + " ", label, number, note)


def _row(mark: str, label: str, number: int, note: str) -> list[str]:
    head = f"{label:<{_LABEL}}{number:>{_NUMBER},}   "
    indent = 3 + len(head)
    notes = textwrap.wrap(note, _WIDTH - indent) or [""]
    return [(mark + head + notes[0]).rstrip(), *(" " * indent + more for more in notes[1:])]


def _by_region(account: Account) -> str:
    regions = _most_first(account.accepted_by_region)
    return ", ".join(f"{region} {number:,}" for region, number in regions)


def _by_reason(account: Account) -> str:
    reasons = _most_first(account.dead_letters_by_reason)
    return ", ".join(f"{reason} {number:,}" for reason, number in reasons)


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """By name where two are equal, so that a seed's table is always the same."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
