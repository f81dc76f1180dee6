"""Benthos core, the engine of Redpanda Connect, with a consumer-group input over franz-go; its source is in `benthos/`.

Built with Go, once, into the cache of the tests' parts. `BROKERS TOPIC GROUP URL EVENTS [as-read]`
"""

import hashlib
import os
import sys
from pathlib import Path

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import BrokenPartError, MissingPartError, require

NAME = "Benthos core + franz-go input"
NAME_AS_READ = f"{NAME}, events as read"
AS_READ = "as-read"
"""The argument for one that sends what it read: less than the job, for Customer.io would not take it."""
_VERSION = "4.60.0"
_SOURCE = Path(__file__).parent / "benthos"


def executable() -> Path:
    """Raises MissingPartError without Go, BrokenPartError where it cannot be built."""

    def build(folder: Path) -> None:
        require(NAME, "go")
        run(["go", "build", "-ldflags", "-s -w", "-o", str(folder / "benthos"), "."], _SOURCE)

    return cached("benthos-peer", f"{_VERSION}-{_source_digest()}", build, seconds_cold=60) / "benthos"


def available() -> bool:
    """Is it built, or can it be?"""
    try:
        executable()
    except (MissingPartError, BrokenPartError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return False
    return True


def _source_digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(_SOURCE.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    program = str(executable())
    os.execv(program, [program, *sys.argv[1:]])
