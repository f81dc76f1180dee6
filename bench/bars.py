"""What a benchmark is measured against: a line for each bar, met or missed."""

from typing import NamedTuple


class Bar(NamedTuple):
    """One number and its bound."""

    what: str
    measured: float
    bound: float
    at_most: bool = False
    """The bound is an upper one."""

    @property
    def met(self) -> bool:
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


def lines(bars: list[Bar]) -> list[str]:
    """For the end of a report."""
    return [
        f"{'met' if bar.met else 'MISSED':<7} {bar.what}: {bar.measured:,.4g}, "
        f"{'at most' if bar.at_most else 'at least'} {bar.bound:,.4g} wanted"
        for bar in bars
    ]
