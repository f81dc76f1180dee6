import re
from pathlib import Path

from tests.telemetry.test_core_metrics import DOCUMENTED

PAGE = Path(__file__).parents[2] / "docs" / "telemetry.md"


def test_every_metric_is_documented_with_its_labels() -> None:
    documented = {
        name: set(labels.split(",")) if labels else set()
        for name, labels in re.findall(r"`(cio_connector_\w+)(?:\{([\w,]+)\})?`", PAGE.read_text())
    }
    assert documented == DOCUMENTED
