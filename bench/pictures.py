"""`python -m bench.pictures`: draws the pictures of docs/benchmarks.md from the figures in bench/results/.

The benchmarks themselves draw theirs at their end; this is for the looks alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.plot import Axis, Line, Panel, Point, svg, ticks_from_zero

RESULTS = Path("bench/results")
IMAGES = Path("docs/images")

Row = Mapping[str, Any]
"""An object of a JSON file of results."""


def latency_picture(results: Sequence[Row]) -> str:
    """Of `bench.latency`: a panel for each rate, a line for each contender."""
    rates = dict.fromkeys(result["events_per_second"] for result in results)
    panels = [
        _latency_panel(rate, [result for result in results if result["events_per_second"] == rate])
        for rate in rates
    ]
    return svg(panels, 2, ["full circle: p50, empty circle: p99", "without the sink's own 30 ms"])


def _latency_panel(rate: int, results: Sequence[Row]) -> Panel:
    lines = []
    for result in results:
        points = [
            (edge, 100 * count / result["events"]) for edge, count in result["histogram"] if edge is not None
        ]
        filled, hollow = (
            [_on_the_line(points, result["percentiles_ms"][percentile])] for percentile in ("50", "99")
        )
        lines.append(Line(result["name"], points, filled, hollow))
    highest = max(share for line in lines for _, share in line.points)
    return Panel(
        f"{rate:,} events/s",
        Axis("ms from publishing to acceptance", (1, 10, 100, 1_000, 10_000), log=True),
        Axis("% of events", ticks_from_zero(highest)),
        lines,
    )


def _on_the_line(points: Sequence[Point], x: float) -> Point:
    """The bucket that holds `x`, at the place where the line has it."""
    return next((point for point in points if x <= point[0]), points[-1])


RATES = {"events/s": "per_second", "events per CPU-second": "per_cpu_second"}


def scaling_pictures(results: Sequence[Row]) -> dict[str, str]:
    """Of `bench.scaling`: name of the file -> picture, with a panel for each axis."""
    axes: dict[str, list[Row]] = {}
    for result in results:
        axes.setdefault(result["axis"], []).append(result)
    rates = [
        _scaling_panel(
            axis, rows, "events a second", {name: [row[of] for row in rows] for name, of in RATES.items()}
        )
        for axis, rows in axes.items()
    ]
    memory = [
        _scaling_panel(axis, rows, "MB", {"peak memory of a process": [row["peak_mb"] for row in rows]})
        for axis, rows in axes.items()
    ]
    return {"scaling-rate.svg": svg(rates, 3), "scaling-memory.svg": svg(memory, 3)}


def _scaling_panel(
    axis: str, rows: Sequence[Row], unit: str, measured: Mapping[str, Iterable[float]]
) -> Panel:
    values = [row["value"] for row in rows]
    lines = []
    for name, heights in measured.items():
        points = list(zip(values, heights, strict=True))
        lines.append(Line(name, points, filled=points))
    highest = max(height for line in lines for _, height in line.points)
    return Panel("", Axis(axis, values, log=min(values) > 0), Axis(unit, ticks_from_zero(highest)), lines)


def main() -> None:
    """Draw what there are figures of."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    latency, scaling = RESULTS / "latency.json", RESULTS / "scaling.json"
    if latency.exists():
        (IMAGES / "latency.svg").write_text(latency_picture(json.loads(latency.read_text())))
    if scaling.exists():
        for name, picture in scaling_pictures(json.loads(scaling.read_text())).items():
            (IMAGES / name).write_text(picture)


if __name__ == "__main__":
    main()
