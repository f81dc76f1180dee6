"""Settings from a file and the environment: environment over file over defaults, and every mistake named
at once."""

from collections.abc import Collection, Mapping
from pathlib import Path as FilePath
from typing import Any

from connector.errors import ConfigurationError
from connector.settings.consistency import Need, inconsistencies
from connector.settings.document import Document, DocumentError, read_document
from connector.settings.environment import CONFIG_VARIABLE, Overlay, merge, read_environment
from connector.settings.model import Settings
from connector.settings.problem import Problem
from connector.settings.resolve import resolved
from connector.settings.shape import settings_from
from connector.settings.tree import PREFIX, Path, dotted, environment_variable

EVERYTHING: tuple[Need, ...] = ("kafka", "customerio")
NO_FILE = f"no file was read: neither --config nor {CONFIG_VARIABLE} is given"


def file_in_effect(path: str | FilePath | None, environ: Mapping[str, str]) -> str | None:
    """The configuration file that is read; None: the environment alone says everything."""
    return str(path) if path is not None else environ.get(CONFIG_VARIABLE) or None


def load_settings(
    path: str | FilePath | None, environ: Mapping[str, str], *, needs: Collection[Need] = EVERYTHING
) -> Settings:
    """The effective settings from the file at `path`, or else at `CIO_CONFIG`, or else from the environment
    alone.

    `needs` says what the command talks to: what only others need may be missing, such as a publisher's
    credentials. Raises ConfigurationError with one line for each problem.
    """
    name = file_in_effect(path, environ)
    document = _read_file(FilePath(name)) if name is not None else Document({}, {})
    overlay = read_environment(environ, _region_names(document.data))
    data = merge(document.data, overlay.data)
    settings, found = settings_from(data)
    routing = data.get("routing")
    default_given = isinstance(routing, Mapping) and "default" in routing
    settings = resolved(settings, routing_default_given=default_given, need_regions="customerio" in needs)
    named = {problem.path for problem in found.problems}
    problems = [*overlay.problems, *found.problems]
    for each in inconsistencies(settings, needs):
        problem = each._replace(path=found.as_given(each.path))
        if not _follows_from(problem.path, named):
            problems.append(problem)
    if problems:
        raise _error(problems, document, overlay, name)
    return settings


def _read_file(path: FilePath) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not text in UTF-8", "Name a YAML file") from None
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no configuration file {path}", f"Mend --config or {CONFIG_VARIABLE}"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the configuration file {path}: {error.strerror}", "Mend the path or its permissions"
        ) from None
    try:
        document = read_document(text)
    except DocumentError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    if document.data is None:
        raise ConfigurationError(
            f"the configuration file {path} is empty",
            "See config/example.yaml, or leave --config out to use the environment alone",
        )
    if not isinstance(document.data, dict):
        raise ConfigurationError(
            f"{path}: must hold names and values, such as `kafka: {{...}}`", "See config/example.yaml"
        )
    return document


def _region_names(data: Mapping[str, Any]) -> tuple[str, ...]:
    regions = data.get("regions")
    return tuple(str(name) for name in regions) if isinstance(regions, Mapping) else ()


def _follows_from(path: Path, named: set[Path]) -> bool:
    """Whether the same setting, the section around it or something within it was already found wrong."""
    return any(path[: len(each)] == each[: len(path)] for each in named)


def _error(
    problems: list[Problem], document: Document, overlay: Overlay, file: str | None
) -> ConfigurationError:
    lines = [_line(problem, document, overlay, file) for problem in problems]
    if len(lines) == 1:
        return ConfigurationError(lines[0])
    return ConfigurationError("\n  ".join([f"{len(lines)} problems in the configuration", *lines]))


def _line(problem: Problem, document: Document, overlay: Overlay, file: str | None) -> str:
    """`delivery.concurency: unknown setting; did you mean delivery.concurrency? (connector.yaml, line
    12)`."""
    path = problem.path
    if path[0].startswith(PREFIX):
        return f"{path[0]}: {problem.text}"
    said = f"{dotted(path)}: {problem.text}"
    for length in range(len(path), 0, -1):
        if variable := overlay.variables.get(path[:length]):
            return f"{said} ({variable})"
        # What an item of a list lacks can only be mended there.
        if (line := document.lines.get(path[:length])) and (
            length == len(path) or path[length - 1][0] == "["
        ):
            return f"{said} ({file}, line {line})"
    if problem.missing:
        return f"{said} ({environment_variable(path)} in the environment)"
    return said
