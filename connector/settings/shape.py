"""Plain data is held against the model, and everything that does not fit is named at once."""

import math
from collections.abc import Mapping
from typing import Any

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


def settings_from(data: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
    """The settings that the data says, with defaults in place of whatever is wrong with it."""
    problems: list[Problem] = []
    fitting = _section(data, Settings, (), problems)
    return msgspec.convert(fitting, Settings, dec_hook=decode), problems


def decode(kind: type, value: Any) -> Any:
    """msgspec's hook for our own types."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    if kind is Properties and isinstance(value, Mapping):
        return Properties(value)
    raise ValueError("must be text" if kind is Secret else "must be a mapping")


def _fitting(value: Any, annotation: Any, path: Path, problems: list[Problem]) -> Any:
    """The value, or what of it fits the annotation; UNSET where nothing does."""
    section, named, item = structure(annotation), named_items(annotation), list_item(annotation)
    if section is not None or named is not None:
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            problems.append(Problem(path, f"must be a mapping of names to values, not {_kind_of(value)}"))
            return msgspec.UNSET
        if section is not None:
            return _section(value, section, path, problems)
        if bare(annotation) is Properties:
            return _properties(value, path, problems)
        assert named is not None
        return _named(value, *named, path, problems)
    if item is not None and isinstance(value, list):
        fitting = [_fitting(each, item, (*path, f"[{i}]"), problems) for i, each in enumerate(value)]
        return [each for each in fitting if each is not msgspec.UNSET]
    return _leaf(value, annotation, path, problems)


def _section(
    data: Mapping[Any, Any], section: type[msgspec.Struct], path: Path, problems: list[Problem]
) -> Any:
    known = fields(section)
    fitting: dict[str, Any] = {}
    for key, value in data.items():
        name = str(key)
        here = (*path, name)
        if name not in known:
            problems.append(Problem(here, _unknown(here, known)))
        elif (fits := _fitting(value, known[name].type, here, problems)) is not msgspec.UNSET:
            fitting[name] = fits
    for name, field in known.items():
        if field.required and name not in fitting:
            if name not in data:
                problems.append(Problem((*path, name), f"is missing; {allowed(field.type)} is needed"))
            return msgspec.UNSET
    return fitting


def _named(
    data: Mapping[Any, Any], name: Any, item: Any, path: Path, problems: list[Problem]
) -> dict[str, Any]:
    fitting: dict[str, Any] = {}
    for key, value in data.items():
        here = (*path, str(key))
        try:
            msgspec.convert(str(key), name)
        except msgspec.ValidationError:
            problems.append(
                Problem(here, "the name must be lower-case letters, digits and single hyphens, such as eu")
            )
            continue
        if (fits := _fitting(value, item, here, problems)) is not msgspec.UNSET:
            fitting[str(key)] = fits
    return fitting


def _properties(data: Mapping[Any, Any], path: Path, problems: list[Problem]) -> dict[str, str]:
    """librdkafka takes text only; YAML's booleans and numbers become the text that it expects."""
    fitting: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, bool):
            fitting[str(key)] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            fitting[str(key)] = str(value)
        elif isinstance(value, Mapping):
            problems.append(
                Problem(
                    (*path, str(key)),
                    "must be one value; write the property's whole name, with its dots, as the key",
                )
            )
        else:
            problems.append(
                Problem((*path, str(key)), f"must be text, a number or true or false, not {_kind_of(value)}")
            )
    return fitting


def _leaf(value: Any, annotation: Any, path: Path, problems: list[Problem]) -> Any:
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
    elif list_item(annotation) is not None and isinstance(value, str):
        hint = "; write [a, b]"
    problems.append(Problem(path, f"must be {allowed(annotation)}, not {given}{hint}"))
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
