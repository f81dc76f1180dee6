"""`cio-connector simulate` as a person runs it: in a process of its own."""

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from connector.cli import simulate
from connector.cli.main import main
from connector.errors import ConfigurationError, ExitCode
from connector.simulator import Fault, FaultKind

ANY_PORTS = ("--us-port", "0", "--eu-port", "0")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    simulate.add_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *arguments])


class Running:
    """The command, started, with what it has printed so far."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "connector.cli.main", "simulate", *ANY_PORTS, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.introduction = self.read_until("Stop: Ctrl-C")

    def read_until(self, text: str) -> str:
        """Ends with the process where the text never comes."""
        assert self.process.stdout is not None
        lines = ""
        for line in self.process.stdout:
            lines += line
            if text in line:
                return lines
        raise AssertionError(f"ended without {text!r}: {lines}")

    def url(self, region: str) -> str:
        found = re.search(rf"{region}  (https?://\S+)", self.introduction)
        assert found is not None
        return found[1]

    def stop(self, number: int = signal.SIGINT) -> str:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        return rest


@pytest.fixture
def running() -> Iterator[Running]:
    started = Running("--us-credentials", "A:planted-key", "--eu-credentials", "B:planted-key")
    yield started
    started.process.kill()
    started.process.communicate()


def test_it_says_where_it_listens_and_never_the_keys(running: Running) -> None:
    assert running.url("US").startswith("http://127.0.0.1:")
    assert running.url("EU") != running.url("US")
    assert "site id A" in running.introduction
    assert "planted-key" not in running.introduction


def test_it_shows_activity_and_a_summary(running: Running) -> None:
    operations = [
        {"type": "person", "action": "identify", "identifiers": {"id": "1"}},
        {"type": "person", "action": "event", "identifiers": {"id": "1"}},
    ]
    answer = httpx.post(
        running.url("EU") + "/api/v2/batch", json={"batch": operations}, auth=("B", "planted-key"), timeout=20
    )
    assert answer.status_code == 207
    activity = running.read_until("accepted")
    assert "eu: 1 requests, 1 accepted, 1 rejected   1 violations so far" in activity
    assert "us:" not in activity
    summary = running.stop()
    assert running.process.returncode == ExitCode.DONE
    assert re.search(r"operations accepted +0 +1\n", summary)
    assert (
        "violations of the API reference: 1\n  eu POST /api/v2/batch, item 1 person.event: name is required"
        in summary
    )


def test_it_ends_on_sigterm() -> None:
    hanging = Running("--hang-rate", "1")
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(hanging.url("US") + "/api/v1/accounts/region", timeout=0.2)
    assert "spoiled by faults" in hanging.stop(signal.SIGTERM)
    assert hanging.process.returncode == ExitCode.DONE


def test_with_tls_it_says_what_to_trust() -> None:
    speaking = Running("--tls")
    found = re.search(r"Trust this certificate authority: (\S+)", speaking.introduction)
    assert found is not None
    import ssl

    context = ssl.create_default_context(cafile=found[1])
    answer = httpx.get(
        speaking.url("US") + "/api/v1/accounts/region", auth=("us-site", "us-key"), verify=context, timeout=20
    )
    assert answer.json()["region"] == "us"
    for library in ("customerio ", "async-customerio", "customerio-node"):
        assert library in speaking.introduction
    speaking.stop()


def test_faults_come_from_flags() -> None:
    arguments = parse(
        *("--latency-ms", "20", "--jitter-ms", "5", "--throttle-rate", "0.1", "--retry-after", "2"),
        *("--error-rate", "0.2", "--reset-rate", "0.3", "--lost-answer-rate", "0.4", "--hang-rate", "0.5"),
        *("--reject-rate", "0.6", "--seed", "7", "--no-strict", "--remember", "counts"),
    )
    options = simulate._options(arguments)
    assert options.faults == (
        Fault(kind=FaultKind.LATENCY, delay_seconds=0.02, jitter_seconds=0.005),
        Fault(kind=FaultKind.STATUS, status=429, probability=0.1, retry_after_seconds=2),
        Fault(kind=FaultKind.STATUS, status=503, probability=0.2),
        Fault(kind=FaultKind.RESET, probability=0.3),
        Fault(kind=FaultKind.RESET, probability=0.4, applied=True),
        Fault(kind=FaultKind.HANG, probability=0.5),
        Fault(kind=FaultKind.REJECT_ITEMS, share=0.6),
    )
    assert (options.seed, options.strict, options.remember_operations) == (7, False, False)


def test_without_flags_nothing_goes_wrong() -> None:
    options = simulate._options(parse())
    assert (options.faults, options.strict, options.remember_attributes) == ((), True, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--us-port", "70000"),
        ("--us-credentials", "SITE"),
        ("--error-rate", "2"),
        ("--latency-ms", "-1"),
        ("--retry-after", "soon"),
        ("--remember", "nothing"),
    ],
)
def test_wrong_arguments_are_usage_errors(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *arguments]) == ExitCode.USAGE
    assert arguments[0] in capsys.readouterr().err


def test_the_same_credentials_for_both_regions_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="are the same"):
        simulate._options(parse("--us-credentials", "A:B", "--eu-credentials", "A:B"))


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--help"]) == ExitCode.DONE
    assert "--us-credentials SITE:KEY --eu-credentials SITE:KEY" in capsys.readouterr().out
