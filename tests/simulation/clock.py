"""Virtual time: what happens next, in order."""

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[], None]


class Clock:
    """Runs actions in the order of their times; those of the same time in the order in which they were asked for."""

    __slots__ = ("_actions", "_sequence", "now", "steps")

    def __init__(self) -> None:
        self.now = 0.0
        """Monotonic seconds."""
        self.steps = 0
        """Actions run so far."""
        self._actions: list[tuple[float, int, Action]] = []
        self._sequence = 0

    def at(self, time: float, action: Action) -> None:
        """Run the action at this time, or now if it has passed."""
        self._sequence += 1
        heappush(self._actions, (max(time, self.now), self._sequence, action))

    def after(self, seconds: float, action: Action) -> None:
        """Run the action so much later."""
        self.at(self.now + seconds, action)

    def step(self) -> bool:
        """Run the next action. False: there is none."""
        if not self._actions:
            return False
        self.now, _, action = heappop(self._actions)
        self.steps += 1
        action()
        return True
