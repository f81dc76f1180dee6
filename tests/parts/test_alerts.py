"""The chart's alerts: Prometheus takes them, they ask for what there is, and they fire when they should."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.core.effects import RegionState
from connector.telemetry.health import STOPPED
from tests.parts.chart import CHART, of_kind, rendered
from tests.telemetry.test_core_metrics import DOCUMENTED

pytestmark = pytest.mark.parts

POD = 'namespace="events",pod="release-cio-connector-us-0"'
ALIVE = f'cio_connector_region_state{{region="us",state="healthy",{POD}}}'

Alerts = dict[str, dict[str, Any]]
TryAlerts = Callable[[dict[str, str], dict[int, list[str]]], None]


@pytest.fixture(scope="module")
def groups(helm: Path | str) -> list[dict[str, Any]]:
    """The groups of rules, as Prometheus' own configuration has them."""
    manifests = rendered(helm, CHART / "ci" / "operators-values.yaml")
    (rule,) = of_kind(manifests, "PrometheusRule")
    found: list[dict[str, Any]] = rule["spec"]["groups"]
    return found


@pytest.fixture(scope="module")
def alerts(groups: list[dict[str, Any]]) -> Alerts:
    """By name."""
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture
def try_alerts(promtool: Path | str, groups: list[dict[str, Any]], tmp_path: Path) -> TryAlerts:
    """Series, with a value a minute as promtool writes them, lead to these alerts at these minutes, and no others."""

    def try_alerts(series: dict[str, str], firing: dict[int, list[str]]) -> None:
        (tmp_path / "rules.json").write_text(json.dumps({"groups": groups}))
        expected = [
            {
                "expr": 'ALERTS{alertstate="firing"}',
                "eval_time": f"{minute}m",
                "exp_samples": [
                    {"labels": f'ALERTS{{alertstate="firing",{labels}}}', "value": 1} for labels in found
                ],
            }
            for minute, found in firing.items()
        ]
        inputs = [{"series": name, "values": values} for name, values in series.items()]
        tests = [{"interval": "1m", "input_series": inputs, "promql_expr_test": expected}]
        trial = {"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": tests}
        (tmp_path / "trial.json").write_text(json.dumps(trial))
        promtool_says(promtool, "test", "rules", str(tmp_path / "trial.json"))

    return try_alerts


def promtool_says(promtool: Path | str, *arguments: str) -> str:
    """What it printed; the test fails with it where promtool finds a mistake."""
    done = subprocess.run([str(promtool), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alerts_ask_for_metrics_labels_and_states_that_there_are(alerts: Alerts) -> None:
    expressions = " ".join(alert["expr"] for alert in alerts.values())
    asked = re.findall(r"\b(cio_connector_\w+)(?:\{([^}]*)\})?", expressions)
    assert {name for name, _ in asked} <= DOCUMENTED.keys()
    for name, matchers in asked:
        labels = set(re.findall(r"(\w+)=", matchers)) - {"namespace", "pod"}
        assert labels <= DOCUMENTED[name], name
    for alert in alerts.values():
        (metric, *_) = re.findall(r"\bcio_connector_\w+", alert["expr"])
        for labels in re.findall(r" by \(([^)]*)\)", alert["expr"]):
            assert set(labels.split(", ")) <= DOCUMENTED[metric]
    (states,) = re.findall(r'state=~"([^"]*)"', expressions)
    assert set(states.split("|")) <= {state.value for state in RegionState}
    assert set(re.findall(r'reason="([^"]*)"', expressions)) == {STOPPED}


def test_every_alert_is_documented_with_what_helps(alerts: Alerts) -> None:
    page = (CHART.parents[1] / "docs" / "telemetry.md").read_text()
    assert set(re.findall(r"^\| `(Cio\w+)` \|", page, re.MULTILINE)) == alerts.keys()


def test_what_an_alert_names_in_its_text_is_a_metric(alerts: Alerts) -> None:
    for alert in alerts.values():
        texts = " ".join(alert["annotations"].values())
        assert set(re.findall(r"\bcio_connector_\w+", texts)) <= DOCUMENTED.keys()


def test_what_has_been_well_for_long_alerts_nobody(try_alerts: TryAlerts) -> None:
    well = [f"{name}{{{POD}}}" for name in DOCUMENTED if name != "cio_connector_region_state"]
    try_alerts({ALIVE: "1x60"} | dict.fromkeys(well, "0x60"), {60: []})


def test_events_that_wait_for_long_alert(try_alerts: TryAlerts) -> None:
    age = f'cio_connector_oldest_record_age_seconds{{region="eu",{POD}}}'
    firing = 'alertname="CioConnectorRecordsWait",region="eu",severity="warning"'
    try_alerts({ALIVE: "1x60", age: "0+60x25 0x60"}, {14: [], 23: [firing], 40: []})


@pytest.mark.parametrize("state", ["unauthorised", "misconfigured"])
def test_a_region_that_refuses_alerts(try_alerts: TryAlerts, state: str) -> None:
    refuses = f'cio_connector_region_state{{region="eu",state="{state}",{POD}}}'
    firing = f'alertname="CioConnectorRegionRefuses",region="eu",severity="critical",state="{state}"'
    try_alerts({ALIVE: "1x60", refuses: "0x4 1x20 0x60"}, {4: [], 10: [firing], 40: []})


def test_a_partition_that_was_stopped_alerts(try_alerts: TryAlerts) -> None:
    place = 'topic="events",partition="3"'
    stopped = f'cio_connector_partition_waiting{{group="g",{place},reason="{STOPPED}",{POD}}}'
    firing = f'alertname="CioConnectorPartitionStopped",{place},severity="critical"'
    try_alerts({ALIVE: "1x60", stopped: "_x5 1x20"}, {4: [], 10: [firing], 40: []})


FROM_THE_FIRST_SAMPLE = pytest.mark.parametrize(
    "before", ["0x4", "_x5"], ids=["later", "from the first sample on"]
)
"""What a process finds as it starts is there before Prometheus looks for the first time."""


@FROM_THE_FIRST_SAMPLE
def test_dead_letters_alert(try_alerts: TryAlerts, before: str) -> None:
    letters = f'cio_connector_dead_letters_total{{reason="invalid",{POD}}}'
    others = f'cio_connector_dead_letters_total{{reason="rejected",{POD}}}'
    firing = 'alertname="CioConnectorDeadLetters",reason="invalid",severity="warning"'
    series = {ALIVE: "1x60", letters: f"{before} 7x60", others: f"{before} 0x60"}
    try_alerts(series, {4: [], 10: [firing], 40: []})


@FROM_THE_FIRST_SAMPLE
def test_records_that_retention_took_first_alert(try_alerts: TryAlerts, before: str) -> None:
    missed = f"cio_connector_records_missed_total{{{POD}}}"
    firing = 'alertname="CioConnectorRecordsMissed",severity="critical"'
    try_alerts({ALIVE: "1x60", missed: f"{before} 7x60"}, {4: [], 10: [firing], 40: []})


def test_a_connector_that_is_gone_alerts(try_alerts: TryAlerts) -> None:
    firing = 'alertname="CioConnectorAbsent",namespace="events",severity="critical"'
    try_alerts({ALIVE: "1x30"}, {30: [], 50: [firing]})


def test_prometheus_takes_the_rules(
    promtool: Path | str, groups: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": groups}))
    rules = sum(len(group["rules"]) for group in groups)
    assert f"{rules} rules found" in promtool_says(promtool, "check", "rules", str(file))
