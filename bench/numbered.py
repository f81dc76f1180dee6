"""Events that carry a number each, so that a sink can tell which of them it has taken, and how often."""

from collections.abc import Iterator

PEOPLE = 50_000
HOT = b"person-hot"
_CHUNK = 50_000

Record = tuple[bytes, bytes]
"""Key and value."""


def numbered_events(first: int, end: int, hot_share: float = 0.0) -> list[Record]:
    """Half of either vocabulary, about 250 bytes each, keyed by person; `hot_share` of them are one person's."""
    made = []
    for number in range(first, end):
        hot = number % 100 < hot_share * 100
        person = HOT if hot else b"person-%d" % (number * 7_919 % PEOPLE)
        shape = _TRACK_V2 if number // 2 % 2 else _SEGMENT
        made.append((person, shape % (number, person, number % 500, number % 9, number)))
    return made


def chunks(first: int, end: int, hot_share: float = 0.0) -> Iterator[list[Record]]:
    """The same, some at a time."""
    for begin in range(first, end, _CHUNK):
        yield numbered_events(begin, min(end, begin + _CHUNK), hot_share)


_TRACK_V2 = (
    b'{"event_id":"00000000-0000-4000-8000-%012d","type":"person","action":"event","identifiers":{"id":"%b"},'
    b'"name":"order_completed","timestamp":1760000000,'
    b'"attributes":{"plan":"team","amount":%d.5,"currency":"EUR","source":"checkout","items":%d,"number":%d}}'
)
_SEGMENT = (
    b'{"messageId":"00000000-0000-4000-8000-%012d","type":"track","userId":"%b",'
    b'"event":"Order Completed","timestamp":"2026-10-09T08:07:06.123Z",'
    b'"properties":{"plan":"team","amount":%d.5,"currency":"EUR","source":"checkout","items":%d,"number":%d}}'
)
