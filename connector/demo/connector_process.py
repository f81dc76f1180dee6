"""The connector itself: `cio-connector run` in a process of its own, with a configuration file like anybody's."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from connector.settings.tree import PREFIX

_ABANDON_SECONDS = 5.0
_LOG_LINES = 5


class ConnectorProcess:
    """Whatever happens, `close` it."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cio-connector-demo-")
        self._configuration = Path(self._folder.name, "connector.yaml")
        self._configuration.write_text(yaml.safe_dump(dict(configuration)))
        self._log = Path(self._folder.name, "log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. What it logs goes into a file."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "connector.cli.main", "run", "--config", str(self._configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(os.environ),
                start_new_session=True,  # Ctrl-C is for the demo, which stops the connector in an orderly way
            )

    def close(self) -> None:
        """End it if it still runs: gently, then firmly."""
        try:
            for _ in ("drain", "at once"):
                if self._process is None or self._process.poll() is not None:
                    break
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_ABANDON_SECONDS)
        finally:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._folder.cleanup()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._running.poll()

    def ask_to_stop(self) -> None:
        """By SIGTERM, as Kubernetes does."""
        self._running.terminate()

    def warnings(self) -> list[str]:
        """The last lines of its log that are more than information."""
        return [text for level, text in self._logged() if level not in ("debug", "info")][-_LOG_LINES:]

    def last_words(self) -> list[str]:
        """Its warnings, or where there are none the last lines of its log."""
        return self.warnings() or [text for _, text in self._logged()][-_LOG_LINES:]

    def _logged(self) -> list[tuple[str, str]]:
        return [_told(line) for line in self._log.read_text(errors="replace").splitlines()]

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "it was started"
        return self._process


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
