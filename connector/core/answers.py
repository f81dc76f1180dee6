"""What became of a request, in the words the core decides by. The `customerio` shell translates HTTP into these."""

import msgspec


class ItemError(msgspec.Struct, frozen=True):
    """One rejected item of a batch."""

    index: int
    """Customer.io's `batch_index`, 0-based."""
    message: str
    """Reason, field and message as Customer.io names them, without values."""


class Accepted(msgspec.Struct, frozen=True):
    """Every operation was accepted."""

    status: int = 200


class PartlyRejected(msgspec.Struct, frozen=True):
    """207: the listed items are rejected for good, all others accepted."""

    errors: tuple[ItemError, ...]
    attributable: bool = True
    """False: the answer could not be read, or names items that were not sent. Then nothing may be taken as accepted."""
    status: int = 207


class Refused(msgspec.Struct, frozen=True):
    """400, 413, 422: the request as a whole can never be accepted as it is."""

    status: int
    message: str


class Unauthorised(msgspec.Struct, frozen=True):
    """401, 403: the credentials are refused; the events are not to blame."""

    status: int

    @property
    def said(self) -> str:
        """In short, for people."""
        return f"Customer.io answered {self.status}: check the site id and API key of this region"


class Misconfigured(msgspec.Struct, frozen=True):
    """A redirect, 404, 405 or another 4xx: this is not the Customer.io the settings think it is."""

    status: int
    detail: str
    """Which URL answered what, and where it points for a redirect. No credentials."""

    @property
    def said(self) -> str:
        """In short, for people."""
        return self.detail


class Unavailable(msgspec.Struct, frozen=True):
    """408, 429, 5xx, a timeout, a broken connection: cannot now. Whether it was applied is unknown."""

    kind: str
    """`429`, `5xx`, `408`, `timeout`, `connect`, `reset`, `cancelled`, `unreadable`: the `status` label of metrics."""
    status: int | None = None
    retry_after_seconds: float | None = None
    reused_connection_broke: bool = False
    """A kept-alive connection that broke as it was reused: retried once at once, no sign of an outage."""
    detail: str = ""
    """What went wrong, for logs: `cannot resolve track.customer.io`. Holds no credentials, nothing that was sent."""

    @property
    def said(self) -> str:
        """In short, for people."""
        what = self.kind if self.status is None else str(self.status)
        return f"{what}: {self.detail}" if self.detail else what


Answer = Accepted | PartlyRejected | Refused | Unauthorised | Misconfigured | Unavailable
