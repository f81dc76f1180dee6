"""One `cio-connector run` as a process of its own."""

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_HEARD = ("CIO_", "OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")

_LISTENS = "health and metrics are served"


class Member:
    """A member of the consumer groups, started again and again. Its output goes to `log`."""

    def __init__(self, name: str, configuration: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.peak_bytes = 0
        """The most memory that it was seen to hold, over all its lives."""
        self.surprises: list[str] = []
        """Ends that nobody asked for."""
        self._command = [sys.executable, "-m", "connector.cli.main", "run", "--config", str(configuration)]
        self._log = log
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(_HEARD)} | dict(
            environment
        )
        self._running: subprocess.Popen[bytes] | None = None
        self._suspended = False
        self._born_at = 0
        """Where in the log its present life begins."""

    @property
    def running(self) -> bool:
        return self._running is not None

    @property
    def hears(self) -> bool:
        """It runs, is not suspended, and listens to signals."""
        return self.running and not self._suspended and self._listens

    def start(self) -> None:
        """Starts it unless it runs."""
        if self._running is not None:
            return
        self._born_at = len(self.output())
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        atexit.register(self.kill)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL, 15)

    def terminate(self, seconds: float) -> None:
        """SIGTERM; it must end cleanly within this time."""
        self._end(signal.SIGTERM, seconds)

    def suspend(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)
        self._suspended = True

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)
        self._suspended = False

    def look(self) -> None:
        """Takes note of its memory, and of an end that nobody asked for."""
        running = self._running
        if running is None:
            return
        with suppress(OSError):
            for line in Path(f"/proc/{running.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak_bytes = max(self.peak_bytes, int(line.split()[1]) * 1024)

    def check(self) -> None:
        """Takes note of an end that nobody asked for."""
        if self._running is not None and (code := self._running.poll()) is not None:
            self.surprises.append(f"{self.name} ended by itself with code {code}: {self.output(300)}")
            self._forget()

    def output(self, characters: int | None = None) -> str:
        """The end of what it has printed, or all of it."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text if characters is None else text[-characters:]

    @property
    def _listens(self) -> bool:
        return _LISTENS in self.output()[self._born_at :]

    def _signal(self, number: signal.Signals) -> None:
        if self._running is not None:
            self._running.send_signal(number)

    def _end(self, number: signal.Signals, seconds: float) -> None:
        running = self._running
        if running is None:
            return
        self.look()
        if (code := running.poll()) is not None:
            self.surprises.append(f"{self.name} had ended by itself with code {code}")
            self._forget()
            return
        running.send_signal(number)
        try:
            code = running.wait(seconds)
            # Before it listens to signals, SIGTERM ends it as any process: nothing has begun.
            heard = self._listens
            if number is signal.SIGTERM and code != 0 and (heard or code != -signal.SIGTERM):
                self.surprises.append(f"{self.name} ended with code {code} after SIGTERM: {self.output(300)}")
        except subprocess.TimeoutExpired:
            self.surprises.append(f"{self.name} has not ended {seconds:g} s after {number.name}")
            running.kill()
            running.wait()
        self._forget()

    def _forget(self) -> None:
        atexit.unregister(self.kill)
        self._running = None
        self._suspended = False
