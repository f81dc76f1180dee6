"""What a workspace remembers, and what it ignores."""

from connector.simulator import Effect, Workspace
from connector.simulator.operation import Operation
from tests.simulator.operations import ulid


def identify(
    who: str = "id:1", *, timestamp: int | None = None, update_only: bool = False, **attributes: object
) -> Operation:
    return Operation(
        "person.identify", who, timestamp=timestamp, attributes=attributes, update_only=update_only
    )


def event(number: int, who: str = "id:1") -> Operation:
    return Operation("person.event", who, ulid(number), name="bought")


def apply(workspace: Workspace, *operations: Operation) -> list[Effect]:
    before = len(workspace.operations)
    for operation in operations:
        workspace.apply(operation, hash(operation.id), 1.0)
    return [acceptance.effect for acceptance in workspace.operations[before:]]


def test_an_event_whose_ulid_was_seen_is_ignored() -> None:
    workspace = Workspace("us")
    apply(workspace, event(1), event(2), event(1))
    assert [acceptance.id for acceptance in workspace.operations] == [ulid(1), ulid(2)]
    assert (workspace.counts.operations_accepted, workspace.counts.operations_duplicate) == (2, 1)


def test_a_duplicate_with_other_content_is_counted_as_a_conflict() -> None:
    workspace = Workspace("us")
    for digest in (7, 7, 8):
        workspace.apply(event(1), digest, 1.0)
    assert (workspace.counts.operations_duplicate, workspace.counts.operations_conflicting) == (2, 1)


def test_identifies_are_not_deduplicated() -> None:
    workspace = Workspace("us")
    assert apply(workspace, identify(plan="a"), identify(plan="a")) == [Effect.APPLIED, Effect.APPLIED]


def test_each_persons_operations_are_found_in_order() -> None:
    workspace = Workspace("us")
    merge = Operation("person.merge", "id:1", identifier_secondary="id:2")
    apply(workspace, identify("id:1"), identify("id:2"), event(1, "id:2"), event(2, "id:1"), merge)
    histories = workspace.by_identifier()
    assert [acceptance.sequence for acceptance in histories["id:1"]] == [0, 3, 4]
    assert [acceptance.sequence for acceptance in histories["id:2"]] == [1, 2, 4]


def test_a_suppressed_person_is_ignored_until_unsuppressed() -> None:
    workspace = Workspace("us")
    effects = apply(
        workspace,
        identify(),
        Operation("person.suppress", "id:1"),
        event(1),
        Operation("person.unsuppress", "id:1"),
        event(2),
    )
    assert effects == [Effect.APPLIED, Effect.APPLIED, Effect.SUPPRESSED, Effect.APPLIED, Effect.APPLIED]
    assert workspace.counts.operations_ignored == 1
    assert (workspace.people, workspace.suppressed) == ({"id:1"}, set())


def test_an_update_of_an_unknown_person_does_nothing() -> None:
    workspace = Workspace("us")
    assert apply(workspace, identify(update_only=True)) == [Effect.UNKNOWN_PERSON]
    assert workspace.people == set()
    assert apply(workspace, identify(), identify(update_only=True)) == [Effect.APPLIED, Effect.APPLIED]


def test_a_merge_needs_the_primary() -> None:
    workspace = Workspace("us", remember_attributes=True)
    merge = Operation("person.merge", "id:1", identifier_secondary="id:2")
    apply(workspace, identify("id:2", plan="pro", city="Rome"))
    assert apply(workspace, merge) == [Effect.UNKNOWN_PERSON]
    assert workspace.people == {"id:2"}
    apply(workspace, identify("id:1", plan="free"))
    assert apply(workspace, merge) == [Effect.APPLIED]
    assert workspace.people == {"id:1"}
    assert workspace.profiles["id:1"].attributes == {"plan": "free", "city": "Rome"}


def test_a_delete_forgets_the_person() -> None:
    workspace = Workspace("us", remember_attributes=True)
    apply(workspace, identify(plan="pro"), Operation("person.delete", "id:1"))
    assert (workspace.people, workspace.profiles) == (set(), {})


def test_a_late_identify_does_not_win() -> None:
    workspace = Workspace("us", remember_attributes=True)
    apply(workspace, identify(timestamp=200, plan="new"), identify(timestamp=100, plan="old", city="Rome"))
    assert workspace.profiles["id:1"].attributes == {"plan": "new", "city": "Rome"}


def test_devices_come_and_go() -> None:
    workspace = Workspace("us", remember_attributes=True)
    apply(workspace, *(Operation("person.add_device", "id:1", device_token=token) for token in "ab"))
    apply(workspace, Operation("person.delete_device", "id:1", device_token="a"))
    assert workspace.profiles["id:1"].devices == {"b"}


def test_what_is_not_to_be_remembered_is_only_counted() -> None:
    workspace = Workspace("us", remember_operations=False)
    apply(workspace, identify(plan="pro"), event(1), event(1))
    assert (workspace.operations, workspace.profiles) == ([], {})
    assert (workspace.counts.operations_accepted, workspace.counts.operations_duplicate) == (2, 1)


def test_clearing_forgets_everything() -> None:
    workspace = Workspace("us", remember_attributes=True)
    apply(workspace, identify(), event(1), Operation("person.suppress", "id:2"))
    workspace.clear()
    assert (workspace.operations, workspace.people, workspace.suppressed, workspace.event_ids) == (
        [],
        set(),
        set(),
        {},
    )
    assert workspace.counts.operations_accepted == 0
