"""Progress is one line that is written over on a terminal, and a line a second elsewhere."""

import io

from connector.demo.progress import ProgressDisplay, progress_line
from connector.demo.run import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(doing: str = "delivering", seconds: float = 1.5) -> Progress:
    return Progress(doing, 20_000, 20_000, 12_345, 17, 5_000, seconds)


def test_line_says_how_far_it_is() -> None:
    assert progress_line(progress()).split() == (
        ["delivering", "1.5", "s", "published", "20,000", "operations", "12,345", "committed", "25%"]
    )


def test_line_fits_a_terminal_even_for_the_largest_run() -> None:
    large = Progress("publishing", 1_000_000, 1_000_000, 1_000_000, 10_000, 1_000_000, 9_999.9)
    assert len(progress_line(large)) < 80


def test_terminal_sees_one_line_that_goes_at_the_end() -> None:
    stream = Terminal()
    display = ProgressDisplay(stream)
    display(progress())
    display(progress(seconds=1.7))
    display.close()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_elsewhere_a_line_a_second_and_one_for_each_phase() -> None:
    stream = io.StringIO()
    now = iter((0.0, 0.2, 0.9, 1.1, 1.2))
    display = ProgressDisplay(stream, lambda: next(now))
    for doing in ("publishing", "publishing", "publishing", "publishing", "delivering"):
        display(progress(doing))
    display.close()
    lines = stream.getvalue().removesuffix("\n\n").splitlines()
    assert [line.split()[0] for line in lines] == ["publishing", "publishing", "delivering"]
