"""Where built parts are kept: one folder for each name and version, complete or absent."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parts.provision.errors import BrokenPartError


def cache_root() -> Path:
    """`$CIO_TEST_CACHE`, else a folder in the user's cache. It is never in the repository."""
    chosen = os.environ.get("CIO_TEST_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "cio-connector-tests"


def cached(name: str, version: str, build: Callable[[Path], None], seconds_cold: int) -> Path:
    """The folder of `name` at `version`; `build` fills it when it is not there yet."""
    folder = cache_root() / f"{name}-{version}"
    if folder.is_dir():
        return folder
    with _one_build_at_a_time():
        if folder.is_dir():  # another process has built it meanwhile
            return folder
        print(f"building {name} {version}, once; about {seconds_cold} s ...", file=sys.stderr, flush=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache_root()))
        try:
            build(draft)
            draft.chmod(0o755)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def run(command: list[str], folder: Path, **environment: str) -> str:
    """Runs one step of a build; what it printed becomes the error where it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BrokenPartError(f"{' '.join(command[:3])} ... failed:\n{done.stdout[-3000:]}")
    return done.stdout


@contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    """Builds use every core: two at once only slow each other down. Two of one part would collide."""
    cache_root().mkdir(parents=True, exist_ok=True)
    with (cache_root() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
