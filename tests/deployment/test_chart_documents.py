"""What the chart repeats agrees with where it is said first. Helm itself is asked in tests/parts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

import connector
from bench.memory_bound import LEDGER_BYTES_A_RECORD, WINDOW_BYTES_AN_ENTRY, memory_bound
from connector.settings.model import RegionSettings, Settings

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


def test_memory_is_what_the_bound_says_and_the_limit_leaves_room_for_partitions() -> None:
    def bound(partitions: int) -> int:
        settings = Settings(regions={"us": RegionSettings()})
        return memory_bound(settings, partitions, records=10**12).total

    said = " ".join((CHART / "values.yaml").read_text().replace("#", "").split())
    a_partition = (bound(1) - bound(0)) / 1e6
    assert f"by default: {bound(0) / 1e6:.0f} MB and {a_partition:g} MB a partition" in said
    for setting, bytes_each in (("max_entries", WINDOW_BYTES_AN_ENTRY), ("max_span", LEDGER_BYTES_A_RECORD)):
        assert re.search(rf"\b{bytes_each} bytes x `[a-z.]*{setting}`", said)
    limit = yaml.safe_load((CHART / "values.yaml").read_text())["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("Mi")) * 2**20 > bound(partitions=50)


def test_the_chart_runs_the_version_that_it_stands_beside() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == connector.__version__
