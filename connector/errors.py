"""The errors a person sees, and the exit codes they end in. Nothing else here raises errors of its own kind."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How the process ends. Documented in README.md."""

    DONE = 0
    """Done; also after SIGTERM and a clean drain."""
    CHECK_FAILED = 1
    """A check or the demo found something wrong."""
    USAGE = 2
    """Wrong arguments or configuration."""
    BAD_INPUT = 65
    """A bad input file."""
    UNAVAILABLE = 69
    """A broker is unreachable, or a topic is missing."""
    BUG = 70
    """A bug of ours."""
    NO_PERMISSION = 77
    """Refused credentials or permissions."""
    SECOND_SIGNAL = 130
    """A second signal stopped it at once."""


class ConnectorError(Exception):
    """An error that a person can mend: one line that says what is wrong and what to do, and an exit code."""

    exit_code = ExitCode.BUG

    def __init__(self, what: str, fix: str = "") -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what}. {fix}" if fix else what)


class ConfigurationError(ConnectorError):
    """The arguments or settings are wrong."""

    exit_code = ExitCode.USAGE


class InputFileError(ConnectorError):
    """A file given as input is wrong."""

    exit_code = ExitCode.BAD_INPUT


class UnavailableError(ConnectorError):
    """A broker cannot be reached or a topic does not exist."""

    exit_code = ExitCode.UNAVAILABLE


class PermissionRefusedError(ConnectorError):
    """Credentials or permissions are refused."""

    exit_code = ExitCode.NO_PERMISSION
