from io import BytesIO
from pathlib import Path

import pytest

from connector.errors import InputFileError
from connector.events.record import StoredRecord
from connector.kafka import lines
from connector.kafka.lines import opened, read_lines


def read(text: bytes) -> list[StoredRecord]:
    return [line.record for line in read_lines(BytesIO(text), "events")]


def test_line_is_a_value_as_it_stands() -> None:
    (record,) = read(b'  {"type": "identify",  "userId": "1"}\r\n')
    assert record.value() == b'{"type": "identify",  "userId": "1"}'
    assert (record.topic(), record.key(), record.headers(), record.offset()) == ("events", None, None, 1)


def test_line_may_give_key_and_headers() -> None:
    (record,) = read(b'{"value": {"a" : 1}, "key": "k\\u00e9", "headers": {"region": "eu", "none": null}}')
    assert record.value() == b'{"a" : 1}'
    assert record.key() == "ké".encode()
    assert record.headers() == [("region", b"eu"), ("none", None)]


def test_event_that_has_a_value_of_its_own_is_no_wrapping() -> None:
    (record,) = read(b'{"type": "track", "value": 5}')
    assert record.value() == b'{"type": "track", "value": 5}'


def test_text_stands_for_its_bytes_and_null_for_no_value() -> None:
    broken, tombstone = read(b'{"value": "{broken"}\n{"value": null, "key": "k"}\n')
    assert broken.value() == b"{broken"
    assert tombstone.value() is None


def test_empty_lines_count_but_are_passed_over() -> None:
    numbers = [line.number for line in read_lines(BytesIO(b'\xef\xbb\xbf\n{"a":1}\n   \n{"b":2}'), "t")]
    assert numbers == [2, 4]


@pytest.mark.parametrize(
    "line",
    [
        b"{broken",
        b"42",
        b'"text"',
        b'[{"a": 1}]',
        b"null",
        b'{"a": "\xff"}',
        b'{"value": {}, "key": 5}',
        b'{"value": {}, "headrs": {}}',
        b'{"value": {}, "headers": {"a": 1}}',
        b'{"value": {}, "headers": []}',
        b'{"value": {}, "headers": {"\\udcff": "a"}}',
        b'{"value": {}, "key": "\\udcff"}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_bad_line_stops_with_its_number(line: bytes) -> None:
    found = read_lines(BytesIO(b'{"a":1}\n' + line + b'\n{"b":2}\n'), "t")
    assert next(found).number == 1
    with pytest.raises(InputFileError, match="line 2"):
        next(found)


def test_endless_line_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 100)
    with pytest.raises(InputFileError, match="line 1 is longer"):
        read(b"{" + b" " * 1000)


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot read"), opened(str(tmp_path / "none.jsonl")):
        pass


def test_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":1}\n')
    with opened(str(path)) as file:
        assert len(list(read_lines(file, "t"))) == 1
