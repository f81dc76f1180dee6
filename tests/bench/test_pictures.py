"""What is drawn of the results."""

from xml.etree import ElementTree

from bench.pictures import latency_picture, scaling_pictures

_SVG = "{http://www.w3.org/2000/svg}"


def _lines(picture: str) -> int:
    return len(list(ElementTree.fromstring(picture).iter(f"{_SVG}polyline")))


def _latency(name: str, rate: int) -> dict[str, object]:
    return {
        "name": name,
        "events_per_second": rate,
        "events": 4,
        "percentiles_ms": {"50": 9, "99": 40},
        "histogram": [(10, 3), (50, 1), (None, 0)],
    }


def test_latency_has_a_line_for_each_contender_at_each_rate() -> None:
    picture = latency_picture(
        [_latency(name, rate) for rate in (1_000, 10_000) for name in ("ours", "theirs")]
    )
    assert _lines(picture) == 4
    circles = list(ElementTree.fromstring(picture).iter(f"{_SVG}circle"))
    assert len(circles) == 2 * 4, "p50 and p99 of each"


def test_scaling_has_a_panel_for_each_axis() -> None:
    rows = [
        {"axis": axis, "value": value, "per_second": 100, "per_cpu_second": 90, "peak_mb": 50}
        for axis in ("partitions", "duplicates, %")
        for value in (0, 1, 2)
    ]
    pictures = scaling_pictures(rows)
    assert {name: _lines(picture) for name, picture in pictures.items()} == {
        "scaling-rate.svg": 2 * 2,
        "scaling-memory.svg": 2,
    }
