"""`dlq replay` and `dlq import`: dead letters back on their topics."""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import IO

from connector.cli.dlq_source import Named, filters, named, not_there
from connector.dead_letters import importing, wording
from connector.dead_letters.json_lines import read_lines
from connector.dead_letters.letter import Place
from connector.dead_letters.replay import (
    Replay,
    begin,
    found_replay,
    go_on,
    new_replay,
    partition_counts,
    require_topics,
    survey,
)
from connector.dead_letters.retention import require_kept
from connector.dead_letters.source import REACH_SECONDS, Source
from connector.dead_letters.writer import Writer
from connector.errors import ConfigurationError, ConnectorError, ExitCode
from connector.kafka.lines import STDIN, opened
from connector.kafka.reach import Reached, reached

ASK_ABOVE = 100
PROGRESS_SECONDS = 10.0


def replay(arguments: argparse.Namespace) -> int:
    """A new replay, or one that was begun."""
    where = named(arguments)
    resumed = _resumed(arguments, where) if arguments.resume else None
    topic = resumed.topic if resumed is not None else where.require_topic()
    with Source(where.consumer, topic) as source:
        it = resumed or new_replay(source, filters(arguments), where.consumer.group_id, datetime.now(UTC))
        found = survey(source, it)
        for line in wording.summary(found.selection):
            _say(line)
        if found.missed:
            _say(
                f"{found.missed:,} records that retention deleted before this replay came to them are missed"
            )
        if resumed is None and found.selection.places_missing:
            raise not_there(found.selection.places_missing, topic)
        if not found.targets and resumed is None:
            print("replayed 0 dead letters: there are none to replay")
            return ExitCode.DONE
        require_topics(
            source.kafka,
            where.servers,
            found.targets,
            "leave their dead letters out: --source-topic names those to replay",
        )
        if arguments.timestamps is None:
            require_kept(source.kafka, found.oldest_ms, int(time.time() * 1000))
        if not _agreed("replay", found.targets, arguments.yes):
            return ExitCode.DONE
        writer = _writer(arguments, where, source.kafka, it.id)
        if resumed is None:
            begin(writer, it)
        else:
            it = found_replay(source.kafka, where.servers, it.id)  # nobody else goes on with it any more
        _say(f"replay {it.id}")
        return _run(source, it, found.selection.copies, writer, found.targets)


def import_lines(arguments: argparse.Namespace) -> int:
    """A file's lines, all or none of them bad."""
    where = named(arguments)
    kafka = reached(where.consumer, REACH_SECONDS)
    with _seekable(arguments.file) as file:
        contents = importing.contents(file, kafka.cluster_id, arguments.after_line)
        if contents.cut:
            _say(f"{wording.counted(contents.cut, 'line')} without the value that was too large: passed over")
        if not contents.targets:
            print("imported 0 records: there are none")
            return ExitCode.DONE
        require_topics(
            kafka, where.servers, contents.targets, "mend or remove the lines of the file that name them"
        )
        if arguments.timestamps is None:
            require_kept(kafka, contents.oldest_ms, int(time.time() * 1000))
        if not _agreed("import", contents.targets, arguments.yes):
            return ExitCode.DONE
        file.seek(0)
        return _import(file, arguments, where, kafka)


def _resumed(arguments: argparse.Namespace, where: Named) -> Replay:
    given = (arguments.reason, arguments.source_topic, arguments.since, arguments.until, arguments.place)
    if any(given):
        raise ConfigurationError(
            "--resume goes on with what the replay was begun for", "Leave the filters out"
        )
    it = found_replay(reached(where.consumer, REACH_SECONDS), where.servers, arguments.resume)
    if arguments.topic and arguments.topic != it.topic:
        raise ConfigurationError(f"replay {it.id} is one of topic {it.topic}", "Leave --topic out")
    return it


def _run(source: Source, it: Replay, copies: set[Place], writer: Writer, targets: Counter[str]) -> int:
    total = targets.total()
    said_at = time.monotonic()

    def progress(committed: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= PROGRESS_SECONDS:
            said_at = time.monotonic()
            _say(f"{committed:,} of {total:,}")

    how_to_go_on = f"Go on with: cio-connector dlq replay --resume {it.id}"
    try:
        with _stopped_by_signal() as stopped:
            complete = go_on(source, it, copies, writer, stopped, progress)
    except ConnectorError:
        _say(f"replayed {writer.committed_records:,} of {total:,}. {how_to_go_on}")
        raise
    if complete:
        print(f"replayed {wording.counted(writer.committed_records, 'dead letter')}{_to(targets)}")
        return ExitCode.DONE
    _say(f"stopped: replayed {writer.committed_records:,} of {total:,}. {how_to_go_on}")
    return ExitCode.SECOND_SIGNAL


def _import(file: IO[bytes], arguments: argparse.Namespace, where: Named, kafka: Reached) -> int:
    last = arguments.after_line

    def committed(line: int) -> None:
        nonlocal last
        last = line

    def how_to_go_on() -> str:
        return f"Lines up to {last} are on their topics. Go on with --after-line {last}"

    writer_id = f"{where.consumer.group_id}-import-{secrets.token_hex(8)}"
    writer = _writer(arguments, where, kafka, writer_id)
    try:
        with _stopped_by_signal() as stopped:
            lines = read_lines(file, kafka.cluster_id)
            complete = importing.put_on_topics(lines, arguments.after_line, writer, stopped, committed)
    except ConnectorError:
        _say(how_to_go_on())
        raise
    if not complete:
        _say(f"stopped. {how_to_go_on()}")
        return ExitCode.SECOND_SIGNAL
    print(f"imported {wording.counted(writer.committed_records, 'record')}")
    return ExitCode.DONE


def _writer(arguments: argparse.Namespace, where: Named, kafka: Reached, transaction_id: str) -> Writer:
    keep_timestamps = arguments.timestamps != "now"
    return Writer(where.producer, transaction_id, partition_counts(kafka), arguments.rate, keep_timestamps)


def _agreed(verb: str, targets: Counter[str], yes: bool) -> bool:
    """Asks before many are put back. Raises ConfigurationError where nobody can be asked."""
    total = targets.total()
    if yes or total <= ASK_ABOVE:
        return True
    what = f"{verb} {wording.counted(total, 'record')}{_to(targets)}"
    if not sys.stdin.isatty():
        raise ConfigurationError(f"nobody can be asked whether to {what}", "Give --yes")
    print(f"{what[0].upper()}{what[1:]}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was put back")
    return False


def _to(targets: Counter[str]) -> str:
    return f" to {', '.join(sorted(targets))}" if targets else ""


@contextmanager
def _stopped_by_signal() -> Iterator[Event]:
    """The event is set by the first SIGINT or SIGTERM; the second ends the process at once, which loses nothing."""
    stopped = Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        restore()

    for number in signals:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        restore()


@contextmanager
def _seekable(path: str) -> Iterator[IO[bytes]]:
    """The file, or a copy of standard input: it is read twice. Raises InputFileError."""
    with opened(path) as file:
        if path != STDIN:
            yield file
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
