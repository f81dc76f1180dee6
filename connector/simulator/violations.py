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
        """A name, value or number of attributes, which a client may pass through unseen."""
        passed_through = "attributes." in self.field and self.field != "attributes.device_token"
        return passed_through or self.reason == "too_many"


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
