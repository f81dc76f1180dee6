"""Makes what the chart repeats from where it is said first: `python helm/generate.py`, with `--check` only compares.

The table of values in README.md comes from values.yaml's comments, the schema of `config` in values.schema.json from
the connector's settings, and what tells a property that holds a secret, in templates/_secrets.tpl, from theirs.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from connector.settings.properties import SECRET, SHOWN
from connector.settings.schema import json_schema

CHART = Path(__file__).parent / "cio-connector"
BEGIN, END = "<!-- values: made from values.yaml by helm/generate.py -->", "<!-- end of values -->"


class Value(NamedTuple):
    """One value of the chart, as its table shows it."""

    name: str
    default: str
    comment: str


def values(text: str) -> Iterator[Value]:
    """The commented values of values.yaml, in its order. A comment belongs to the key right below it."""
    yield from _below(yaml.compose(text), "", text.splitlines())


def _below(node: yaml.Node, prefix: str, lines: list[str]) -> Iterator[Value]:
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        comment = _comment_above(key.start_mark.line, lines)
        below = isinstance(value, yaml.MappingNode) and bool(value.value)
        if comment and not below:
            default = json.dumps(yaml.safe_load(yaml.serialize(value)))
            yield Value(name, default, comment)
        elif comment:
            yield Value(name, "", comment)
        elif not below:
            raise SystemExit(f"values.yaml: {name} has no comment")
        if below:
            yield from _below(value, f"{name}.", lines)


def _comment_above(line: int, lines: list[str]) -> str:
    said: list[str] = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        said.insert(0, lines[line].strip().lstrip("# "))
    return " ".join(said)


def readme(before: str, values_text: str) -> str:
    """README.md with its table made anew."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [f"| `{each.name}` | {_code(each.default)} | {each.comment} |" for each in values(values_text)]
    table = "\n".join(["| value | default | meaning |", "| --- | --- | --- |", *rows])
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def values_schema(before: str) -> str:
    """values.schema.json with the connector's settings as they are now."""
    return json.dumps(json.loads(before) | {"$defs": json_schema()["$defs"]}, indent=2) + "\n"


def secrets_template() -> str:
    """The chart's own `holds_secret`: "true" for the name of such a property, else nothing."""
    return f"""{{{{/* Made from connector/settings/properties.py by helm/generate.py. */}}}}
{{{{- define "cio-connector.holdsSecret" -}}}}
{{{{- $name := lower . -}}}}
{{{{- $secret := regexMatch `{SECRET.pattern}` $name -}}}}
{{{{- $shown := regexMatch `{SHOWN.pattern}` $name -}}}}
{{{{- ternary "true" "" (and $secret (not $shown)) -}}}}
{{{{- end -}}}}
"""


def main(arguments: list[str]) -> int:
    """Writes the files, or says which would change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where something would change"
    )
    check = parser.parse_args(arguments).check
    changed = 0
    for file, made in (
        (CHART / "README.md", lambda text: readme(text, (CHART / "values.yaml").read_text())),
        (CHART / "values.schema.json", values_schema),
        (CHART / "templates" / "_secrets.tpl", lambda _: secrets_template()),
    ):
        before = file.read_text()
        after = made(before)
        if before == after:
            continue
        changed += 1
        if check:
            print(f"{file} is not what it would be made from: run `python helm/generate.py`", file=sys.stderr)
        else:
            file.write_text(after)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
