"""Line charts as SVG: a row of panels, legible on light and dark pages."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 300, 200
"""Of one panel's plotting area, pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 52
_LEGEND_LINE = 18

# Colours that people with any colour vision tell apart (Okabe and Ito), lighter ones on a dark page.
_STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.page { fill: #ffffff; }
.grid { stroke: #d0d7de; }
.line { fill: none; stroke-width: 2; }
.c0 { stroke: #0072b2; } .c1 { stroke: #d55e00; } .c2 { stroke: #009e73; } .c3 { stroke: #cc79a7; }
.f0 { fill: #0072b2; } .f1 { fill: #d55e00; } .f2 { fill: #009e73; } .f3 { fill: #cc79a7; }
.hollow { fill: #ffffff; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.page, .hollow { fill: #0d1117; }
.grid { stroke: #30363d; }
.c0 { stroke: #56b4e9; } .c1 { stroke: #e69f00; } .c2 { stroke: #2bc79a; } .c3 { stroke: #e0a5c5; }
.f0 { fill: #56b4e9; } .f1 { fill: #e69f00; } .f2 { fill: #2bc79a; } .f3 { fill: #e0a5c5; }
}
</style>"""
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
"""A line is told by its dashes too, for those who see no colours."""

Point = tuple[float, float]


class Axis(NamedTuple):
    """What an axis shows, with its unit, and where it has ticks: from the first to the last of them."""

    label: str
    ticks: Sequence[float]
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value is: 0 at the first tick, 1 at the last; what is outside is drawn on the edge."""
        scale = math.log if self.log else float
        low, high = scale(self.ticks[0]), scale(self.ticks[-1])
        return (scale(min(max(value, self.ticks[0]), self.ticks[-1])) - low) / (high - low)


class Line(NamedTuple):
    """One line, with its points from left to right."""

    name: str
    points: Sequence[Point]
    filled: Sequence[Point] = ()
    """Marked by a full circle."""
    hollow: Sequence[Point] = ()
    """Marked by an empty circle."""


class Panel(NamedTuple):
    """One chart."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    """Of all panels of a picture, lines of the same name look the same."""


def ticks_from_zero(largest: float, count: int = 5) -> list[float]:
    """Round numbers from 0 to at least `largest`, about `count` steps. Raises ValueError unless it is above 0."""
    rough = largest / count
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(each * magnitude for each in (1, 2, 2.5, 5, 10) if each * magnitude >= rough)
    return [step * number for number in range(math.ceil(largest / step) + 1)]


def number_text(value: float) -> str:
    """Short: 200k, 1.5M, 0.25."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def svg(panels: Sequence[Panel], columns: int, notes: Sequence[str] = ()) -> str:
    """The picture: panels in rows of `columns`, below them what the lines are called, and a line for each note."""
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    cell_width, cell_height = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM
    width, legend_top = columns * cell_width, rows * cell_height
    below = _legend(names, legend_top)
    for number, note in enumerate(notes, len(names)):
        below += _text(_LEFT, legend_top + _LEGEND_LINE * number + 4, note)
    height = legend_top + _LEGEND_LINE * (len(names) + len(notes))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        _STYLE,
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        parts.append(f'<g transform="translate({column * cell_width + _LEFT} {row * cell_height + _TOP})">')
        parts += [*_frame(panel), *(part for line in panel.lines for part in _line(panel, line, names))]
        parts.append("</g>")
    return "\n".join([*parts, *below, "</svg>\n"])


def _frame(panel: Panel) -> list[str]:
    parts = _text(_WIDTH / 2, -14, panel.title, "middle", "title")
    for tick in panel.y.ticks:
        y = _HEIGHT * (1 - panel.y.share(tick))
        parts.append(f'<line class="grid" x1="0" y1="{y:.1f}" x2="{_WIDTH}" y2="{y:.1f}"/>')
        parts += _text(-8, y + 4, number_text(tick), "end")
    for tick in panel.x.ticks:
        x = _WIDTH * panel.x.share(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{_HEIGHT}"/>')
        parts += _text(x, _HEIGHT + 17, number_text(tick), "middle")
    parts += _text(_WIDTH / 2, _HEIGHT + 36, panel.x.label, "middle")
    turned = f'transform="rotate(-90)" x="{-_HEIGHT / 2:g}" y="-46" text-anchor="middle"'
    return [*parts, f"<text {turned}>{escape(panel.y.label)}</text>"]


def _line(panel: Panel, line: Line, names: Sequence[str]) -> list[str]:
    style = names.index(line.name)
    points = " ".join(",".join(_place(panel, point)) for point in line.points)
    parts = [
        f'<polyline class="line c{style}" stroke-dasharray="{_DASHES[style]}" points="{points}"/>',
    ]
    for kind, marked in ((f"f{style}", line.filled), (f"hollow c{style}", line.hollow)):
        for x, y in (_place(panel, point) for point in marked):
            parts.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"/>')
    return parts


def _place(panel: Panel, point: Point) -> tuple[str, str]:
    x, y = point
    return f"{_WIDTH * panel.x.share(x):.1f}", f"{_HEIGHT * (1 - panel.y.share(y)):.1f}"


def _legend(names: Sequence[str], top: float) -> list[str]:
    parts = []
    for style, name in enumerate(names):
        y = top + _LEGEND_LINE * style
        parts.append(
            f'<line class="line c{style}" stroke-dasharray="{_DASHES[style]}" '
            f'x1="{_LEFT}" y1="{y}" x2="{_LEFT + 36}" y2="{y}"/>'
        )
        parts += _text(_LEFT + 44, y + 4, name)
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> list[str]:
    styled = f' class="{kind}"' if kind else ""
    return (
        [f'<text{styled} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>']
        if text
        else []
    )
