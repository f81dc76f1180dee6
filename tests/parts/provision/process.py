"""One process of a part: started, watched until it is ready, paused, killed, stopped."""

import atexit
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tests.parts.provision.errors import BrokenPartError

_POLL_SECONDS = 0.05


class Process:
    """A process that can be started again after it was stopped or killed. Its output goes to `log`."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def paused(self) -> bool:
        return self.running and self._paused

    def start(self) -> None:
        """Starts it unless it runs. Returns at once: see `wait_until`."""
        if self.running:
            return
        self._paused = False
        with self._log.open("ab") as log:
            # A session of its own: a Ctrl-C at the terminal reaches us alone, and we stop it in order.
            self._running = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        atexit.register(self.kill)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Polls `ready` until it is true. An error with its output if it, or the time, ends first."""
        assert self._running is not None, "started"
        deadline = monotonic() + seconds
        while not ready():
            try:
                code = self._running.wait(timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if monotonic() < deadline:
                    continue
                raise BrokenPartError(
                    f"{self.name} is not ready after {seconds:g} s:\n{self.output()}"
                ) from None
            raise BrokenPartError(f"{self.name} ended with code {code}:\n{self.output()}")

    def pause(self) -> None:
        """SIGSTOP: it neither answers nor closes its connections."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def kill(self) -> None:
        """SIGKILL: it gets no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float = 15) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        if self.paused:
            self.resume()
        self._end(signal.SIGTERM, seconds)

    def output(self, characters: int = 3000) -> str:
        """The end of what it has printed."""
        return self._log.read_text(errors="replace")[-characters:] if self._log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        assert self._running is not None, f"{self.name} was started"
        self._running.send_signal(number)

    def _end(self, number: signal.Signals, seconds: float = 15) -> None:
        atexit.unregister(self.kill)
        if self._running is None:
            return
        if self.running:
            self._running.send_signal(number)
        try:
            self._running.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None
