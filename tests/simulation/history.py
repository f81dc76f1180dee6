"""What happened, for a person to read. Kept only when a run is replayed."""


class History:
    """Lines in the order of time. Ask `kept` before building a line."""

    __slots__ = ("kept", "lines")

    def __init__(self, kept: bool) -> None:
        self.kept = kept
        self.lines: list[str] = []

    def note(self, now: float, who: str, what: str) -> None:
        """Somebody did something."""
        if self.kept:
            self.lines.append(f"{now:10.4f}  {who:<14} {what}")
