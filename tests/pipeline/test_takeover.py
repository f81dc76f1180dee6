"""Whether committed offsets still mean what they say."""

import pytest

from connector.core.commit_metadata import Identity, encode
from connector.core.effects import TopicPartition
from connector.errors import ConfigurationError
from connector.kafka.group_offsets import GroupOffset
from connector.pipeline.takeover import NOTHING, takeover

FIRST = TopicPartition("events", 0)
SECOND = TopicPartition("events", 1)
BEFORE, NOW = "0ld0ld00", "ca11ed00"


def committed(digest: str, *offsets: int) -> dict[TopicPartition, GroupOffset]:
    identity = Identity("cluster", "topic", None, digest)
    return {
        TopicPartition("events", number): GroupOffset(
            offset, encode(identity, offset, (), (), False, 0, 4000)
        )
        for number, offset in enumerate(offsets)
    }


def test_new_groups_without_any_history_start_as_they_are() -> None:
    assert takeover({"g-us": {}, "g-eu": {}}, [{}], NOW, False) == NOTHING


def test_groups_for_each_region_go_on_where_the_one_group_stood() -> None:
    decided = takeover({"g-us": {}, "g-eu": {}}, [committed(BEFORE, 7, 9)], NOW, False)
    assert decided.offsets == {FIRST: 7, SECOND: 9}


def test_one_group_goes_on_at_the_lowest_offset_of_the_groups_for_each_region() -> None:
    decided = takeover({"g": {}}, [committed(BEFORE, 7, 9), committed(BEFORE, 8, 3)], NOW, False)
    assert decided.offsets == {FIRST: 7, SECOND: 3}


def test_unchanged_rules_change_nothing_wherever_the_groups_stand() -> None:
    groups = {"g-us": committed(NOW, 7), "g-eu": committed(NOW, 5)}
    assert takeover(groups, [{}], NOW, False) == NOTHING


def test_changed_rules_do_not_matter_where_all_groups_are_level() -> None:
    groups = {"g-us": committed(BEFORE, 7), "g-eu": committed(BEFORE, 7)}
    assert takeover(groups, [{}], NOW, False) == NOTHING


def test_changed_rules_with_groups_at_different_offsets_are_a_persons_decision() -> None:
    groups = {"g-us": committed(BEFORE, 7), "g-eu": committed(BEFORE, 5)}
    with pytest.raises(ConfigurationError, match="--accept-routing-change"):
        takeover(groups, [{}], NOW, False)


def test_an_accepted_change_starts_all_groups_at_the_lowest_offset() -> None:
    groups = {"g-us": committed(BEFORE, 7, 1), "g-eu": committed(BEFORE, 5, 2)}
    assert takeover(groups, [{}], NOW, True).offsets == {FIRST: 5, SECOND: 1}


def test_a_region_added_later_has_missed_what_the_others_passed() -> None:
    groups = {"g-us": committed(BEFORE, 7), "g-eu": {}}
    with pytest.raises(ConfigurationError):
        takeover(groups, [{}], NOW, False)


def test_a_group_whose_process_is_started_after_the_others_has_missed_nothing() -> None:
    groups = {"g-us": committed(NOW, 7), "g-eu": {}}
    assert takeover(groups, [{}], NOW, False) == NOTHING


def test_offsets_committed_by_another_tool_say_nothing_about_the_rules() -> None:
    groups = {"g-us": {FIRST: GroupOffset(7, "")}, "g-eu": {FIRST: GroupOffset(5, "")}}
    assert takeover(groups, [{}], NOW, False) == NOTHING


def test_one_group_alone_never_needs_a_decision() -> None:
    assert takeover({"g": committed(BEFORE, 7)}, [{}], NOW, False) == NOTHING
