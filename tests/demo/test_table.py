"""The table fits a terminal of 80 columns and says plainly whether it holds."""

import io
from pathlib import Path

import msgspec
import pytest

from connector.demo.accounting import account
from connector.demo.run import DemoOptions, Result
from connector.demo.table import Style, introduction, result_table
from tests.demo.delivery import delivered_traffic


class Stream(io.StringIO):
    def __init__(self, encoding: str = "utf-8", terminal: bool = False) -> None:
        super().__init__()
        self._encoding = encoding
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal


PLAIN = Style(Stream(), no_color=False)


@pytest.fixture(scope="module")
def result() -> Result:
    return Result(account(delivered_traffic(20_000)), 2.0, 17)


def spoilt(result: Result) -> Result:
    changed = msgspec.structs.replace(
        result.account,
        lost=2,
        complaints=("lost: 2 (partition 0 offset 17, partition 3 offset 4)", "word " * 60),
    )
    return result._replace(account=changed)


@pytest.mark.parametrize("faults", [False, True])
def test_nothing_is_wider_than_a_terminal(result: Result, faults: bool) -> None:
    options = DemoOptions(events=1_000_000, seed=1_000_000_000, faults=faults)
    for text in (
        introduction(options),
        result_table(result, options, PLAIN),
        result_table(spoilt(result), options, PLAIN),
    ):
        assert max(map(len, text.splitlines())) < 80


def test_everything_holds(result: Result) -> None:
    text = result_table(result, DemoOptions(), PLAIN)
    assert "Everything holds. 20,000 records in 2.0 s, 10,000 events/s" in text
    assert "✗" not in text
    assert text.count("✓") == 5
    assert "\x1b" not in text


def test_what_does_not_hold_is_marked_and_explained(result: Result) -> None:
    text = result_table(spoilt(result), DemoOptions(), PLAIN)
    assert "Everything holds" not in text
    assert "It does not hold." in text
    (line,) = [line for line in text.splitlines() if line.startswith("✗")]
    assert line.split()[1:3] == ["lost", "2"]
    assert "lost: 2 (partition 0 offset 17, partition 3 offset 4)" in text


def test_faults_have_rows_of_their_own(result: Result) -> None:
    assert "spoiled requests" not in result_table(result, DemoOptions(), PLAIN)
    assert "spoiled requests            17" in result_table(result, DemoOptions(faults=True), PLAIN)


def test_colours_on_a_terminal_alone_and_unless_unwanted(result: Result) -> None:
    terminal = Stream(terminal=True)
    assert "\x1b[32m" in result_table(result, DemoOptions(), Style(terminal, no_color=False))
    assert "\x1b" not in result_table(result, DemoOptions(), Style(terminal, no_color=True))


def test_plain_marks_where_the_encoding_has_no_others(result: Result) -> None:
    text = result_table(result, DemoOptions(), Style(Stream("ascii"), no_color=False))
    assert text.isascii()
    assert "ok lost" in text


def test_reasons_of_which_there_are_as_many_stand_by_name(result: Result) -> None:
    texts = [
        result_table(result._replace(account=changed), DemoOptions(), PLAIN)
        for reasons in ({"invalid": 5, "empty": 2, "conflict": 2}, {"conflict": 2, "empty": 2, "invalid": 5})
        for changed in [msgspec.structs.replace(result.account, dead_letters_by_reason=reasons)]
    ]
    assert all("invalid 5, conflict 2, empty 2" in text for text in texts)


def test_readme_shows_what_comes_of_it(result: Result) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    _, _, block = readme.partition("$ make demo\n")
    shown, _, _ = block.partition("Everything holds.")
    made, _, _ = result_table(result, DemoOptions(), PLAIN).partition("Everything holds.")
    assert shown.split() == made.split()
