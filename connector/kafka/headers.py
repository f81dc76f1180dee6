"""Records' headers, whose names may be any bytes.

confluent_kafka decodes names as UTF-8 when `Message.headers()` is first called. For a name that is not, that call
raises SystemError and leaves a list behind whose tuples lack an element: reading it crashes the interpreter. And a
name with a lone surrogate crashes it in `produce`. (Both seen with 2.16.)
"""

import gc
from collections import deque
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Message

UNREADABLE_NAME = "\ufffd"
"""Stands for a header's name that is not UTF-8."""


def read_headers(messages: Sequence[Message]) -> None:
    """Makes `headers()` of these safe to call. Costs nothing that a later call would not."""
    try:
        deque(map(Message.headers, messages), maxlen=0)
    except SystemError:
        for message in messages:
            _read(message)


def encodable(name: str) -> bool:
    """Whether a header of this name can be produced."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(message: Message) -> None:
    try:
        headers = message.headers()
    except SystemError:
        headers = message.headers()
    # Only the garbage collector can look at such a tuple without touching what is not there.
    parts = [gc.get_referents(header) for header in headers or ()]
    if any(len(each) < 2 for each in parts):
        whole: list[Any] = [
            (UNREADABLE_NAME, each[0]) if len(each) < 2 else header
            for each, header in zip(parts, headers or (), strict=True)
        ]
        message.set_headers(whole)
