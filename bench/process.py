"""Child processes, and what the kernel says that they cost."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

_TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parent.parent


class Cost(NamedTuple):
    """What a process has used so far."""

    cpu_seconds: float
    peak_mb: float


def cost(pid: int) -> Cost:
    """User and system time of all its threads, and the most memory that it had resident."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return Cost((int(fields[11]) + int(fields[12])) / _TICKS, _status_mb(pid, "VmHWM"))


def resident_mb(pid: int) -> float:
    """The memory that it has resident now."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int, field: str) -> float:
    """The kernel writes kB and means 1,024 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) * 1024 / 1e6


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process for the time of the block."""
    output = log.open("wb") if log is not None else subprocess.DEVNULL
    process = subprocess.Popen(
        list(arguments),
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.PIPE,  # open for as long as the block: some wait for its end
        stdout=output,
        stderr=output,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def connector_settings(brokers: str, topic: str, url: str, port: int) -> dict[str, str]:
    """The environment of `cio-connector run` with its defaults; the group is a new one."""
    return {
        "CIO_KAFKA__BOOTSTRAP_SERVERS": brokers,
        "CIO_KAFKA__TOPICS": topic,
        "CIO_KAFKA__GROUP_ID": f"connector-{uuid4()}",
        "CIO_DEAD_LETTERS__TOPIC": "customer-events.dead-letters",
        "CIO_REGIONS__US__URL": url,
        "CIO_REGIONS__US__SITE_ID": "site",
        "CIO_REGIONS__US__API_KEY": "key",
        "CIO_SERVER__HOST": "127.0.0.1",
        "CIO_SERVER__PORT": str(port),
    }


@contextmanager
def sink(delay_ms: float = 0) -> Iterator[str]:
    """A destination that answers at once, or after a delay. Its URL."""
    port = free_port()
    with running([sys.executable, "-m", "bench.sink", str(port), str(delay_ms)]):
        wait_until(lambda: listens(port), 10, "the sink listens")
        yield f"http://127.0.0.1:{port}"


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s until {what}")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Does anyone take connections there?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
