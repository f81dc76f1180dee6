"""Dead letters that a person has mended, put back on their topics."""

from collections import Counter
from collections.abc import Callable, Iterable
from threading import Event
from typing import IO, NamedTuple

from connector.dead_letters.json_lines import Imported, WithoutValue, read_lines
from connector.dead_letters.retention import note_age
from connector.dead_letters.writer import Writer


class Contents(NamedTuple):
    """What a file holds."""

    targets: Counter[str]
    """How many of its records go on which topic."""
    oldest_ms: dict[str, int]
    """The oldest timestamp among those of each topic; Unix milliseconds."""
    cut: int
    """Dead letters without their value, which are passed over."""


def contents(file: IO[bytes], cluster_id: str, after_line: int) -> Contents:
    """Reads a file to its end, so that nothing of one with a bad line is put on a topic. Raises InputFileError."""
    targets: Counter[str] = Counter()
    oldest_ms: dict[str, int] = {}
    cut = 0
    for line in read_lines(file, cluster_id):
        if line.number > after_line:
            match line:
                case Imported(_, record):
                    targets[record.topic] += 1
                    note_age(oldest_ms, record.topic, record.timestamp_ms)
                case WithoutValue():
                    cut += 1
    return Contents(targets, oldest_ms, cut)


def put_on_topics(
    lines: Iterable[Imported | WithoutValue],
    after_line: int,
    writer: Writer,
    stopped: Event,
    committed: Callable[[int], None],
) -> bool:
    """`committed` is told the number of a line when it and all before it are on their topics. False: `stopped` before
    the end. Raises ConnectorError."""
    last = after_line
    for line in lines:
        if isinstance(line, WithoutValue) or line.number <= after_line:
            continue
        if writer.is_due:
            writer.commit()
            committed(last)
        writer.wait_for_turn(stopped)
        if stopped.is_set():
            break
        writer.write(line.record, f"line {line.number}")
        last = line.number
    if writer.is_open:
        writer.commit()
        committed(last)
    return not stopped.is_set()
