"""`python -m tests.fuzz SECONDS`: plays the corpus, then ever new cases, and keeps in the corpus what is new of them.

A case is new when it shows what no other has shown. One that breaks a promise is made as small as can be, kept, and
ends it with exit code 1.
"""

import secrets
import sys
import time
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.case import Case, corpus, keep, written
from tests.fuzz.generation import cases
from tests.fuzz.play import play

ROUND = settings(
    max_examples=500,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
KEPT_CHARACTERS_MAX = 8_000


def _explore(seconds: float) -> int:
    known = {found for case in corpus().values() for found in play(case)}
    new: dict[str, Case] = {}
    failing: list[Case] = []
    played = 0
    until = time.monotonic() + seconds

    def one(case: Case) -> None:
        nonlocal played
        if time.monotonic() > until and not failing:
            return
        played += 1
        try:
            found = play(case)
        except Exception:
            failing.append(case)
            raise
        for what in found - known:
            new[what] = min(new.get(what, case), case, key=_length)

    while time.monotonic() < until:
        try:
            seed(secrets.randbits(64))(ROUND(given(cases)(one)))()
        except Exception as error:
            if not failing:
                raise
            path = keep(failing[-1], [f"{type(error).__name__}: {str(error)[:500]}"], "failing")
            print(f"{type(error).__name__}: {str(error)[:500]}\nkept as {path}")
            return 1
        print(f"{played} cases, {len(new)} show something new", flush=True)
    _keep_all(new, known)
    return 0


def _keep_all(new: dict[str, Case], known: set[str]) -> None:
    for what, case in sorted(new.items(), key=lambda item: _length(item[1])):
        if what not in known and _length(case) <= KEPT_CHARACTERS_MAX:
            smallest = next((one for one in _alone(case) if what in play(one)), case)
            shown = play(smallest)
            print(f"{what}: kept as {keep(smallest, shown, 'shows')}")
            known |= shown


def _alone(case: Case) -> Iterator[Case]:
    """Each of its records by itself."""
    for record in sorted(case.records, key=lambda record: len(record.value or b"")):
        yield Case((record._replace(key=None, headers=[]),), case.seed)
        yield Case((record,), case.seed)


def _length(case: Case) -> int:
    return len(written(case, ()))


if __name__ == "__main__":
    sys.exit(_explore(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
