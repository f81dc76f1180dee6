"""`cio-connector demo` from end to end, as a person runs it."""

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connector.cli.main import main
from connector.errors import ExitCode

COMMAND = [sys.executable, "-m", "connector.cli.main", "demo"]
LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="child processes are read from /proc")


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # behind the command's name, which may hold anything: state, parent
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def test_small_run_holds_and_is_one_json_object() -> None:
    run = subprocess.run([*COMMAND, "--events", "500", "--json"], capture_output=True, text=True, check=False)
    assert run.returncode == ExitCode.DONE, run.stderr
    result = json.loads(run.stdout)
    assert list(result) == [
        "published",
        "accepted",
        "duplicates",
        "dead_lettered",
        "lost",
        "out_of_order",
        "wrong_region",
        "uncommitted",
        "events_per_second",
        "ok",
    ]
    assert result["ok"] is True
    assert result["published"] == 500
    assert result["published"] == result["accepted"] + result["duplicates"] + result["dead_lettered"]
    assert (result["lost"], result["out_of_order"], result["wrong_region"], result["uncommitted"]) == (
        0,
        0,
        0,
        0,
    )
    assert result["duplicates"] > 0
    assert result["dead_lettered"] > 0
    assert result["events_per_second"] > 0


def test_table_for_people() -> None:
    run = subprocess.run(
        [*COMMAND, "--events", "50", "--seed", "3"], capture_output=True, text=True, check=False
    )
    assert run.returncode == ExitCode.DONE, run.stderr
    assert "Everything holds. 50 records" in run.stdout
    assert "starting" in run.stderr


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_every_part(number: int) -> None:
    demo = subprocess.Popen(
        [*COMMAND, "--events", "20000", "--rate", "100"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stderr is not None
        for line in demo.stderr:
            if line.startswith("publishing"):
                break
        (connector,) = children(demo.pid)
        demo.send_signal(number)
        assert demo.wait(60) == ExitCode.SECOND_SIGNAL
        assert not Path(f"/proc/{connector}").exists()
    finally:
        demo.kill()
        demo.communicate()


@pytest.mark.parametrize(
    "arguments",
    [["--events", "0"], ["--events", "1000001"], ["--events", "many"], ["--rate", "0"], ["--rate", "nan"]],
)
def test_wrong_arguments_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *arguments]) == ExitCode.USAGE
    assert arguments[0] in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--help"]) == ExitCode.DONE
    assert "cio-connector demo --faults --seed 7" in capsys.readouterr().out


def test_what_does_not_hold_ends_in_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from connector.demo import run
    from connector.demo.accounting import account
    from connector.demo.run import Result
    from tests.demo.delivery import delivered_traffic

    evidence = delivered_traffic(200)
    lossy = account(evidence._replace(acceptances=evidence.acceptances[1:]))
    monkeypatch.setattr(run, "run_demo", lambda *arguments: Result(lossy, 1.0, 0))
    assert main(["demo", "--json"]) == ExitCode.CHECK_FAILED
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ok"] is False
    assert json.loads(captured.out)["lost"] == 1
    assert "lost: 1 (partition " in captured.err
    assert main(["demo"]) == ExitCode.CHECK_FAILED
    assert "It does not hold." in capsys.readouterr().out
