"""`dlq list`, `dlq show` and `dlq export`: they join no group, commit nothing and write nothing to Kafka."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import IO

from connector.cli.dlq_source import filters, named, not_there
from connector.dead_letters import wording
from connector.dead_letters.filters import place_from_text
from connector.dead_letters.json_lines import line_of
from connector.dead_letters.letter import DeadLetter, Foreign, read_letter
from connector.dead_letters.selection import Selection
from connector.dead_letters.source import Source
from connector.errors import ConfigurationError, ExitCode

LIST_ROWS = 50
STDOUT = "-"


def list_letters(arguments: argparse.Namespace) -> int:
    """Lists and counts."""
    selection = Selection(filters(arguments))
    limit = arguments.limit
    if limit is None:
        limit = None if arguments.json else LIST_ROWS
    where = named(arguments)
    listed = 0
    with Source(where.consumer, where.require_topic()) as source:
        for letter in _letters(source, selection):
            if arguments.counts or (limit is not None and listed >= limit):
                continue
            if arguments.json:
                print(json.dumps(wording.fields(letter)))
            else:
                print(wording.row(letter) if listed else f"{wording.HEADING}\n{wording.row(letter)}")
            listed += 1
    if arguments.json:
        if arguments.counts:
            print(json.dumps(wording.counts(selection)))
        return ExitCode.DONE
    left_out = selection.letters + selection.foreign - listed
    if left_out and not arguments.counts:
        print(f"... and {left_out:,} more (--limit)")
    if listed:
        print()
    print("\n".join(wording.summary(selection)))
    return ExitCode.DONE


def show(arguments: argparse.Namespace) -> int:
    """Shows one."""
    place = place_from_text(arguments.place)
    where = named(arguments)
    with Source(where.consumer, where.require_topic()) as source:
        letter = _found(source, place)
        if letter is None:
            raise not_there([place], source.topic)
        print("\n".join(wording.details(letter, source.topic, with_value=arguments.value)))
    return ExitCode.DONE


def export(arguments: argparse.Namespace) -> int:
    """Writes JSON lines."""
    selection = Selection(filters(arguments))
    where = named(arguments)
    with Source(where.consumer, where.require_topic()) as source, _output(arguments.output) as file:
        for letter in _letters(source, selection):
            if isinstance(letter, DeadLetter):
                file.write(line_of(letter))
        if selection.places_missing:
            raise not_there(selection.places_missing, source.topic)
    print(f"exported {wording.counted(selection.letters, 'dead letter')}", file=sys.stderr)
    for line in list(wording.summary(selection))[1:]:
        print(line, file=sys.stderr)
    return ExitCode.DONE


def _letters(source: Source, selection: Selection) -> Iterator[DeadLetter | Foreign]:
    return chain.from_iterable(map(selection.among, source.all_batches()))


def _found(source: Source, place: str) -> DeadLetter | Foreign | None:
    """The record at a place in the dead-letter topic, or the first that came from a place."""
    *topic, partition, offset = place.split(":")
    if topic:
        for batch in source.all_batches():
            for letter in map(read_letter, batch):
                if isinstance(letter, DeadLetter) and str(letter.origin) == place:
                    return letter
        return None
    bounds = source.bounds.get(int(partition))
    if bounds is None or not bounds.low <= int(offset) < bounds.end:
        return None
    for batch in source.batches(int(partition), int(offset), int(offset) + 1):
        for record in batch:
            return read_letter(record)
    return None


@contextmanager
def _output(path: str) -> Iterator[IO[bytes]]:
    """A new file that nobody else may read: it holds people's data. One that is not complete, whatever cut it short, is
    not left for somebody to take for it. Raises ConfigurationError."""
    if path == STDOUT:
        try:
            yield sys.stdout.buffer
        finally:
            sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already", "Name a new file") from None
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", "Name another file") from None
    with ExitStack() as incomplete:
        incomplete.callback(os.unlink, path)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        incomplete.pop_all()
