"""Outcomes as a table, a row as soon as it is known."""

from tests.chaos.scenario import Outcome

_COLUMNS = (
    ("scenario", 31),
    ("published", 10),
    ("accepted", 9),
    ("twice", 6),
    ("lost", 5),
    ("order", 6),
    ("dead letters", 13),
    ("resent", 7),
    ("peak MB", 12),
    ("recovery", 9),
    ("ok", 4),
)


def head() -> str:
    titles = "".join(
        f"{title:>{width}}" if place else f"{title:<{width}}" for place, (title, width) in enumerate(_COLUMNS)
    )
    return f"{titles}\n{'-' * len(titles)}"


def row(outcome: Outcome) -> str:
    """A line, and one more for each note and fault."""
    verdict, recovery = outcome.verdict, outcome.recovery_seconds
    wrong = f" ({verdict.dead_letters_wrong})" if verdict.dead_letters_wrong else ""
    cells = (
        outcome.scenario,
        f"{verdict.published:,}",
        f"{verdict.accepted:,}",
        str(verdict.counted_twice),
        str(verdict.lost),
        str(verdict.out_of_order),
        f"{verdict.dead_letters}{wrong}",
        f"{outcome.resent:,}",
        f"{outcome.memory_peak / 1e6:.0f}/{outcome.memory_bound / 1e6:.0f}",
        "never" if recovery is None else f"{recovery:.1f} s",
        "yes" if outcome.ok else "NO",
    )
    widths = [width for _, width in _COLUMNS]
    line = "".join(
        f"{cell:>{width}}" if place else f"{cell:<{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    more = [f"    {note}" for note in outcome.notes] + [f"    ! {fault}" for fault in outcome.faults]
    return "\n".join([line, *more])
