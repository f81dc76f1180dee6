"""Signals are remembered instead of raised, and handled as before afterwards."""

import signal
from collections.abc import Iterator

import pytest

from connector.kafka.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_is_raised_where_it_is_asked_for(number: int) -> None:
    with Interruption() as interruption:
        interruption.check()
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


def test_each_signal_is_raised_once() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
        interruption.check()


def test_while_an_item_is_waited_for_it_is_raised_at_once_and_otherwise_before_the_next() -> None:
    def items() -> Iterator[int]:
        yield 1
        signal.raise_signal(signal.SIGINT)
        yield 2

    with Interruption() as interruption:
        given = interruption.raised_between(items())
        assert next(given) == 1
        with pytest.raises(KeyboardInterrupt):
            next(given)
        given = interruption.raised_between([1, 2])
        assert next(given) == 1
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(given)


def test_afterwards_signals_are_handled_as_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Interruption():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
