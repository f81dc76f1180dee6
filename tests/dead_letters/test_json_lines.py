import json
from base64 import b64encode
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.dead_letters.json_lines import Imported, WithoutValue, line_of, read_lines
from connector.dead_letters.outgoing import Outgoing, replayed
from connector.errors import InputFileError
from connector.events.event import Reason
from connector.events.record import Headers
from connector.kafka.dead_letter_record import Cut
from tests.dead_letters.letters import TIMESTAMP_MS, letter, original


def read(*lines: bytes) -> list[Imported | WithoutValue]:
    return list(read_lines(BytesIO(b"\n".join(lines)), "cluster"))


def imported(line: bytes) -> Outgoing:
    (found,) = read(line)
    assert isinstance(found, Imported)
    return found.record


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)
_values = (
    st.none()
    | st.binary()
    | st.text().map(str.encode)
    | _json.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.text(), _json).map(
        lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode()
    )
)
_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(deadline=None)
@given(
    _values,
    st.none() | st.binary(),
    st.lists(st.tuples(_names, st.none() | st.binary())),
    st.integers(-1, 2**40),
)
@example(b'{"a":1} ', b"", [], 0)
@example(b'{"a" : 1, "a":2}', None, [("a", b"\xff"), ("a", None), ("a", b"")], -1)
@example(b'{"a":\n1}', None, [], 0)
@example(b'{"a":"\xff"}', None, [], 0)
@example(b'{"a":"\\ud800"}', None, [], 0)
@example(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", None, [], 0)
def test_what_is_not_edited_comes_back_exactly(
    value: bytes | None, key: bytes | None, headers: Headers, timestamp_ms: int
) -> None:
    dead = letter(original(value=value, key=key, headers=headers, timestamp_ms=timestamp_ms))
    line = line_of(dead)
    assert line.count(b"\n") == 1
    assert imported(line) == replayed(dead, "cluster")


def test_line_shows_an_object_as_it_stands_and_says_why_it_is_there() -> None:
    line = line_of(letter(original(value=b'{"type":"track",  "n":1}', headers=[("a", b"1"), ("b", None)])))
    assert b'"value":{"type":"track",  "n":1}}\n' in line
    assert json.loads(line) == {
        "topic": "events",
        "partition": 1,
        "offset": 5,
        "timestamp": TIMESTAMP_MS,
        "place": "0:0",
        "reason": "invalid",
        "message": "`event` is missing",
        "attempts": 1,
        "key": "42",
        "headers": [{"name": "a", "value": "1"}, {"name": "b", "value": None}],
        "value": {"type": "track", "n": 1},
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"{broken", {"value": "{broken"}),
        (b'"text"', {"value": '"text"'}),
        (b"null", {"value": "null"}),
        (b"", {"value": ""}),
        (b"\xff", {"value_base64": "/w=="}),
        (None, {"value": None}),
    ],
)
def test_other_values_are_text_or_base64(value: bytes | None, shown: dict[str, object]) -> None:
    fields = json.loads(line_of(letter(original(value=value), reason=Reason.UNDECODABLE)))
    assert {name: fields[name] for name in fields if name.startswith("value")} == shown


def test_line_may_be_edited_to_an_object_and_stripped_to_topic_and_value() -> None:
    record = imported(b'{"topic": "events", "value": {"mended" : true}}')
    assert record == Outgoing("events", None, None, b'{"mended" : true}', [("dead-letter.replay", b"1")], -1)


def test_dead_letter_without_its_value_is_passed_over_until_it_is_given_one() -> None:
    fields = json.loads(line_of(letter(original(), cut=Cut.VALUE)))
    assert fields["truncated"] == 16
    given_one = json.dumps(fields | {"value": {"a": 1}}).encode()
    without, mended = read(json.dumps(fields).encode(), given_one)
    assert without == WithoutValue(1)
    assert isinstance(mended, Imported)
    assert mended.record.value == b'{"a": 1}'


def test_empty_lines_count_but_are_passed_over() -> None:
    lines = read(b'\xef\xbb\xbf{"topic":"t","value":1}', b"", b"  ", b'{"topic":"t","value":2}\r')
    assert [line.number for line in lines] == [1, 4]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{broken", "malformed"),
        (b"42", "object"),
        (b"{}", "topic"),
        (b'{"topic":"t"}', "`value` is missing"),
        (b'{"topic":"no topic","value":1}', "topic"),
        (b'{"topic":"t\\n","value":1}', "topic"),
        (b'{"topic":"t","value":1,"nonsense":1}', "unknown field `nonsense`"),
        (b'{"topic":"t","value":"\xff"}', "no valid UTF-8"),
        (b'{"topic":"t","value":"\\ud800"}', ""),
        (b'{"topic":"t","value":"a","value_base64":"YQ=="}', "both given"),
        (b'{"topic":"t","value":{},"value_base64":"YQ=="}', "both given"),
        (b'{"topic":"t","value_base64":"nonsense!"}', "`value_base64` is no base64"),
        (b'{"topic":"t","value":1,"key":5}', "key"),
        (b'{"topic":"t","value":1,"key":"a","key_base64":"YQ=="}', "both given"),
        (b'{"topic":"t","value":1,"headers":{"a":"b"}}', "headers"),
        (b'{"topic":"t","value":1,"headers":[{"name":"a\\u0000"}]}', "null character"),
        (b'{"topic":"t","value":1,"headers":[{"name":"\\ud800"}]}', ""),
        (b'{"topic":"t","value":1,"partition":-1}', "partition"),
        (b'{"topic":"t","value":1,"partition":4294967296}', "partition"),
        (b'{"topic":"t","value":1,"offset":9223372036854775808}', "offset"),
        (b'{"topic":"t","value":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ],
)
def test_bad_line_stops_with_its_number(line: bytes, what: str) -> None:
    with pytest.raises(InputFileError, match=rf"^line 2: .*{what}"):
        read(b'{"topic":"t","value":1}', line)


def test_endless_line_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.dead_letters.json_lines.LINE_BYTES_MAX", 100)
    with pytest.raises(InputFileError, match="line 1 is longer"):
        read(b" " * 1000)


def test_error_shows_nothing_of_a_value() -> None:
    with pytest.raises(InputFileError) as caught:
        read(b'{"topic":"t","key":"secret","value":{"a":"secret",}}')
    assert "secret" not in str(caught.value)


def test_base64_is_that_of_everyone_else() -> None:
    assert (
        json.loads(line_of(letter(original(key=b"\xff\x01"))))["key_base64"]
        == b64encode(b"\xff\x01").decode()
    )
