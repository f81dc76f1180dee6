from connector.core.effects import WriteDeadLetter
from connector.dead_letters import wording
from connector.dead_letters.filters import Filters
from connector.dead_letters.letter import Foreign, Place, read_letter
from connector.dead_letters.selection import Selection
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka.dead_letter_record import Cut, letter_of
from tests.dead_letters.letters import dead, letter, original

SECRET = b'{"email":"someone@example.com"}'


def test_row_has_place_time_reason_origin_and_message() -> None:
    assert wording.row(letter(partition=1, offset=2)).split(maxsplit=4) == [
        "1:2",
        "2023-11-14T22:13:21Z",
        "invalid",
        "events:1:5",
        "`event` is missing",
    ]


def test_foreign_record_is_listed_as_such() -> None:
    foreign = Foreign(Place(0, 1), -1, b"k", SECRET, [])
    assert wording.row(foreign).split() == ["0:1", "(foreign)"]
    assert wording.fields(foreign) == {"place": "0:1", "written": None, "foreign": True}
    assert "foreign" in "\n".join(wording.details(foreign, "t", with_value=False))


def test_nothing_in_a_dead_letter_reaches_the_terminal_unescaped() -> None:
    evil = "\x1b[2J\x1b]0;title\x07\r\n\u202e"
    record = original(key=evil.encode(), value=evil.encode(), headers=[(evil, evil.encode())])
    written = letter_of(WriteDeadLetter(1, record, Reason.INVALID, evil, 1))
    it = read_letter(StoredRecord("t", 0, 0, written.value, written.key, written.headers, 1))
    shown = [wording.row(it), *wording.details(it, evil, with_value=True)]
    assert all(line.isprintable() for line in shown)


def test_key_and_value_are_shown_when_asked_for_only() -> None:
    it = letter(original(key=b"someone@example.com", value=SECRET, headers=[("region", b"eu")]))
    hidden = "\n".join(wording.details(it, "t", with_value=False))
    assert "someone" not in hidden
    assert "31 bytes (--value shows it)" in hidden
    assert "  region: eu" in hidden
    shown = "\n".join(wording.details(it, "t", with_value=True))
    assert SECRET.decode() in shown


def test_details_of_what_is_null_or_no_text() -> None:
    it = letter(original(key=None, value=b"\xff", headers=[("a", None), ("b", b"\xff")]))
    lines = list(wording.details(it, "t", with_value=True))
    assert lines[-4:] == ["  a: null", "  b: base64 /w==", "key          null", "value        base64 /w=="]


def test_details_of_one_that_was_cut_off_or_replayed() -> None:
    cut = "\n".join(wording.details(letter(cut=Cut.VALUE), "t", with_value=False))
    assert "its value of 16 bytes was too large" in cut
    again = letter(original(headers=[("dead-letter.replay", b"1")]))
    assert "replayed" in "\n".join(wording.details(again, "t", with_value=False))


def test_time_that_is_no_date_is_a_number() -> None:
    assert wording.time_text(10**17) == str(10**17)


def test_summary_and_counts_say_what_was_found() -> None:
    selection = Selection(Filters())
    records = [
        dead(),
        dead(offset=1),
        dead(original(6), Reason.EMPTY, offset=2),
        dead(original(7), Reason.EMPTY, offset=3),
        dead(original(8, topic="others"), Reason.TOO_LARGE, Cut.VALUE, offset=4),
        StoredRecord("t", 0, 5, b"v"),
    ]
    assert len(list(selection.among(records))) == 5
    assert list(wording.summary(selection)) == [
        "4 dead letters: empty 2, invalid 1, too_large 1",
        "from events 3, others 1",
        "1 copy of them, not counted: they are written at least once",
        "1 without their value, which was too large to be kept: they cannot be replayed",
        "1 foreign record: no dead letters of this connector, never replayed",
    ]
    assert wording.counts(selection) == {
        "dead_letters": 4,
        "replayable": 3,
        "reasons": {"empty": 2, "invalid": 1, "too_large": 1},
        "topics": {"events": 3, "others": 1},
        "copies": 1,
        "truncated": 1,
        "foreign": 1,
    }


def test_summary_of_nothing() -> None:
    assert list(wording.summary(Selection(Filters()))) == ["0 dead letters"]
