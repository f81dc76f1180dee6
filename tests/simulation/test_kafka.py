"""The simulated Kafka does what it stands for."""

from random import Random

from connector.core.effects import TopicPartition
from tests.simulation.clock import Clock
from tests.simulation.group import Group
from tests.simulation.kafka import Broker, Log
from tests.simulation.publisher import Nature
from tests.simulation.truth import Published, PublishedRecord

PLACE = TopicPartition("events", 0)
OTHER = TopicPartition("events", 1)


def published(serial: int, offset: int) -> Published:
    record = PublishedRecord(PLACE.topic, PLACE.partition, offset, b"{}")
    record.serial = serial
    return Published(serial, PLACE, offset, record, Nature(), None)


def log_of(*offsets: int) -> Log:
    log = Log(PLACE)
    for serial, offset in enumerate(offsets):
        log.append(published(serial, offset))
    return log


def test_reading_passes_over_gaps() -> None:
    log = log_of(0, 1, 5, 9)
    assert [record.offset for record in log.read(2, 10)] == [5, 9]
    assert [record.offset for record in log.read(1, 2)] == [1, 5]
    assert log.high == 10


def test_markers_move_the_end_without_a_record() -> None:
    log = log_of(0, 1)
    log.mark(2)
    assert log.high == 4
    assert not log.has_more(2)


def test_retention_moves_the_beginning_and_says_what_is_gone() -> None:
    log = log_of(0, 1, 5, 9)
    assert [record.offset for record in log.truncate(5)] == [0, 1]
    assert log.low == 5
    assert [record.offset for record in log.read(0, 10)] == [5, 9]


def test_too_much_metadata_refuses_one_partition_and_commits_the_others() -> None:
    broker = Broker((PLACE, OTHER), metadata_limit=10)
    assert broker.commit(0, PLACE, 3, "x" * 11) == "OFFSET_METADATA_TOO_LARGE"
    assert broker.commit(0, OTHER, 4, "x" * 10) is None
    assert broker.committed(0, PLACE) is None
    committed = broker.committed(0, OTHER)
    assert committed is not None
    assert committed.offset == 4


def test_groups_commit_apart() -> None:
    broker = Broker((PLACE,), metadata_limit=10)
    broker.commit(0, PLACE, 3, "")
    assert broker.committed(1, PLACE) is None


class Puppet:
    """A member that gives back what it is asked for when the test says so."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.alive = True
        self.fenced = self.draining = self.busy = False
        self.revoking: tuple[TopicPartition, ...] = ()
        self.owned: set[TopicPartition] = set()

    def assign(self, places: list[TopicPartition]) -> None:
        self.owned.update(places)

    def revoke(self, places: tuple[TopicPartition, ...]) -> None:
        self.revoking = places

    def give_back(self) -> None:
        places, self.revoking = self.revoking, ()
        self.owned.difference_update(places)
        self.group.released(self, places)  # type: ignore[arg-type]


def group_of_two(eager: bool) -> tuple[Group, Puppet, Puppet, Clock]:
    clock = Clock()
    group = Group(0, (PLACE, OTHER), eager, clock, Random(1))
    first, second = Puppet(group), Puppet(group)
    group.join(first)  # type: ignore[arg-type]
    while clock.step():
        pass
    assert first.owned == {PLACE, OTHER}
    group.join(second)  # type: ignore[arg-type]
    return group, first, second, clock


def test_cooperative_takes_only_what_moves() -> None:
    _, first, second, clock = group_of_two(eager=False)
    assert len(first.revoking) == 1
    first.give_back()
    while clock.step():
        pass
    assert len(first.owned) == len(second.owned) == 1


def test_eager_takes_everything_first() -> None:
    _, first, second, clock = group_of_two(eager=True)
    assert set(first.revoking) == {PLACE, OTHER}
    first.give_back()
    while clock.step():
        pass
    assert len(first.owned) == len(second.owned) == 1


def test_nothing_has_two_owners_while_it_moves() -> None:
    _, first, second, clock = group_of_two(eager=False)
    while clock.step():
        pass
    assert first.revoking
    assert not second.owned


def test_an_evicted_members_partitions_go_to_others_at_once() -> None:
    group, first, second, clock = group_of_two(eager=False)
    first.fenced = True
    group.evict(first)  # type: ignore[arg-type]
    while clock.step():
        pass
    assert second.owned == {PLACE, OTHER}
