"""The Dockerfile, as far as it can be checked without a Docker engine: its parts exist and fit together."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


class Instruction(NamedTuple):
    """One instruction of the Dockerfile, its continued lines joined."""

    name: str
    arguments: str


def instructions() -> list[Instruction]:
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def arguments_of(name: str) -> list[str]:
    return [each.arguments for each in instructions() if each.name == name]


def pinned(lock: str) -> dict[str, str]:
    found = re.findall(r"^([a-z0-9-]+)==([^ \\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(found)


@contextmanager
def answering(status: int) -> Iterator[tuple[int, list[str]]]:
    """A server on loopback that answers everything with `status`; gives its port and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [words for words in map(shlex.split, arguments_of("COPY")) if not words[0].startswith("--from")]
    assert copied
    for *sources, _ in copied:
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored


def test_both_stages_have_the_same_pinned_base() -> None:
    (base,) = arguments_of("ARG")
    assert re.fullmatch(r"PYTHON=python:3\.\d+-slim-\w+", base)
    assert [each.split()[0] for each in arguments_of("FROM")] == ["${PYTHON}", "${PYTHON}"]


def test_everything_installed_is_pinned_by_hash() -> None:
    installs = [line for line in arguments_of("RUN") if "pip install" in line]
    assert len(installs) == 3
    for line in installs:
        assert "--require-hashes" in line or "--no-deps /wheels/*.whl" in line


def test_it_runs_as_a_user_by_number_who_is_the_charts() -> None:
    values = yaml.safe_load((ROOT / "helm" / "cio-connector" / "values.yaml").read_text())
    security = values["podSecurityContext"]
    assert arguments_of("USER") == [f"{security['runAsUser']}:{security['runAsGroup']}"]


def test_it_starts_the_console_script_in_order_to_run() -> None:
    (entry,), (command,) = arguments_of("ENTRYPOINT"), arguments_of("CMD")
    assert json.loads(entry)[0] in PROJECT["project"]["scripts"]
    assert json.loads(command) == ["run"]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_livez(status: int, healthy: bool) -> None:
    (check,) = arguments_of("HEALTHCHECK")
    python, *rest = json.loads(check.partition("CMD ")[2])
    assert python == "python"
    with answering(status) as (port, asked):
        environment = os.environ | {"CIO_SERVER__PORT": str(port)}
        done = subprocess.run([sys.executable, *rest], env=environment, capture_output=True, check=False)
    assert asked == ["/livez"]
    assert (done.returncode == 0) is healthy


def test_the_image_holds_what_the_package_needs_and_nothing_to_develop_with() -> None:
    image, everything = pinned("requirements-runtime.lock"), pinned("requirements.lock")
    needed = {re.split(r"[>=<;\[ ]", each)[0] for each in PROJECT["project"]["dependencies"]}
    assert needed <= image.keys()
    assert image.items() <= everything.items(), "the image and the tests use the same versions: make lock"
    tools = {re.split(r"[>=<;\[ ]", each)[0] for each in PROJECT["dependency-groups"]["dev"]}
    assert not tools & image.keys()
