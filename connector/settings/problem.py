"""What is wrong with a configuration, and the name that was probably meant."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from connector.settings.tree import Path, dotted


class Problem(NamedTuple):
    """One thing to mend. `text` never holds a secret."""

    path: Path
    text: str
    missing: bool = False
    """Nothing is given where something is needed."""


def nearest_setting(path: Path, siblings: Iterable[str], everywhere: Iterable[Path]) -> str | None:
    """The known setting that an unknown one probably means: one beside it, one of the same name elsewhere,
    or one whose whole path is alike."""
    *above, name = path
    if close := difflib.get_close_matches(name.lower().replace("-", "_"), list(siblings), 1, 0.6):
        return dotted((*above, close[0]))
    known = list(everywhere)
    if same := [each for each in known if each[-1] == name]:
        return dotted(same[0])
    return nearest_text(dotted(path), [dotted(each) for each in known])


def nearest_text(text: str, known: list[str]) -> str | None:
    """The known text that is most like it, if any is alike."""
    close = difflib.get_close_matches(text, known, 1, 0.75)
    return close[0] if close else None
