"""What an HTTP answer of Customer.io means, in the core's words. Pure.

The meanings are those of Customer.io's Track API reference; what it leaves open is read so that nothing is
taken for accepted that is not said to be.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import msgspec

from connector.core.answers import (
    Accepted,
    Answer,
    ItemError,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.customerio.explanations import explain_answer, explain_error, join_explanations

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_URL_CHARACTERS_MAX = 200


def interpret(
    status: int, headers: Mapping[str, str], body: bytes, events: int, url: str, now_wall: float
) -> Answer:
    """The meaning of one complete answer.

    `headers` has lower-case names or ignores case; `events` is how many operations were sent; `url` is where
    to; `now_wall` is Unix seconds, for a Retry-After that is a date where the answer does not name its own.
    """
    if status == 200:
        return Accepted() if isinstance(_decoded(body), dict) else _unreadable(status)
    if status == 207:
        return _partly_rejected(body, events)
    if status in (400, 413, 422):
        return Refused(status, explain_answer(_decoded(body)) or f"HTTP {status}, without a readable reason")
    if status in (401, 403):
        return Unauthorised(status)
    if status in (408, 429) or status >= 500:
        kind = "5xx" if status >= 500 else str(status)
        # By the clock of whoever wrote the date: ours may be wrong.
        now = _unix_seconds(headers.get("date", ""))
        wait = retry_after_seconds(headers.get("retry-after", ""), now_wall if now is None else now)
        return Unavailable(kind, status, wait)
    if status >= 300:
        return Misconfigured(status, _where(status, headers, url))
    return _unreadable(status)


def retry_after_seconds(value: str, now_wall: float) -> float | None:
    """Retry-After, seconds or an HTTP date, as seconds from now. None where it is neither."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    then = _unix_seconds(value)
    return None if then is None else max(0.0, then - now_wall)


def _unix_seconds(date: str) -> float | None:
    """An HTTP date. None where it is none."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _unreadable(status: int) -> Unavailable:
    return Unavailable("unreadable", status, detail=f"answered {status} without a readable JSON object")


def _partly_rejected(body: bytes, events: int) -> PartlyRejected:
    answer = _decoded(body)
    listed = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not listed:
        return PartlyRejected((), attributable=False)
    attributable = True
    explanations: dict[int, list[str]] = {}
    for error in listed:
        index = error.get("batch_index") if isinstance(error, dict) else None
        if type(index) is int and 0 <= index < events:
            explanations.setdefault(index, []).append(explain_error(error))
        else:
            attributable = False
    return PartlyRejected(
        tuple(ItemError(index, join_explanations(texts)) for index, texts in sorted(explanations.items())),
        attributable,
    )


def _where(status: int, headers: Mapping[str, str], url: str) -> str:
    location = headers.get("location", "")
    points = f" and points to {_bare_url(url, location)}" if 300 <= status < 400 and location else ""
    return f"{_bare_url(url)} answered {status}{points}"


def _bare_url(url: str, relative: str = "") -> str:
    """Scheme, host and path: no credentials, no query."""
    try:
        parts = urlsplit(urljoin(url, relative))
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an unreadable URL"
    bare = f"{parts.scheme}://{host}{parts.path}"
    printable = "".join(character for character in bare if character.isprintable())
    return printable[:_URL_CHARACTERS_MAX]
