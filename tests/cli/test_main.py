import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from connector import __version__
from connector.cli import config, main
from connector.errors import ConfigurationError, PermissionRefusedError, UnavailableError

HEAVY = ("confluent_kafka", "httpx", "aiohttp", "opentelemetry", "msgspec", "yaml", "cryptography")


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code when a command raises this."""

    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setattr(config, "_show", fail)
    return main.main(["config", "show"])


def test_help_names_every_command_and_has_an_example(capsys: pytest.CaptureFixture[str]):
    assert main.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "config       show the settings in effect" in text
    assert "example:" in text


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from connector.cli.main import main; main(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"


def test_help_of_a_command_imports_nothing_heavy():
    code = (
        "import sys; from connector.cli.main import COMMANDS, main\n"
        "for name in COMMANDS: main([name, '--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"


def present() -> list[str]:
    return [name for name in main.COMMANDS if (Path(main.__file__).parent / f"{name}.py").exists()]


@pytest.mark.parametrize("name", present())
def test_help_of_each_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]):
    assert main.main([name, "--help"]) == 0
    assert "example" in capsys.readouterr().out.lower()


@pytest.mark.parametrize("arguments", [[], *([name] for name in present()), ["config", "show"]])
def test_version_everywhere(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main.main([*arguments, "--version"]) == 0
    assert capsys.readouterr().out == f"cio-connector {__version__}\n"


def test_no_command_shows_help_and_is_a_usage_error(capsys: pytest.CaptureFixture[str]):
    assert main.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: cio-connector")


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["--nonsense"], ["config"], ["config", "show", "--nonsense"], ["config", "nonsense"]],
)
def test_wrong_arguments_are_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main.main(arguments) == 2
    captured = capsys.readouterr()
    assert "usage: " in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "usage", "error", "command"),
    [
        (["pubish"], "[options] COMMAND ...", "did you mean publish?", ""),
        (["dlq", "relpay"], "[options] COMMAND ...", "did you mean replay?", " dlq"),
        (["dlq", "replay", "--dry-run"], "[options]", "unknown: --dry-run", " dlq replay"),
        (
            ["dlq", "import", "f", "--yess"],
            "[options] FILE",
            "unknown: --yess; did you mean --yes?",
            " dlq import",
        ),
        (["dlq", "replay", "--ye"], "[options]", "unknown: --ye; did you mean --yes?", " dlq replay"),
        (["simulate", "--us-port", "x"], "[options]", "argument --us-port: a port is a number", " simulate"),
        (["config", "show", "more"], "[options]", "unknown: more", " config show"),
    ],
)
def test_a_wrong_argument_is_told_in_three_lines_by_the_command_that_it_was_given_to(
    arguments: list[str], usage: str, error: str, command: str, capsys: pytest.CaptureFixture[str]
):
    assert main.main(arguments) == 2
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == f"usage: cio-connector{command} {usage}"
    assert second.startswith("error: ")
    assert error in second
    assert third == f"see cio-connector{command} --help"


@pytest.mark.parametrize("columns", [80, 120])
def test_help_fits_the_terminal_but_for_what_is_to_be_copied(columns: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for parser in main._with_nested(main.command_parser(list(main.COMMANDS))):
        shown = parser.format_help()
        long = [line for line in shown.splitlines() if len(line) >= columns]
        assert not [line for line in long if "cio-connector " not in line and "curl " not in line]
        assert re.search(r"^  .*cio-connector ", shown, re.MULTILINE)


@pytest.mark.parametrize("before", [True, False])
def test_configuration_file_may_be_named_at_either_side_of_the_command(
    before: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "c.yaml"
    file.write_text("batch: {max_events: 123}")
    option, command = ["--config", str(file)], ["config", "show"]
    assert main.main([*option, *command] if before else [*command, *option]) == 0
    assert "max_events: 123" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("it is wrong", "Mend it"), 2),
        (UnavailableError("it is wrong", "Mend it"), 69),
        (PermissionRefusedError("it is wrong", "Mend it"), 77),
    ],
)
def test_error_a_person_can_mend_is_one_line(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert failing_with(error, monkeypatch) == code
    assert capsys.readouterr() == ("", "error: it is wrong. Mend it\n")


def test_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert failing_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr() == ("", "")


def test_bug_of_ours_says_so_after_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert failing_with(ZeroDivisionError("by zero"), monkeypatch) == 70
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback")
    assert printed.splitlines()[-1] == (
        f"error: this is a bug in cio-connector {__version__}. Please report it with the traceback above"
    )


def test_reader_that_goes_away_is_no_error_to_speak_of():
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "connector.cli.main", "config", "schema"], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert process.returncode == 141
    assert process.stderr == b""


def test_exit_code_reaches_the_shell():
    process = subprocess.run(
        [sys.executable, "-m", "connector.cli.main", "config", "show", "--config", "nowhere.yaml"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr == (
        "error: there is no configuration file nowhere.yaml. Mend --config or CIO_CONFIG\n"
    )
