import logging
import sys

from connector.telemetry.bursts import LINES_PER_WINDOW, WINDOW_SECONDS, BurstFilter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def line(message: str, *, name: str = "connector", level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, (), None)


def written(bursts: BurstFilter, *lines: logging.LogRecord) -> list[str]:
    return [each.getMessage() for each in lines if bursts.filter(each)]


def test_alike_lines_are_written_up_to_the_limit() -> None:
    bursts = BurstFilter(Clock())
    lines = [line(f"commit {number} of partition events-{number} failed") for number in range(1000)]
    assert len(written(bursts, *lines)) == LINES_PER_WINDOW


def test_next_window_says_how_many_were_left_out() -> None:
    clock = Clock()
    bursts = BurstFilter(clock)
    written(bursts, *(line("it failed") for _ in range(LINES_PER_WINDOW + 5)))
    clock.now += WINDOW_SECONDS
    assert written(bursts, line("it failed"), line("it failed")) == [
        "it failed (and 5 more like it before)",
        "it failed",
    ]


def test_different_lines_do_not_hide_each_other() -> None:
    bursts = BurstFilter(Clock())
    written(bursts, *(line("it failed") for _ in range(1000)))
    others = [
        line("something else failed"),
        line("it failed", level=logging.ERROR),
        line("it failed", name="httpx"),
    ]
    assert len(written(bursts, *others)) == 3


def test_errors_of_different_types_do_not_hide_each_other() -> None:
    bursts = BurstFilter(Clock())
    written(bursts, *(line("it failed") for _ in range(1000)))
    with_error = line("it failed")
    try:
        raise ValueError
    except ValueError:
        with_error.exc_info = sys.exc_info()
    assert written(bursts, with_error) == ["it failed"]


def test_opentelemetry_writes_one_line_a_window_and_level() -> None:
    clock = Clock()
    bursts = BurstFilter(clock)
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    noise = [line(f"Transient error {word} encountered", name=name) for word in ("one", "two", "three")]
    assert len(written(bursts, *noise)) == 1
    assert written(bursts, line("Failed to export", name=name, level=logging.ERROR)) == ["Failed to export"]
    clock.now += WINDOW_SECONDS
    assert written(bursts, line("again", name=name)) == ["again (and 2 more like it before)"]


def test_kinds_remembered_are_bounded() -> None:
    bursts = BurstFilter(Clock())
    for number in range(5000):
        word = "".join(chr(ord("g") + int(digit)) for digit in str(number))
        bursts.filter(line(f"line {word}"))
    assert len(bursts._bursts) <= 1000
