"""The connector itself: `cio-connector run` in a process of its own, with a configuration file like anybody's."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from connector.settings.tree import PREFIX

STOP_SECONDS = 40.0
"""From SIGTERM to the end: longer than the connector's own deadline."""
_ABANDON_SECONDS = 5.0
_LOG_LINES = 5


class ConnectorProcess:
    """Runs as long as the context is open. What it logs is kept in a file."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._configuration = configuration
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="cio-connector-demo-")
        folder = Path(self._folder.name)
        file = folder / "connector.yaml"
        file.write_text(yaml.safe_dump(dict(self._configuration)))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "connector.cli.main", "run", "--config", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(os.environ),
                start_new_session=True,  # Ctrl-C is for the demo, which stops the connector in an orderly way
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._folder is not None, "the context was entered"
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.exit_code is not None:
                break
            self._signal(number)
            self._wait(_ABANDON_SECONDS)
        self._folder.cleanup()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._running.poll()

    def stop(self) -> int | None:
        """Asks it to stop, as Kubernetes does. Its exit code, or None if it takes too long."""
        self._signal(signal.SIGTERM)
        return self._wait(STOP_SECONDS)

    def last_words(self) -> list[str]:
        """The last lines of its log that are more than information, or else the last at all."""
        assert self._folder is not None, "the context was entered"
        lines = (Path(self._folder.name) / "log").read_text(errors="replace").splitlines()
        told = [_told(line) for line in lines]
        grave = [text for level, text in told if level not in ("debug", "info")]
        return (grave or [text for _, text in told])[-_LOG_LINES:]

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the context was entered"
        return self._process

    def _signal(self, number: int) -> None:
        if self.exit_code is None:
            self._running.send_signal(number)

    def _wait(self, seconds: float) -> int | None:
        try:
            return self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ours without settings of the connector: the file alone is to count."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}


def _told(line: str) -> tuple[str, str]:
    """(level, text) of a line of the log; what is not of the log, such as a last error, is grave."""
    try:
        entry = json.loads(line)
        return str(entry["level"]), " ".join(
            [
                str(entry["message"]),
                *(f"{name}={entry[name]}" for name in ("error", "region") if name in entry),
            ]
        )
    except (ValueError, KeyError, TypeError):
        return "error", line
