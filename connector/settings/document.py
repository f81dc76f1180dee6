"""A YAML text becomes plain data, with the line of each key, by rules that surprise nobody.

Scalars follow YAML 1.2's core schema: `no`, `off`, `12:30` and `2024-01-01` are text, not booleans,
numbers and dates. A duplicate key is an error. No message repeats what stands in the text, which may be a
secret.
"""

import re
from typing import Any, NamedTuple

import yaml

from connector.settings.tree import Path, dotted


class Document(NamedTuple):
    """What a YAML text says. `data` is None for a text that says nothing."""

    data: Any
    lines: dict[Path, int]
    """The line, from 1, on which each key or list item begins."""


class DocumentError(Exception):
    """The text is not the YAML that is wanted. The message names the line and quotes nothing."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _kind, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}",
        re.compile(rf"(?:{_pattern})\Z"),
        [*_first, ""] if _kind == "null" else list(_first),
    )


def read_document(text: str) -> Document:
    """Read one YAML document. Raises DocumentError."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        lines: dict[Path, int] = {}
        _note_lines(node, (), lines, set())
        return Document(loader.construct_document(node), lines)
    except yaml.reader.ReaderError as error:
        raise DocumentError(f"not text: an unacceptable character at position {error.position}") from None
    except yaml.MarkedYAMLError as error:
        raise DocumentError(_without_content(error)) from None
    except (ValueError, RecursionError):
        raise DocumentError("not valid YAML") from None


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> None:
    """Note where every key stands, and refuse one that stands twice. An alias is followed once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            here = (*path, str(key.value))
            if here in lines:
                raise DocumentError(
                    f"line {line}: {dotted(here)} is given twice, first on line {lines[here]}"
                )
            lines[here] = line
            _note_lines(value, here, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here = (*path, f"[{index}]")
            lines[here] = item.start_mark.line + 1
            _note_lines(item, here, lines, seen)


def _without_content(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's own message quotes the text; ours keeps the place and what is wrong."""
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = re.sub(r"\s*['\"][^'\"]{2,}['\"]", "", error.problem or "")
    return f"{place}not valid YAML{f' ({problem})' if problem else ''}"
