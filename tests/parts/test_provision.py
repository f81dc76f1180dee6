"""How parts are had and run. Needs none of them."""

import socket
import sys
from pathlib import Path

import pytest

from tests.parts import conftest
from tests.parts.provision.__main__ import main
from tests.parts.provision.cache import cache_root, cached, run
from tests.parts.provision.errors import BrokenPartError, MissingPartError, require
from tests.parts.provision.ports import free_ports, require_free
from tests.parts.provision.process import Process


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIO_TEST_CACHE", str(tmp_path / "cache"))


def process(tmp_path: Path, code: str) -> Process:
    return Process("part", [sys.executable, "-uc", code], tmp_path / "part.log")


def says(started: Process, text: str) -> bool:
    return text in started.output()


def test_a_missing_tool_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPartError) as missing:
        require("Apache Kafka", "java", "mvn")
    assert str(missing.value) == (
        "Apache Kafka needs Java 17 or later (Debian: apt-get install default-jre-headless) "
        "and Maven (Debian: apt-get install maven)"
    )


def test_a_test_whose_part_is_missing_is_skipped_and_fails_where_all_must_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build() -> Path:
        raise MissingPartError("Jaeger needs Go")

    monkeypatch.setitem(conftest.BUILDS, "jaeger_executable", build)
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="Jaeger needs Go"):
        conftest.provided("jaeger_executable")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Jaeger needs Go"):
        conftest.provided("jaeger_executable")


def test_a_part_is_built_once() -> None:
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "program").write_text("")

    first = cached("part", "1", build, seconds_cold=0)
    assert cached("part", "1", build, seconds_cold=0) == first
    assert (first / "program").exists()
    assert len(built) == 1
    assert cached("part", "2", build, seconds_cold=0) != first


def test_a_build_that_fails_leaves_nothing_and_says_what_it_printed() -> None:
    def build(folder: Path) -> None:
        run([sys.executable, "-c", "raise SystemExit('no such version')"], folder)

    with pytest.raises(BrokenPartError, match="no such version"):
        cached("part", "1", build, seconds_cold=0)
    assert [each.name for each in cache_root().iterdir()] == [".lock"]


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_a_process_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    started = process(tmp_path, "raise SystemExit('cannot bind')")
    started.start()
    with pytest.raises(BrokenPartError, match=r"part ended with code 1:\ncannot bind"):
        started.wait_until(lambda: False, 60)


def test_a_process_that_is_never_ready_is_given_up_on(tmp_path: Path) -> None:
    started = process(tmp_path, "import signal; signal.pause()")
    started.start()
    with pytest.raises(BrokenPartError, match=r"not ready after 0.1 s"):
        started.wait_until(lambda: False, 0.1)
    started.kill()
    assert not started.running


def test_a_process_can_be_killed_and_started_again(tmp_path: Path) -> None:
    started = process(tmp_path, "print('up', flush=True); import signal; signal.pause()")
    for times in (1, 2):
        started.start()
        started.wait_until(lambda times=times: started.output().count("up") == times, 60)  # type: ignore[misc]
        started.kill()
        assert not started.running


def test_a_paused_process_is_stopped_in_order_all_the_same(tmp_path: Path) -> None:
    code = """
import signal, sys
def end(number, frame):
    print("in order")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up")
signal.pause()
"""
    started = process(tmp_path, code)
    started.start()
    started.wait_until(lambda: says(started, "up"), 60)
    started.pause()
    assert started.paused
    started.stop()
    assert not started.running
    assert says(started, "in order")


def test_a_port_that_is_taken_is_told_before_anything_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    (free,) = free_ports(1)
    require_free(free)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["kafka", "--port", str(port)]) == 69
    assert capsys.readouterr().err == f"port {port} is taken; choose another with --port\n"
