from connector.core.commit_metadata import Identity, Run, encode
from connector.core.effects import TopicPartition
from connector.kafka.group_offsets import GroupOffset
from connector.kafka.topic_facts import Bounds
from connector.pipeline.standing import Standing, lag, lowest, standings, with_finished

PLACE = TopicPartition("events", 0)
BOUNDS = {PLACE: Bounds(low=10, high=30, leader_epoch=2)}
IDENTITY = Identity("cluster", "topic-id", 2, "digest")


def standing_at(offset: int, metadata: str = "") -> Standing:
    commits = {PLACE: GroupOffset(offset, metadata)}
    where = standings(BOUNDS, commits, "earliest")
    return with_finished(where, commits, {PLACE: IDENTITY})[PLACE]


def test_a_group_goes_on_where_it_has_committed() -> None:
    assert standing_at(20) == Standing(20, committed=True)


def test_where_nothing_is_committed_the_setting_decides() -> None:
    assert standings(BOUNDS, {}, "earliest")[PLACE] == Standing(10, committed=False)
    assert standings(BOUNDS, {}, "latest")[PLACE] == Standing(30, committed=False)


def test_what_retention_took_first_is_counted() -> None:
    assert standing_at(7) == Standing(10, committed=True, missed=3)


def test_an_offset_beyond_the_log_is_of_another_log() -> None:
    assert standing_at(31).next_offset == 10


def test_other_partitions_commits_do_not_matter() -> None:
    commits = {TopicPartition("other", 0): GroupOffset(1, "")}
    where = standings(BOUNDS, commits, "earliest")
    assert with_finished(where, commits, {PLACE: IDENTITY}).keys() == {PLACE}


def test_what_is_finished_beyond_the_offset_is_known() -> None:
    standing = standing_at(20, encode(IDENTITY, 20, [Run(22, 25)], [], False, 0, 4000))
    assert [offset for offset in range(18, 30) if not standing.has_finished(offset)] == [
        20,
        21,
        25,
        26,
        27,
        28,
        29,
    ]


def test_a_map_of_another_log_is_not_believed() -> None:
    other = IDENTITY._replace(leader_epoch=3)
    assert standing_at(20, encode(other, 20, [Run(22, 25)], [], False, 0, 4000)).finished == ()


def test_lag_is_what_lies_between_group_and_end() -> None:
    assert lag({PLACE: standing_at(20)}, BOUNDS) == 10


def test_the_lowest_of_the_groups_is_where_reading_begins() -> None:
    all_standings = [{PLACE: standing_at(offset)} for offset in (25, 15, 20)]
    assert lowest(all_standings, PLACE, default=10) == 15
    assert lowest([], PLACE, default=10) == 10
