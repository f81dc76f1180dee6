from connector.telemetry.tally import CAUSES_MAX, GATHER_SECONDS, SUM_UP_SECONDS, Tally


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []

    def __call__(self, number: int, within: str, by_cause: str) -> None:
        self.lines.append((number, within, by_cause))


def test_what_comes_in_company_is_told_in_company() -> None:
    told = Told()
    tally = Tally(told)
    tally.add("timeout", 2, 100.0)
    tally.look(100.0)
    tally.add("5xx", 9, 101.0)
    tally.add("5xx", 1, 102.0)
    assert told.lines == []
    tally.look(100.0 + GATHER_SECONDS)
    assert told.lines == [(12, "the last 3 s", "5xx 10, timeout 2")]


def test_there_is_one_line_a_minute_however_much_happens() -> None:
    told = Told()
    tally = Tally(told)
    for tick in range(600):
        now = tick * 0.5
        tally.add("invalid", 1, now)
        tally.look(now)
    assert [number for number, _, _ in told.lines] == [7, 120, 120, 120, 120]
    assert [within for _, within, _ in told.lines[1:]] == ["the last minute"] * 4


def test_a_late_second_is_not_held_back_for_long() -> None:
    told = Told()
    tally = Tally(told)
    tally.add("a", 1, 0.0)
    tally.look(GATHER_SECONDS)
    tally.add("a", 1, 500.0)
    tally.look(500.0 + GATHER_SECONDS)
    assert len(told.lines) == 2
    assert SUM_UP_SECONDS < 500


def test_the_end_tells_what_is_left_and_nothing_twice() -> None:
    told = Told()
    tally = Tally(told)
    tally.add("a", 1, 0.0)
    tally.look(0.1, last=True)
    tally.look(0.2, last=True)
    assert told.lines == [(1, "the last 1 s", "a 1")]


def test_a_line_is_bounded_whatever_the_causes() -> None:
    told = Told()
    tally = Tally(told)
    for number in range(1000):
        tally.add(f"cause-{number:04}", 1, 0.0)
    tally.look(0.0, last=True)
    ((number, _, by_cause),) = told.lines
    assert number == 1000
    assert by_cause.endswith("cause-0019 1, ...")
    assert by_cause.count(",") == CAUSES_MAX
