"""Why a part cannot be had."""

import shutil

HOW_TO_GET = {
    "java": "Java 17 or later (Debian: apt-get install default-jre-headless)",
    "mvn": "Maven (Debian: apt-get install maven)",
    "go": "Go 1.26 or later",
    "promtool": "promtool (on Debian it is taken out of the package prometheus)",
}


class MissingPartError(Exception):
    """A tool that the part needs is not on this machine. Its text is one line that names the tool."""


class BrokenPartError(Exception):
    """The part could be neither built nor started; the text ends with what it said last."""


def require(part: str, *tools: str) -> None:
    """Raises `MissingPartError` unless each of `tools` is on the PATH."""
    missing = [HOW_TO_GET[tool] for tool in tools if shutil.which(tool) is None]
    if missing:
        raise MissingPartError(f"{part} needs {' and '.join(missing)}")
