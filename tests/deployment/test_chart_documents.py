"""What the chart repeats agrees with where it is said first. Helm itself is asked in tests/parts."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

import connector

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "cio-connector"


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "helm" / "generate.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_charts_table_of_values_and_schema_are_as_they_would_be_made() -> None:
    done = generate("--check")
    assert done.returncode == 0, done.stderr


def test_every_value_is_in_the_table() -> None:
    table = (CHART / "README.md").read_text()
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for name in values:
        assert f"| `{name}" in table


def test_the_schema_knows_every_value_and_refuses_others() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) == {*values, "global"}
    assert schema["additionalProperties"] is False
    assert "linger_ms" in schema["$defs"]["BatchOptions"]["properties"]


def test_the_chart_runs_the_version_that_it_stands_beside() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == connector.__version__
