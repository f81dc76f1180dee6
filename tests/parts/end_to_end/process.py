"""`cio-connector` as a child process, seen from outside: its output, its exit code, its health."""

import atexit
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COMMAND = [sys.executable, "-m", "connector.cli.main"]
_HEARD = ("CIO_", "OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_END_SECONDS = 60


def environment(**more: str) -> dict[str, str]:
    """Ours without what would change the connector's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_HEARD)} | more


class Connector:
    """One `cio-connector run`, whose standard error goes to `log`."""

    def __init__(self, arguments: Sequence[str], log: Path, variables: Mapping[str, str]) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*COMMAND, "run", *arguments],
                env=environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._asked_to_end = False
        atexit.register(self.kill)

    @property
    def ended_by_itself(self) -> bool:
        """What nobody has asked it to do."""
        return not self._asked_to_end and self._process.poll() is not None

    def signal(self) -> None:
        """SIGTERM, without waiting for what it leads to."""
        self._asked_to_end = True
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.signal()
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        self._asked_to_end = True
        atexit.unregister(self.kill)
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"it has not ended after {_END_SECONDS} s: {self.output()[-2000:]}"
            ) from None

    def kill(self) -> None:
        """SIGKILL."""
        self._asked_to_end = True
        atexit.unregister(self.kill)
        self._process.kill()
        self._process.wait()

    def output(self) -> str:
        """All that it has printed."""
        return self._log.read_text(errors="replace")

    def last_words(self) -> str:
        """The end of it, and how it has ended if it has."""
        return f"{self.output()[-1500:]}\nexit code: {self._process.poll()}"

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of /readyz; 0 and nothing while it does not listen yet."""
        return self._health("readyz")

    def liveness(self) -> tuple[int, dict[str, Any]]:
        """The same of /livez."""
        return self._health("livez")

    def _health(self, page: str) -> tuple[int, dict[str, Any]]:
        port = self._port()
        if port is None:
            return 0, {}
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)
        except OSError:
            return 0, {}

    def assigned(self) -> int:
        """How many partitions it has."""
        return len(self.readiness()[1].get("partitions", ()))

    def waits(self, *words: str) -> bool:
        """Whether it says that it is not ready, with all of these words."""
        status, health = self.readiness()
        return status == 503 and all(word in json.dumps(health) for word in words)

    def _port(self) -> int | None:
        for line in self.output().splitlines():
            if "health and metrics are served" in line:
                return int(json.loads(line)["port"])
        return None


class Ended(NamedTuple):
    """What a command has left behind."""

    code: int
    out: str
    err: str


def all_of(*commands: Sequence[str]) -> list[Ended]:
    """Runs `cio-connector` with each of these arguments, all at once."""
    started = [
        subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in commands
    ]
    outputs = [process.communicate(timeout=_END_SECONDS) for process in started]
    return [Ended(process.returncode, *output) for process, output in zip(started, outputs, strict=True)]
