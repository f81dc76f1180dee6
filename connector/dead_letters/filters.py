"""Which dead letters are meant. Pure."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from connector.dead_letters.letter import DeadLetter, Foreign
from connector.errors import ConfigurationError
from connector.events.event import Reason

_SPAN = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PLACE = re.compile(r"(?:[A-Za-z0-9._-]{1,249}:)?\d{1,9}:\d{1,18}", re.ASCII)


class Filters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must hold for a dead letter to be chosen. Empty: any."""

    reasons: tuple[str, ...] = ()
    source_topics: tuple[str, ...] = ()
    since_ms: int | None = None
    """Written to the dead-letter topic then or later; Unix milliseconds."""
    until_ms: int | None = None
    """Written before."""
    places: tuple[str, ...] = ()
    """`PARTITION:OFFSET` in the dead-letter topic, or `TOPIC:PARTITION:OFFSET` where the record came from."""

    def choose(self, letter: DeadLetter) -> bool:
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.source_topics or letter.origin.topic in self.source_topics)
            and self._in_time(letter.written_ms)
            and (not self.places or bool(self.places_of(letter)))
        )

    def choose_foreign(self, record: Foreign) -> bool:
        """A foreign record has neither reason nor origin."""
        return (
            not self.reasons
            and not self.source_topics
            and self._in_time(record.written_ms)
            and (not self.places or bool(self.places_of(record)))
        )

    def places_of(self, letter: DeadLetter | Foreign) -> set[str]:
        """Those of the places at which it is."""
        if not self.places:
            return set()
        own = {str(letter.place)}
        if isinstance(letter, DeadLetter):
            own.add(str(letter.origin))
        return own.intersection(self.places)

    def _in_time(self, written_ms: int) -> bool:
        return (self.since_ms is None or written_ms >= self.since_ms) and (
            self.until_ms is None or written_ms < self.until_ms
        )


def filters_from_text(
    reasons: list[str],
    source_topics: list[str],
    since: str | None,
    until: str | None,
    places: list[str],
    now: datetime,
) -> Filters:
    """Filters as a person gives them. Raises ConfigurationError."""
    known = [reason.value for reason in Reason]
    for reason in reasons:
        if reason not in known:
            raise ConfigurationError(f"there is no reason {reason!r}", f"Reasons are: {', '.join(known)}")
    since_ms = None if since is None else _milliseconds(since, now, "--since")
    until_ms = None if until is None else _milliseconds(until, now, "--until")
    if since_ms is not None and until_ms is not None and until_ms <= since_ms:
        raise ConfigurationError(
            f"--until {until!r} is not after --since {since!r}",
            "Give an end that is later than the beginning",
        )
    return Filters(
        reasons=tuple(reasons),
        source_topics=tuple(source_topics),
        since_ms=since_ms,
        until_ms=until_ms,
        places=tuple(place_from_text(place) for place in places),
    )


def place_from_text(text: str) -> str:
    """A place as a dead letter's would be written. Raises ConfigurationError."""
    if not _PLACE.fullmatch(text):
        raise ConfigurationError(
            f"{text!r} is no place of a dead letter",
            "Give PARTITION:OFFSET, or TOPIC:PARTITION:OFFSET of where it came from; dlq list shows both",
        )
    *topic, partition, offset = text.split(":")
    return ":".join([*topic, str(int(partition)), str(int(offset))])


def _milliseconds(text: str, now: datetime, option: str) -> int:
    """Unix milliseconds of a time, or of so long before now."""
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            then = now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        else:
            then = datetime.fromisoformat(text)
            then = then if then.tzinfo is not None else then.replace(tzinfo=UTC)
        return int(then.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"{option} {text!r} is no time",
            "Give one such as 2026-01-31T12:00:00Z (without a zone: UTC), or a span up to now such as 90m, 24h, 7d",
        ) from None
