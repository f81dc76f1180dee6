"""The argument parser of every command: help that fits the terminal, and errors of a few lines."""

import argparse
import sys
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NoReturn

from connector.errors import ExitCode


class Paragraphs(argparse.HelpFormatter):
    """Wraps descriptions and epilogs. Indented lines, which are examples to be copied, stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = []
        for kind, lines in groupby(text.splitlines(), _kind):
            if kind == "prose":
                words = " ".join(lines)
                parts.append(
                    textwrap.fill(words, width, initial_indent=indent, subsequent_indent=indent, **_WHOLE)
                )
            else:
                parts += [indent + line for line in lines]
        return "\n".join(parts)


_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


def _kind(line: str) -> str:
    if not line.strip():
        return "gap"
    return "example" if line.startswith(" ") else "prose"


class Parser(argparse.ArgumentParser):
    """Says what is wrong, what was probably meant, and where help is, for the command that was given: argparse shows
    all options first, and those of the command above where one is unknown. Options are written out: the beginning of
    one could come to mean another."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def parse_known_args(  # type: ignore[override]  # typeshed has overloads, which come to the same
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = (name for name in self._option_string_actions if name.startswith("--"))
            self.error(f"unknown: {' '.join(unknown)}{_meant(unknown[0].partition('=')[0], options)}")
        return parsed, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _meant(str(value), map(str, action.choices or ()))
            raise

    def error(self, message: str) -> NoReturn:
        words = [self.prog, "[options]", *map(_shown, self._get_positional_actions())]
        print(f"usage: {' '.join(words)}\nerror: {message}\nsee {self.prog} --help", file=sys.stderr)
        sys.exit(ExitCode.USAGE)


def _shown(positional: argparse.Action) -> str:
    name = str(positional.metavar or positional.dest)
    return f"{name} ..." if positional.nargs == argparse.PARSER else name


def _meant(given: str, known: Iterable[str]) -> str:
    import difflib

    by_word = {name.lstrip("-"): name for name in known}
    close = difflib.get_close_matches(given.lstrip("-"), list(by_word), 1, 0.6)
    return f"; did you mean {by_word[close[0]]}?" if close else ""
