"""Customer.io's explanations of what it refuses, made fit for logs and dead-letter headers.

They name reasons, fields and limits, but may quote the value that is wrong, which is somebody's data. Whatever
looks like a value is cut out: it is better to lose a field's name than to show an address.
"""

import re
from collections.abc import Iterable

EXPLANATION_CHARACTERS_MAX = 300
EXPLANATIONS_MAX = 3
CUT = "…"

# Greedy, from the first quote to the last: a value may itself hold quotes, and an unclosed one runs to the end.
_DOUBLE_QUOTED = re.compile(r'["“”„«»`].*(?:["“”„«»`]|$)', re.DOTALL)
# An apostrophe within a word (can't) opens nothing.
_SINGLE_QUOTED = re.compile(r"(?<!\w)['‘].*(?:['’](?!\w)|$)", re.DOTALL)
_BRACKETED = re.compile(r"\{.*(?:\}|$)|\[(?!\d+\]).*(?:\]|$)|<.*(?:>|$)", re.DOTALL)
_NAMED_VALUE = re.compile(r"(\b(?:got|received|value\s*[:=])\s*:?)\s*\S.*", re.DOTALL | re.IGNORECASE)
_ADDRESS = re.compile(r"\S*@\S*")
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]?\d){6,}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def without_values(text: str) -> str:
    """`text` on one line, without anything that looks like a value, and not too long."""
    text = _BLANK.sub(" ", text[: 4 * EXPLANATION_CHARACTERS_MAX]).strip()
    for pattern in (_DOUBLE_QUOTED, _SINGLE_QUOTED, _BRACKETED):
        text = pattern.sub(CUT, text)
    text = _NAMED_VALUE.sub(rf"\1 {CUT}", text)
    text = _ADDRESS.sub(CUT, text)
    text = _LONG_NUMBER.sub(CUT, text)
    if len(text) > EXPLANATION_CHARACTERS_MAX:
        text = text[: EXPLANATION_CHARACTERS_MAX - 1] + CUT
    return text


def explain_error(error: object) -> str:
    """One entry of a list of errors: an object with `reason`, `field`, `message` (v2), or a string (v1)."""
    if isinstance(error, str):
        return without_values(error)
    if not isinstance(error, dict):
        return ""
    parts = (error.get(name) for name in ("reason", "field", "message"))
    return without_values(": ".join(without_values(part) for part in parts if isinstance(part, str) and part))


def explain_answer(answer: object) -> str:
    """What the body of a refusal says: `{"errors": [...]}` (v2), `{"meta": {"errors": [...]}}` or
    `{"meta": {"error": "..."}}` (v1). Empty where it says nothing readable."""
    if not isinstance(answer, dict):
        return ""
    places = [answer]
    if isinstance(answer.get("meta"), dict):
        places.append(answer["meta"])
    errors: list[object] = []
    for place in places:
        listed = place.get("errors")
        errors += listed if isinstance(listed, list) else [listed]
        errors.append(place.get("error"))
    return join_explanations(explain_error(error) for error in errors)


def join_explanations(explanations: Iterable[str]) -> str:
    """The first few different ones on one line."""
    different = list(dict.fromkeys(explanation for explanation in explanations if explanation))
    more = len(different) - EXPLANATIONS_MAX
    return "; ".join(different[:EXPLANATIONS_MAX]) + (f"; and {more} more" if more > 0 else "")
