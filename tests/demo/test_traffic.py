"""The traffic is what it says it is: decided by its seed, of every kind, and right about what becomes of it."""

import itertools
from collections import Counter

import msgspec
import pytest

from connector.core.options import RoutingOptions
from connector.core.routing import Router
from connector.demo.configuration import connector_configuration
from connector.demo.traffic import TrafficRecord, traffic
from connector.events.decode import Decoder
from connector.events.event import Event, Reason, Rejection, RequestKind
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.simulator import Simulator
from connector.simulator.operation import InvalidError
from connector.simulator.v1 import read_anonymous_event
from connector.simulator.v2 import read_operation
from tests.demo.delivery import NOW, TOPIC, delivered_traffic, published

SEEDS = range(5)


def records(seed: int = 1, events: int = 4_000) -> list[TrafficRecord]:
    return list(traffic(seed, events, NOW))


def decoded(
    traffic_records: list[TrafficRecord],
) -> list[tuple[TrafficRecord, StoredRecord, Event | Rejection]]:
    decode = Decoder(EventOptions(), "identifier")
    found = []
    for record, offset, timestamp_ms in published(traffic_records):
        stored = StoredRecord(
            TOPIC, record.partition, offset, record.value, record.key, record.headers, timestamp_ms
        )
        result = decode(stored, "cluster")
        assert isinstance(result, Event | Rejection)
        found.append((record, stored, result))
    return found


def router() -> Router:
    """As the demo configures the connector."""
    simulator = Simulator()
    simulator._ports.update(us=1, eu=2)
    routing = connector_configuration("", simulator)["routing"]
    return Router(msgspec.convert(routing, RoutingOptions), ("us", "eu"), None)


def test_same_seed_says_the_same() -> None:
    assert records(7) == records(7)


def test_other_seed_says_something_else() -> None:
    assert records(7) != records(8)


@pytest.mark.parametrize("events", [1, 2, 50])
def test_as_many_records_as_asked_for(events: int) -> None:
    assert len(records(3, events)) == events


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_good_is_understood_and_goes_to_its_region(seed: int) -> None:
    route = router()
    for record, stored, event in decoded(records(seed)):
        if record.reason is None:
            assert isinstance(event, Event), event
            assert route.region(stored, event) == record.region


@pytest.mark.parametrize("seed", SEEDS)
def test_mistakes_are_refused_for_their_reason(seed: int) -> None:
    found = Counter()
    for record, stored, result in decoded(records(seed)):
        if record.reason is None:
            continue
        found[record.reason] += 1
        if isinstance(result, Rejection):
            assert result.reason is record.reason
        elif record.reason is Reason.UNROUTABLE:
            assert not isinstance(router().region(stored, result), str)
        else:
            assert record.reason is Reason.REJECTED
    assert set(found) == set(Reason) - {Reason.POISON, Reason.CONFLICT}


@pytest.mark.parametrize("seed", SEEDS)
def test_customerio_takes_what_is_good_and_rejects_what_it_must(seed: int) -> None:
    for record, _, event in decoded(records(seed)):
        if record.reason is None:
            assert isinstance(event, Event)
            for operation in event.operations:
                read = read_operation if event.kind is RequestKind.V2 else read_anonymous_event
                read(msgspec.json.decode(operation.body))
        elif record.reason is Reason.REJECTED:
            assert isinstance(event, Event)
            with pytest.raises(InvalidError):
                read_operation(msgspec.json.decode(event.body))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_events_look_the_same_at_customerio(seed: int) -> None:
    evidence = delivered_traffic(4_000, seed)
    owner: dict[object, int] = {}
    for publication in evidence.publications:
        for step in publication.steps:
            assert owner.setdefault(step.fingerprint, publication.event) == publication.event


def test_every_kind_of_operation_occurs() -> None:
    actions = Counter(
        (event.kind, operation.action)
        for _, _, event in decoded(records(1, 20_000))
        if isinstance(event, Event)
        for operation in event.operations
    )
    v2 = {action for kind, action in actions if kind is RequestKind.V2}
    assert v2 >= {
        "person.identify",
        "person.event",
        "person.page",
        "person.screen",
        "person.delete",
        "person.suppress",
        "person.merge",
        "person.add_device",
        "person.delete_device",
        "person.add_relationships",
        "person.delete_relationships",
        "object.identify",
        "object.delete",
        "object.delete_relationships",
        "delivery.event",
    }
    assert {action for kind, action in actions if kind is RequestKind.V1_EVENTS} == {
        "person.event",
        "person.page",
    }


def test_both_vocabularies_both_regions_and_thousands_of_people() -> None:
    made = records(1, 20_000)
    good = [msgspec.json.decode(record.value) for record in made if record.reason is None]
    assert 0.3 < sum("action" in message for message in good) / len(good) < 0.7
    assert 0.3 < sum(record.region == "eu" for record in made) / len(made) < 0.5
    assert len({record.key for record in made}) > 2_000


def test_duplicates_are_the_same_record_within_a_partition_and_across() -> None:
    within = across = 0
    for _, copies in itertools.groupby(sorted(records(), key=lambda r: r.event), key=lambda r: r.event):
        first, *others = copies
        for other in others:
            assert other._replace(partition=first.partition) == first
            assert other.reason is None
            within += other.partition == first.partition
            across += other.partition != first.partition
    assert within > 20
    assert across > 20


def test_whoever_is_gone_stays_gone() -> None:
    gone: set[str] = set()
    events: set[int] = set()
    for record, _, event in decoded(records(1, 20_000)):
        if record.event in events or not isinstance(event, Event):
            continue
        events.add(record.event)
        for operation in event.operations:
            assert event.lane.decode() not in gone
            if operation.action in ("person.delete", "person.suppress", "object.delete"):
                gone.add(event.lane.decode())
            if event.lane_secondary:
                assert event.lane_secondary.decode() not in gone
                gone.add(event.lane_secondary.decode())
    assert gone
