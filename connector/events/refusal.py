"""How decoding stops at what can never be sent."""

from connector.events.event import Reason


class RefusedError(Exception):
    """Unwinds decoding up to `decode`, which turns it into a `Rejection`; it never gets further.

    The message names the field and what is wrong with it, never a value: it goes into a dead letter's header.
    """

    def __init__(self, message: str, reason: Reason = Reason.INVALID) -> None:
        self.message = message
        self.reason = reason
        super().__init__(message)
