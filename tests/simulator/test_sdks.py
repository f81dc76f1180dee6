"""Customer.io's own SDKs work against the stand-in: installed from their registries into temporary folders."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.simulator import Simulator, SimulatorOptions, run_in_thread
from tests.simulator.conftest import US

pytestmark = [pytest.mark.parts, pytest.mark.timeout(600)]

PROGRAMS = Path(__file__).parent / "sdks"
PYTHON_SDKS = ("customerio>=3.2,<4", "async-customerio>=2.18,<3")
NODE_SDK = "customerio-node@^4.4"

COMMON = [
    ("id:1", "person.identify"),
    ("id:1", "person.event"),
    ("id:1", "person.page"),
]
AROUND_THE_DEVICE = [
    ("id:1", "person.add_device"),
    ("id:1", "person.delete_device"),
    ("id:1", "person.merge"),
]
SUPPRESSED = [("id:1", "person.suppress"), ("id:1", "person.unsuppress")]


def missing(what: str) -> None:
    """Says what could not be had; where everything must be had, that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def installed(command: list[str], folder: Path, what: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        missing(f"{what} cannot be installed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


@pytest.fixture(scope="module")
def python_with_sdks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python-sdks")
    installed([sys.executable, "-m", "venv", str(folder)], folder, "a virtual environment")
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed([*pip, *PYTHON_SDKS], folder, "customerio and async-customerio")
    return python


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("node and npm are not installed: customerio-node is not tried")
    folder = tmp_path_factory.mktemp("node-sdk")
    (folder / "package.json").write_text("{}")
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    installed([*npm, NODE_SDK], folder, "customerio-node")
    return folder / "node_modules"


@pytest.fixture
def https_simulator() -> Iterator[Simulator]:
    with run_in_thread(SimulatorOptions(tls=True)) as running:
        yield running


def drive(command: list[str], simulator: Simulator, **environment: str) -> list[tuple[str, str]]:
    """What the stand-in accepted when the program ran."""
    done = subprocess.run(
        [*command, *US, str(simulator.port("us"))],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert simulator.violations.kept == []
    return [(taken.identifier, taken.action) for taken in simulator.workspaces["us"].operations]


def test_customerio(https_simulator: Simulator, python_with_sdks: Path) -> None:
    program = [str(python_with_sdks), str(PROGRAMS / "drive_customerio.py")]
    assert drive(program, https_simulator, REQUESTS_CA_BUNDLE=str(https_simulator.ca_file)) == [
        *COMMON,
        ("id:1", "person.event"),
        ("anonymous:anon", "anonymous.event"),
        ("anonymous:", "anonymous.event"),
        *AROUND_THE_DEVICE,
        ("id:3", "person.identify"),
        *SUPPRESSED,
        ("email:a/b@example.com", "person.delete"),
    ]


def test_async_customerio(https_simulator: Simulator, python_with_sdks: Path) -> None:
    program = [str(python_with_sdks), str(PROGRAMS / "drive_async_customerio.py")]
    assert drive(program, https_simulator, SSL_CERT_FILE=str(https_simulator.ca_file)) == [
        *COMMON,
        ("id:1", "person.event"),
        ("anonymous:anon", "anonymous.event"),
        *AROUND_THE_DEVICE,
        ("id:3", "person.identify"),
        ("id:3", "person.event"),
        ("id:3", "person.delete"),
        *SUPPRESSED,
        ("id:1", "person.delete"),
    ]


def test_customerio_node(https_simulator: Simulator, node_modules: Path) -> None:
    program = ["node", str(PROGRAMS / "drive_customerio_node.js")]
    trust = str(https_simulator.ca_file)
    assert drive(program, https_simulator, NODE_EXTRA_CA_CERTS=trust, NODE_PATH=str(node_modules)) == [
        *COMMON,
        ("anonymous:anon", "anonymous.event"),
        *AROUND_THE_DEVICE,
        ("delivery:RP1", "delivery.event"),
        *SUPPRESSED,
        ("email:a/b@example.com", "person.delete"),
    ]
