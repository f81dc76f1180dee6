"""Timestamps of any common form, as the whole Unix seconds that Customer.io takes.

Customer.io silently replaces a timestamp that it cannot read by the present, which moves the event in time. So an
unreadable one is refused here instead.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite

from connector.events.refusal import RefusedError

Timestamp = int | float | str
"""As JSON has it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = {f"{second:02}": second for second in range(60)}
_COMMON_ENDS = frozenset(("Z", *(f".{milliseconds:03}Z" for milliseconds in range(1000))))

SECONDS_MAX = 100_000_000_000
"""Seconds up to the year 5138. The same number of milliseconds is in 1973, so from here on a number is
milliseconds; another factor of a thousand on it is microseconds, and then nanoseconds."""

_UNITS_PER_SECOND = tuple((SECONDS_MAX * units, units) for units in (1, 10**3, 10**6, 10**9))

_is_iso_8601 = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
).fullmatch
_is_number = re.compile(r"\d{1,20}(?:\.\d{1,9})?", re.ASCII).fullmatch


def unix_seconds(timestamp: Timestamp, field: str) -> int:
    """Whole seconds since 1970, rounded down.

    Numbers (and strings of digits) are seconds, milliseconds, microseconds or nanoseconds, told apart by their size.
    Other strings are ISO 8601, with up to nine fractional digits; without an offset they are UTC. Raises
    `RefusedError`, naming `field`, for anything else, and for what is not between 1970 and 5138.
    """
    seconds: int | None = None
    if isinstance(timestamp, int):
        seconds = timestamp if timestamp < SECONDS_MAX else _from_number(timestamp)
    elif isinstance(timestamp, str):
        seconds = common_iso_8601(timestamp) or _from_text(timestamp)
    elif isfinite(timestamp):
        seconds = _from_number(int(timestamp))
    if seconds is None or not 0 < seconds < SECONDS_MAX:
        raise RefusedError(f"`{field}` is neither a Unix timestamp nor ISO 8601")
    return seconds


def _from_number(number: int) -> int | None:
    for limit, units_per_second in _UNITS_PER_SECOND:
        if number < limit:
            return number // units_per_second
    return None


def _from_text(text: str) -> int | None:
    if _is_iso_8601(text):
        return _from_iso_8601(text)
    return _from_number(int(text.partition(".")[0])) if _is_number(text) else None


def common_iso_8601(text: str) -> int | None:
    """The commonest form, such as `2026-01-31T12:34:56.789Z`, by its second, which neighbours share. None: another."""
    return _second(text[:19]) if text[19:] in _COMMON_ENDS else None


@lru_cache(4096)
def _second(text: str) -> int | None:
    """The second written like `2026-01-31T12:34:56`."""
    second, minute = _SECONDS.get(text[17:]), _minute(text[:17])
    return None if second is None or minute is None else minute + second


@lru_cache(1024)
def _minute(text: str) -> int | None:
    """The seconds at which a minute begins, written like `2026-01-31T12:34:`."""
    complete = f"{text}00Z"
    return _from_iso_8601(complete) if _is_iso_8601(complete) else None


def _from_iso_8601(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:  # such as the 30th of February
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since.days * 86_400 + since.seconds
