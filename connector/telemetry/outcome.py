"""An answer in the words of metrics and spans."""

from typing import NamedTuple

from connector.core.answers import Answer, PartlyRejected, Unavailable


class RequestOutcome(NamedTuple):
    """How one attempt went."""

    status: str
    """The label of metrics: a status code's class, or `429`, `408`, `timeout`, `connect`, `reset`, ..."""
    status_code: int | None
    error_type: str | None
    """OpenTelemetry's `error.type`: the status code or what failed; None where nothing did."""
    accepted: bool
    """At least a part was accepted."""


def request_outcome(answer: Answer) -> RequestOutcome:
    """Says how the attempt went, without anything that came from outside but the status code."""
    if isinstance(answer, Unavailable):
        failure = str(answer.status) if answer.status is not None else answer.kind
        return RequestOutcome(answer.kind, answer.status, failure, False)
    status = f"{answer.status // 100}xx"
    if isinstance(answer, PartlyRejected) and not answer.attributable:
        return RequestOutcome(status, answer.status, "unreadable", False)
    error_type = None if answer.status < 300 else str(answer.status)
    return RequestOutcome(status, answer.status, error_type, error_type is None)
