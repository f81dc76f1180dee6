"""What a commit says besides its offset: which records beyond it are finished, and which before it are dead letters.

One line of ASCII, at most 4,000 characters (the broker counts characters and refuses more than 4,095):

    1;<cluster>;<topic id>;<base offset>;<leader epoch>;<routing digest>;<stopped>;<warm-up floor>;<dead>;<runs>

`dead` holds the highest dead-lettered offset plus one, then the distance down from each to the next one below; `runs`
alternates the length of a gap and of a finished run, up from the base offset; these numbers are base 32. What does
not fit is left out: runs at the highest offsets, dead letters at the lowest, which moves the warm-up floor above them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_VERSION = "1"
_FIELDS = 10
_DEAD_CHARACTERS_MAX = 1000


class Run(NamedTuple):
    """Offsets from `start` to before `end`."""

    start: int
    end: int


class Identity(NamedTuple):
    """Which log, in which state, a map speaks of. Any difference voids the map."""

    cluster_id: str
    topic_id: str
    leader_epoch: int | None
    routing_digest: str


class CommitMetadata(NamedTuple):
    """A map as read back."""

    runs: tuple[Run, ...]
    dead: frozenset[int]
    warm_up_floor: int
    """Warm-up may not begin before this offset: dead letters before it are no longer listed."""
    stopped: bool


def _number(value: int) -> str:
    digits = ""
    while value >= 32:
        value, digit = divmod(value, 32)
        digits = _DIGITS[digit] + digits
    return _DIGITS[value] + digits


def encode(
    identity: Identity,
    base: int,
    runs: Iterable[Run],
    dead: Sequence[int],
    stopped: bool,
    warm_up_floor: int,
    characters_max: int,
) -> str:
    """The metadata of a commit at `base`. Empty where there is nothing to say or no room for anything.

    `runs` ascend and lie beyond `base`; `dead` are offsets in any order, before or beyond it.
    """
    floor, listed = _fit_dead(sorted(dead), base, min(_DEAD_CHARACTERS_MAX, characters_max // 2))
    floor = max(floor, warm_up_floor)
    epoch = "" if identity.leader_epoch is None else str(identity.leader_epoch)
    head = ";".join(
        (
            _VERSION,
            identity.cluster_id,
            identity.topic_id,
            str(base),
            epoch,
            identity.routing_digest,
            "s" if stopped else "",
            str(floor),
            listed,
            "",
        )
    )
    if len(head) > characters_max or not head.isascii():
        return ""
    room = characters_max - len(head)
    parts: list[str] = []
    reached = base
    for run in runs:
        assert run.start >= reached and run.end > run.start, "runs ascend from the base"
        part = f"{_number(run.start - reached)}.{_number(run.end - run.start)}."
        if len(part) > room:
            break
        parts.append(part)
        room -= len(part)
        reached = run.end
    return head + "".join(parts)


def _fit_dead(dead: Sequence[int], base: int, room: int) -> tuple[int, str]:
    """(warm-up floor, the highest dead offsets that fit, each as its distance below the one before)."""
    parts: list[str] = []
    if not dead:
        return 0, ""
    reached = dead[-1] + 1
    parts.append(str(reached) + ".")
    room -= len(parts[0])
    for offset in reversed(dead):
        part = _number(reached - offset) + "."
        if len(part) > room:
            return offset + 1, "".join(parts)
        parts.append(part)
        room -= len(part)
        reached = offset
    return 0, "".join(parts)


def decode(metadata: str, identity: Identity, committed: int) -> CommitMetadata | None:
    """The map, or None where there is none, it is not ours, or it speaks of another log."""
    fields = metadata.split(";")
    if len(fields) != _FIELDS or fields[0] != _VERSION:
        return None
    _, cluster_id, topic_id, base, epoch, routing, stopped, floor, dead, runs = fields
    try:
        written = Identity(cluster_id, topic_id, int(epoch) if epoch else None, routing)
        if written != identity or int(base) != committed:
            return None
        return CommitMetadata(_read_runs(runs, committed), _read_dead(dead), int(floor), stopped == "s")
    except ValueError:
        return None


def routing_digest_of(metadata: str) -> str | None:
    """The digest of the routing rules under which this was committed; None where it does not say."""
    fields = metadata.split(";")
    return fields[5] if len(fields) == _FIELDS and fields[0] == _VERSION else None


def _read_runs(text: str, base: int) -> tuple[Run, ...]:
    numbers = [int(part, 32) for part in text.split(".") if part]
    if len(numbers) % 2:
        raise ValueError("a run without its length")
    runs = []
    reached = base
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        runs.append(Run(reached + gap, reached + gap + length))
        reached += gap + length
    return tuple(runs)


def _read_dead(text: str) -> frozenset[int]:
    parts = [part for part in text.split(".") if part]
    if not parts:
        return frozenset()
    reached = int(parts[0])
    offsets = []
    for part in parts[1:]:
        reached -= int(part, 32)
        offsets.append(reached)
    return frozenset(offsets)
