import pytest

from connector.checks.result import Status, counted, exit_code, fail, failed, ok, skip, warn
from connector.errors import (
    ConfigurationError,
    ConnectorError,
    ExitCode,
    PermissionRefusedError,
    UnavailableError,
)

FAILURES = {
    code: fail("topic", "events", "is wrong", "Mend it", code)
    for code in (ExitCode.USAGE, ExitCode.NO_PERMISSION, ExitCode.UNAVAILABLE, ExitCode.CHECK_FAILED)
}


def test_a_line_says_how_it_ended_what_it_is_about_and_what_to_do() -> None:
    assert str(ok("topic", "events", "may be read")) == "ok    topic events: may be read"
    assert str(fail("dead_letter_topic", "dead", "is missing", "Create it")) == (
        "fail  dead letter topic dead: is missing. Create it"
    )
    assert (
        str(skip("group", "g", "since Kafka is down")) == "skip  group g: not looked at, since Kafka is down"
    )
    assert str(warn("otlp", "", "is down", "Start it")) == "warn  otlp: is down. Start it"


def test_nothing_failed_is_zero() -> None:
    assert exit_code([]) == ExitCode.DONE
    assert exit_code([ok("a", "", ""), warn("a", "", "", ""), skip("a", "", "")]) == ExitCode.DONE


def test_a_failure_alone_decides() -> None:
    for code, failure in FAILURES.items():
        assert exit_code([ok("a", "", ""), failure]) == code


@pytest.mark.parametrize(
    ("codes", "winner"),
    [
        ((1, 69), 69),
        ((1, 77), 77),
        ((69, 77), 77),
        ((77, 2), 2),
        ((1, 69, 77, 2), 2),
    ],
)
def test_of_several_failures_what_keeps_one_from_trying_wins(codes: tuple[int, ...], winner: int) -> None:
    failures = [FAILURES[ExitCode(code)] for code in codes]
    assert exit_code(failures) == exit_code(reversed(failures)) == winner


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionRefusedError("no"), ExitCode.NO_PERMISSION),
        (UnavailableError("no"), ExitCode.UNAVAILABLE),
        # Well formed, and does not fit what is there.
        (ConfigurationError("no"), ExitCode.CHECK_FAILED),
    ],
)
def test_an_error_becomes_a_failure_with_its_code(error: ConnectorError, code: ExitCode) -> None:
    check = failed("region", "us", error)
    assert (check.status, check.message, check.exit_code) == (Status.FAIL, "no", code)


def test_things_are_counted_as_people_do() -> None:
    assert [counted(number, "record") for number in (0, 1, 1234)] == [
        "0 records",
        "1 record",
        "1,234 records",
    ]
