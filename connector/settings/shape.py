"""Plain data is held against the model, and everything that does not fit is named at once."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from connector.settings.model import Settings
from connector.settings.problem import Problem, nearest_setting
from connector.settings.properties import Properties, redacted_url
from connector.settings.secret import Secret
from connector.settings.tree import (
    Path,
    allowed,
    bare,
    fields,
    holds_value_in_secret,
    list_item,
    named_items,
    setting_paths,
    structure,
)

SHOWN_CHARACTERS = 60
_NAMES = re.compile(r"[A-Za-z][\w.-]*(?:, *[A-Za-z][\w.-]*)*")
"""What becomes a list by brackets alone."""


class Found(NamedTuple):
    """What does not fit."""

    problems: list[Problem]
    kept: dict[Path, list[int]]
    """Where each item of a list that fits stands among all of them."""

    def as_given(self, path: Path) -> Path:
        """A path within the settings as it is in the data."""
        given: Path = ()
        for part in path:
            if (kept := self.kept.get(given)) is not None:
                part = f"[{kept[int(part[1:-1])]}]"
            given = (*given, part)
        return given


def settings_from(data: Mapping[str, Any]) -> tuple[Settings, Found]:
    """The settings that the data says, with defaults in place of whatever is wrong with it."""
    found = Found([], {})
    fitting = _section(data, Settings, (), found)
    return msgspec.convert(fitting, Settings, dec_hook=decode), found


def decode(kind: type, value: Any) -> Any:
    """msgspec's hook for our own types."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    if kind is Properties and isinstance(value, Mapping):
        return Properties(value)
    raise ValueError("must be text" if kind is Secret else "must be a mapping")


def _fitting(value: Any, annotation: Any, path: Path, found: Found) -> Any:
    """The value, or what of it fits the annotation; UNSET where nothing does."""
    section, named, item = structure(annotation), named_items(annotation), list_item(annotation)
    if section is not None or named is not None:
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            found.problems.append(
                Problem(path, f"must be a mapping of names to values, not {_kind_of(value)}")
            )
            return msgspec.UNSET
        if section is not None:
            return _section(value, section, path, found)
        if bare(annotation) is Properties:
            return _properties(value, path, found)
        assert named is not None
        return _named(value, *named, path, found)
    if item is not None and isinstance(value, list):
        fitting = [_fitting(each, item, (*path, f"[{i}]"), found) for i, each in enumerate(value)]
        found.kept[path] = [i for i, each in enumerate(fitting) if each is not msgspec.UNSET]
        return [each for each in fitting if each is not msgspec.UNSET]
    return _leaf(value, annotation, path, found)


def _section(data: Mapping[Any, Any], section: type[msgspec.Struct], path: Path, found: Found) -> Any:
    known = fields(section)
    fitting: dict[str, Any] = {}
    for key, value in data.items():
        name = str(key)
        here = (*path, name)
        if name not in known:
            found.problems.append(Problem(here, _unknown(here, known)))
        elif (fits := _fitting(value, known[name].type, here, found)) is not msgspec.UNSET:
            fitting[name] = fits
    for name, field in known.items():
        if field.required and name not in fitting:
            if name not in data:
                found.problems.append(Problem((*path, name), f"is missing; {allowed(field.type)} is needed"))
            return msgspec.UNSET
    return fitting


def _named(data: Mapping[Any, Any], name: Any, item: Any, path: Path, found: Found) -> dict[str, Any]:
    fitting: dict[str, Any] = {}
    for key, value in data.items():
        here = (*path, str(key))
        try:
            msgspec.convert(str(key), name)
        except msgspec.ValidationError:
            found.problems.append(
                Problem(here, "the name must be lower-case letters, digits and single hyphens, such as eu")
            )
            continue
        if (fits := _fitting(value, item, here, found)) is not msgspec.UNSET:
            fitting[str(key)] = fits
    return fitting


def _properties(data: Mapping[Any, Any], path: Path, found: Found) -> dict[str, str]:
    """librdkafka takes text only; YAML's booleans and numbers become the text that it expects."""
    fitting: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, bool):
            fitting[str(key)] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            fitting[str(key)] = str(value)
        elif isinstance(value, Mapping):
            found.problems.append(
                Problem(
                    (*path, str(key)),
                    "must be one value; write the property's whole name, with its dots, as the key",
                )
            )
        else:
            found.problems.append(
                Problem((*path, str(key)), f"must be text, a number or true or false, not {_kind_of(value)}")
            )
    return fitting


def _leaf(value: Any, annotation: Any, path: Path, found: Found) -> Any:
    try:
        msgspec.convert(value, annotation, dec_hook=decode)
        if not isinstance(value, float) or math.isfinite(value):
            return value
    except msgspec.ValidationError:
        pass
    given = _kind_of(value) if holds_value_in_secret(annotation) else _shown(value)
    hint = ""
    if bare(annotation) in (str, Secret) and isinstance(value, bool | int | float):
        hint = "; put it in quotes"
    elif list_item(annotation) is str and isinstance(value, str):
        hint = f"; write [{value if _NAMES.fullmatch(value) else 'a, b'}]"
    found.problems.append(Problem(path, f"must be {allowed(annotation)}, not {given}{hint}"))
    return msgspec.UNSET


def _unknown(path: Path, siblings: Mapping[str, Any]) -> str:
    if ":" in path[-1]:
        return "unknown setting; a space is missing after the colon"
    meant = nearest_setting(path, siblings, setting_paths())
    return (
        f"unknown setting; did you mean {meant}?"
        if meant
        else "unknown setting; docs/configuration.md lists all"
    )


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text" if value else "an empty text"
        case list():
            return "a list"
        case Mapping():
            return "a mapping"
    return "something else"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and value:
        value = redacted_url(value)
        short = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "..."
        return f'"{short}"'
    return _kind_of(value)
