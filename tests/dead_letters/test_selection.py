from connector.dead_letters.filters import Filters
from connector.dead_letters.letter import DeadLetter, Foreign, Place
from connector.dead_letters.selection import Selection
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka.dead_letter_record import Cut
from tests.dead_letters.letters import dead, original


def places(selection: Selection, *records: StoredRecord) -> list[str]:
    return [str(letter.place) for letter in selection.among(records)]


def test_further_dead_letters_of_a_record_are_copies_wherever_they_stand() -> None:
    selection = Selection(Filters())
    records = [dead(offset=0), dead(original(6), offset=1), dead(offset=2), dead(partition=3, offset=0)]
    assert places(selection, *records) == ["0:0", "0:1"]
    assert selection.copies == {Place(0, 2), Place(3, 0)}
    assert selection.letters == 2


def test_same_place_in_a_topic_that_was_recreated_is_another_record() -> None:
    selection = Selection(Filters())
    assert places(selection, dead(offset=0), dead(original(timestamp_ms=99), offset=1)) == ["0:0", "0:1"]
    assert not selection.copies


def test_same_offset_of_another_partition_or_topic_is_another_record() -> None:
    selection = Selection(Filters())
    records = [dead(), dead(original(partition=2), offset=1), dead(original(topic="others"), offset=2)]
    assert len(places(selection, *records)) == 3


def test_copy_of_what_was_not_chosen_is_no_copy() -> None:
    selection = Selection(Filters(since_ms=2000))
    assert places(selection, dead(offset=0, written_ms=1000), dead(offset=1, written_ms=2000)) == ["0:1"]
    assert not selection.copies


def test_everything_is_counted_once() -> None:
    selection = Selection(Filters())
    found = list(
        selection.among(
            [
                dead(),
                dead(offset=1),
                dead(original(6), Reason.EMPTY, offset=2),
                dead(original(7, topic="others"), Reason.TOO_LARGE, Cut.VALUE, offset=3),
                StoredRecord("t", 0, 4, b"v"),
            ]
        )
    )
    assert [type(each) for each in found] == [DeadLetter, DeadLetter, DeadLetter, Foreign]
    assert (selection.letters, selection.replayable, selection.truncated, selection.foreign) == (3, 2, 1, 1)
    assert selection.reasons == {"invalid": 1, "empty": 1, "too_large": 1}
    assert selection.source_topics == {"events": 2, "others": 1}
