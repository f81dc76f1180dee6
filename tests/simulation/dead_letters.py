"""The simulated dead-letter topic: slow acknowledgements, failures, and failures that were none."""

from random import Random
from typing import Protocol

from connector.core.effects import WriteDeadLetter
from tests.simulation.clock import Clock
from tests.simulation.truth import Letter, PublishedRecord, Truth


class Writer(Protocol):
    """Who writes, and is told how it went."""

    group: int
    alive: bool

    def letter_written(self, letter_id: int, error: str | None) -> None: ...


class DeadLetterTopic:
    """Everything dead-lettered goes here, at least once: the producer goes on trying, whatever it says meanwhile."""

    def __init__(
        self, clock: Clock, random: Random, truth: Truth, failures: float, faults_end: float
    ) -> None:
        self._clock = clock
        self._random = random
        self._truth = truth
        self._failures = failures
        self._faults_end = faults_end

    def write(self, writer: Writer, effect: WriteDeadLetter) -> None:
        """Write it after a while and say so after another while, unless something goes wrong."""
        self._clock.after(self._random.choice((0.001, 0.01, 0.3)), lambda: self._arrive(writer, effect))

    def _arrive(self, writer: Writer, effect: WriteDeadLetter) -> None:
        random = self._random
        fails = self._clock.now < self._faults_end and random.random() < self._failures
        if not writer.alive and random.random() < 0.5:
            return
        if not fails or random.random() < 0.5:
            assert isinstance(effect.record, PublishedRecord)
            self._truth.letter_written(Letter(effect.record.serial, effect.reason, writer.group))
        delay = random.choice((0.001, 0.01, 0.3))
        if fails:
            self._clock.after(delay, lambda: writer.letter_written(effect.letter_id, "_MSG_TIMED_OUT"))
            self._clock.after(delay + random.choice((0.1, 2.0)), lambda: self._arrive(writer, effect))
        else:
            self._clock.after(delay, lambda: writer.letter_written(effect.letter_id, None))
