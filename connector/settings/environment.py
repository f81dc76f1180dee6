"""Environment variables become the same plain data as a file. What they say goes over the file."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from connector.settings.document import DocumentError, read_document
from connector.settings.model import Settings
from connector.settings.problem import Problem, nearest_text
from connector.settings.properties import Properties
from connector.settings.tree import (
    PREFIX,
    Path,
    bare,
    environment_variable,
    fields,
    is_mapping,
    list_item,
    named_items,
    setting_paths,
    structure,
)

CONFIG_VARIABLE = "CIO_CONFIG"
IGNORED_PREFIX = "CIO_CONNECTOR_"
"""Kubernetes puts variables of this name into every pod beside a Service called cio-connector."""
SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP)(_\w+)?)?$")


class Overlay(NamedTuple):
    """What the environment says."""

    data: dict[str, Any]
    variables: dict[Path, str]
    """The variable that each path was said by."""
    problems: list[Problem]


def read_environment(environ: Mapping[str, str], regions: tuple[str, ...]) -> Overlay:
    """Read every `CIO_` variable. `regions` are those that the file names, for suggestions. Empty means
    not set."""
    overlay = Overlay({}, {}, [])
    ours = [name for name in environ if name.startswith(PREFIX) and not name.startswith(IGNORED_PREFIX)]
    # A variable that sets a whole section comes before those that set single values in it.
    for variable in sorted(ours, key=lambda name: (name.count("__"), name)):
        if variable == CONFIG_VARIABLE:
            continue
        found = _place(variable)
        if found is None:
            overlay.problems.append(Problem((variable,), _unknown(variable, regions)))
            continue
        path, annotation = found
        text = environ[variable].strip()
        if not text:
            continue
        try:
            value = _value(text, annotation)
        except DocumentError as error:
            overlay.problems.append(Problem((variable,), f"must be written as YAML; {error}"))
            continue
        overlay.variables[path] = variable
        _put(overlay.data, path, value)
    return overlay


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, mapping by mapping. Lists and values are replaced whole; a secret given
    directly replaces the file that held it, and the other way about."""
    merged = dict(below)
    for name in ("site_id", "api_key"):
        for given, other in ((name, f"{name}_file"), (f"{name}_file", name)):
            if given in above and other not in above:
                merged.pop(other, None)
    for name, value in above.items():
        before = merged.get(name)
        merged[name] = (
            merge(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def _place(variable: str) -> tuple[Path, Any] | None:
    """The path that a variable means, and what may stand there."""
    path: Path = ()
    annotation: Any = Settings
    for part in variable.removeprefix(PREFIX).split("__"):
        section, named = structure(annotation), named_items(annotation)
        if not part:
            return None
        if section is not None:
            name = part.lower()
            if name not in (known := fields(section)):
                return None
            annotation = known[name].type
        elif named is not None:
            name = part.lower().replace("_", "." if bare(annotation) is Properties else "-")
            annotation = named[1]
        else:
            return None
        path = (*path, name)
    return path, annotation


def _value(text: str, annotation: Any) -> Any:
    """What a variable's text says where this annotation stands. A text that does not fit is returned as it
    is."""
    item = list_item(annotation)
    if is_mapping(annotation) or (item is not None and (text.startswith("[") or structure(item) is not None)):
        return read_document(text).data
    if item is not None:
        return [part.strip() for part in text.split(",") if part.strip()]
    if bare(annotation) in (bool, int, float):
        try:
            return msgspec.convert(text, bare(annotation), strict=False)
        except msgspec.ValidationError:
            return text
    return text


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        below = data.get(name)
        if not isinstance(below, dict):
            below = data[name] = {}
        data = below
    data[path[-1]] = value


def _unknown(variable: str, regions: tuple[str, ...]) -> str:
    if SERVICE_LINK.search(variable):
        return "unknown setting; Kubernetes sets such for a Service: set enableServiceLinks: false in the pod"
    known = [environment_variable(path) for path in setting_paths(regions or ("us", "eu"))]
    ending = variable.removeprefix(PREFIX)
    meant = nearest_text(variable, known) or next(
        (each for each in known if each.endswith(f"__{ending}")), None
    )
    return (
        f"unknown setting; did you mean {meant}?"
        if meant
        else "unknown setting; docs/configuration.md lists all"
    )
