"""The ULID of an event: the key of deduplication, here and at Customer.io.

It is derived from the event id alone, so that a redelivery after any kind of failure carries the same one. Upper-case
hexadecimal digits are Crockford base 32 digits, so 13 bytes of BLAKE2b written in hexadecimal are 26 valid
characters, except that a ULID holds 128 bits and its first character must be 0 to 7: 8 to F there lose their top
bit. That leaves 103 bits of the digest. The time part of such a ULID means nothing.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b

ULID_CHARACTERS = 26

_matches_ulid = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE | re.ASCII).fullmatch
_BLANK = blake2b(digest_size=13)
_FIRST_CHARACTER = bytes.maketrans(b"89ABCDEF", b"01234567")


def is_ulid(text: str) -> bool:
    """Whether this is a ULID, in upper or lower case."""
    return len(text) == ULID_CHARACTERS and _matches_ulid(text) is not None


def ulid_from_id(event_id: str) -> str:
    """The ULID of an event id. An id that is a ULID already is kept, in upper case."""
    if is_ulid(event_id):
        return event_id.upper()
    return _ulids([_digest(event_id)])[0]


def ulids_from_ids(event_ids: Sequence[str]) -> list[str]:
    """The same of many at once, whose digests are written in hexadecimal together."""
    lengths = [len(event_id) for event_id in event_ids]
    if lengths.count(ULID_CHARACTERS) * 2 > len(lengths):
        return [ulid_from_id(event_id) for event_id in event_ids]
    ulids = _ulids([_digest(event_id) for event_id in event_ids])
    if ULID_CHARACTERS in lengths:
        for place, event_id in enumerate(event_ids):
            if is_ulid(event_id):
                ulids[place] = event_id.upper()
    return ulids


def _digest(event_id: str) -> bytes:
    blake = _BLANK.copy()  # costs less than a new one with its keyword
    blake.update(event_id.encode())
    return blake.digest()


def _ulids(digests: Sequence[bytes]) -> list[str]:
    characters = bytearray(b"".join(digests).hex().upper().encode())
    characters[::ULID_CHARACTERS] = characters[::ULID_CHARACTERS].translate(_FIRST_CHARACTER)
    text = characters.decode()
    return [text[begin : begin + ULID_CHARACTERS] for begin in range(0, len(text), ULID_CHARACTERS)]


def ulid_from_place(cluster_id: str, topic: str, partition: int, offset: int, timestamp_ms: int) -> str:
    """The ULID of a record whose event has no id: the same on each redelivery, and another for each record.

    Cluster and timestamp tell a record apart from another one at the same place, after a topic was recreated.
    """
    return ulid_from_id(f"{cluster_id}\0{topic}\0{partition}\0{offset}\0{timestamp_ms}")


def conflict_ulid(ulid: str, digest: int) -> str:
    """The ULID of an event whose id came before with other content: it follows from id and content."""
    return ulid_from_id(f"{ulid}/{digest:08x}")
