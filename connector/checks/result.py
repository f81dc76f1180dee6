"""What checks find."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from connector.errors import ConfigurationError, ConnectorError, ExitCode


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, and a person should know something."""
    FAIL = "fail"
    SKIP = "skip"
    """Not looked at, because something else that it rests on failed."""


class Check(msgspec.Struct, frozen=True):
    """One thing looked at."""

    status: Status
    check: str
    """What kind of thing, such as `topic`."""
    subject: str
    """Which one, such as the topic's name; empty where there is only one."""
    message: str
    """One line; holds neither secrets nor attributes."""
    fix: str = ""
    """What to do about it."""
    exit_code: ExitCode = ExitCode.DONE
    """The code that a failure asks for."""

    def __str__(self) -> str:
        what = f"{self.check.replace('_', ' ')} {self.subject}".rstrip()
        return f"{self.status:<4}  {what}: {self.message}" + (f". {self.fix}" if self.fix else "")


def ok(check: str, subject: str, message: str) -> Check:
    return Check(Status.OK, check, subject, message)


def warn(check: str, subject: str, message: str, fix: str) -> Check:
    return Check(Status.WARN, check, subject, message, fix)


def skip(check: str, subject: str, because: str) -> Check:
    return Check(Status.SKIP, check, subject, f"not looked at, {because}")


def fail(
    check: str, subject: str, message: str, fix: str, exit_code: ExitCode = ExitCode.CHECK_FAILED
) -> Check:
    return Check(Status.FAIL, check, subject, message, fix, exit_code)


def failed(check: str, subject: str, error: ConnectorError) -> Check:
    """What a look outside came to. Settings that are well formed and do not fit what is there have failed a check;
    only what is wrong by itself is a configuration error."""
    code = ExitCode.CHECK_FAILED if isinstance(error, ConfigurationError) else error.exit_code
    return fail(check, subject, error.what, error.fix, code)


PRECEDENCE = (ExitCode.USAGE, ExitCode.NO_PERMISSION, ExitCode.UNAVAILABLE, ExitCode.CHECK_FAILED)
"""Which code wins where several checks fail: what keeps one from trying comes first."""


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """The code that all of them together end in."""
    codes = {check.exit_code for check in checks if check.status is Status.FAIL}
    return next((code for code in PRECEDENCE if code in codes), ExitCode.DONE)


def counted(number: int, what: str) -> str:
    """Such as `1 record` or `1,234 records`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
