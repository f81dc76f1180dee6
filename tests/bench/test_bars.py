"""Met or missed."""

from bench.bars import Bar, lines


def test_a_bar_is_met_from_its_side() -> None:
    assert Bar("rate", 100, 100).met and not Bar("rate", 99, 100).met
    assert Bar("p99", 50, 50, at_most=True).met and not Bar("p99", 51, 50, at_most=True).met


def test_a_missed_bar_says_by_how_much() -> None:
    assert lines([Bar("rate", 99, 100)]) == ["MISSED  rate: 99, at least 100 wanted"]
