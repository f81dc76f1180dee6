"""What broke the API's rules, so that a test can assert that nothing invalid ever left."""

import msgspec

_KEPT = 10_000


class Violation(msgspec.Struct, frozen=True):
    """One broken rule. Names fields, never values."""

    region: str
    """The host that was asked."""
    request: str
    """Method and kind of endpoint, such as `POST /api/v2/batch`."""
    batch_index: int | None
    """The item of a batch; None: the request as a whole."""
    action: str
    """`person.event`, ... where it could be read."""
    field: str
    reason: str
    message: str

    @property
    def in_attributes(self) -> bool:
        """It lies in what a person's own attributes hold, which a client passes through."""
        return any(
            part in self.field
            for part in ("attributes.", "relationship_attributes", "attributes._update", "data.")
        ) or self.field in ("attributes", "data", "device.attributes")


class Violations:
    """The first ten thousand, and how many there were."""

    def __init__(self) -> None:
        self.total = 0
        self.kept: list[Violation] = []

    def add(self, violation: Violation) -> None:
        self.total += 1
        if len(self.kept) < _KEPT:
            self.kept.append(violation)

    def clear(self) -> None:
        self.total = 0
        self.kept = []
