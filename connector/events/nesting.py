"""How deeply JSON is nested: a fixed bound, so that whatever could be read once can be read again.

Decoders give up where Python's stack ends, and that is sooner the deeper they are called. Without a bound of our own,
an event could be read here, and then neither by the routing rules nor by `preview`.
"""

import re

from connector.events.limits import NESTING_MAX

_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


def is_too_deep(json: bytes) -> bool:
    """Whether valid JSON is nested more than `NESTING_MAX` deep. Costs nothing worth mentioning where it is short."""
    if len(json) <= 2 * NESTING_MAX or json.count(b"[") + json.count(b"{") <= NESTING_MAX:
        return False
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(json):
        bracket = json[token.start()]
        if bracket in b"[{":
            depth += 1
            if depth > NESTING_MAX:
                return True
        elif bracket in b"]}":
            depth -= 1
    return False
