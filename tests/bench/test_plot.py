"""Where the charts put things."""

from xml.etree import ElementTree

import pytest

from bench.plot import Axis, Line, Panel, number_text, svg, ticks_from_zero

_SVG = "{http://www.w3.org/2000/svg}"


def _panel(*lines: Line) -> Panel:
    return Panel("a < b", Axis("ms", (1, 10, 100), log=True), Axis("%", (0, 50, 100)), lines)


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [(10, [0, 2, 4, 6, 8, 10]), (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (101, [0, 25, 50, 75, 100, 125])],
)
def test_ticks_are_round_and_reach_the_largest(largest: float, ticks: list[float]) -> None:
    assert ticks_from_zero(largest) == pytest.approx(ticks)


def test_a_log_axis_gives_each_power_the_same_room() -> None:
    axis = Axis("ms", (1, 10, 100), log=True)
    assert [axis.share(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])


def test_what_is_beyond_the_ticks_is_drawn_on_the_edge() -> None:
    axis = Axis("ms", (1, 10, 100), log=True)
    assert (axis.share(0), axis.share(1_000)) == (0, 1)


def test_numbers_are_short() -> None:
    assert [number_text(value) for value in (0, 0.25, 500, 200_000, 1_500_000)] == [
        "0",
        "0.25",
        "500",
        "200k",
        "1.5M",
    ]


def test_a_picture_is_xml_and_names_a_line_once() -> None:
    line = Line("one & only", [(1, 0), (100, 50)], filled=[(10, 25)])
    root = ElementTree.fromstring(svg([_panel(line), _panel(line)], 2, ["a note"]))
    texts = [element.text for element in root.iter(f"{_SVG}text")]
    assert texts.count("one & only") == texts.count("a note") == 1
    assert texts.count("a < b") == 2


def test_points_stand_where_their_values_say() -> None:
    root = ElementTree.fromstring(svg([_panel(Line("line", [(1, 0), (10, 50), (100, 100)]))], 1))
    (line,) = root.iter(f"{_SVG}polyline")
    assert line.get("points") == "0.0,200.0 150.0,100.0 300.0,0.0"
