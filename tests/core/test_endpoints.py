"""A region's endpoints fail apart from each other, and something on the way may refuse one body alone."""

from collections import Counter

import pytest

from connector.core.answers import Accepted, Answer, Misconfigured, Unauthorised
from connector.core.effects import RegionChanged, RegionState, Send, WriteDeadLetter
from connector.core.options import BatchOptions
from connector.events.event import Reason
from tests.core.harness import DOWN, TIMEOUT, Harness, event, names

NOT_FOUND = Misconfigured(404, "https://proxy/api answered 404")
ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def _publish(core: Harness, offset: int, anonymous: int) -> int:
    """Five events of people and so many anonymous ones. The next offset."""
    people = [event(offset + place, who=f"p{(offset + place) % 500}") for place in range(5)]
    others = [
        event(offset + 5 + place, who=f"a{offset + place}", anonymous=True) for place in range(anonymous)
    ]
    core.receive(*people, *others)
    return offset + 5 + anonymous


@pytest.mark.parametrize("down", [DOWN, TIMEOUT, Unauthorised(403), NOT_FOUND])
def test_an_endpoint_that_is_down_makes_nothing_poison_while_the_other_works(down: Answer) -> None:
    core = Harness()
    offset, end = 0, core.now + 300.0
    while core.now < end:
        offset = _publish(core, offset, anonymous=int(offset % 4 == 0))
        core.run(lambda send: Accepted() if send.operation == "batch" else down, seconds=0.1)
    assert core.seen(WriteDeadLetter) == []
    anonymous_alone = core.region()
    assert anonymous_alone.state != "healthy" and anonymous_alone.detail.startswith("v1_events: ")
    core.settle()
    assert core.endings() == {"accepted": offset} and core.region().state == "healthy"


def test_an_endpoint_that_is_down_leaves_the_other_its_pace() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=10))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(5_000)))
    core.receive(*(event(offset, who=f"a{offset}", anonymous=True) for offset in range(5_000, 5_050)))
    core.run(lambda send: Accepted() if send.operation == "batch" else NOT_FOUND, seconds=2.0)
    assert core.endings() == {"accepted": 5_000}
    (changed,) = core.seen(RegionChanged)
    assert (changed.operation, changed.state) == ("v1_events", RegionState.MISCONFIGURED)


def test_each_endpoint_is_probed_by_itself() -> None:
    core = Harness()
    core.receive(event(0), event(1, who="bob", anonymous=True), event(2, who="eve", anonymous=True))
    core.run(lambda send: Unauthorised(401), seconds=60.0)
    core.run(lambda send: Accepted() if send.operation == "batch" else Unauthorised(401), seconds=60.0)
    assert core.endings() == {"accepted": 1} and core.region().state == "unauthorised"
    core.settle()
    assert core.endings() == {"accepted": 3} and core.region().state == "healthy"


@pytest.mark.parametrize("answer", [Unauthorised(403), Unauthorised(401), NOT_FOUND])
def test_a_body_that_something_on_the_way_refuses_stops_nobody_else(answer: Answer) -> None:
    def judge(send: Send) -> Answer:
        return answer if "bad" in names(send) else Accepted()

    core = Harness()
    core.receive(
        event(0, "bad", who="evil"), *(event(offset, who=f"mate{offset}") for offset in range(1, 1_000))
    )
    offset, end = 1_000, core.now + 1_200.0
    while core.now < end:
        offset = _publish(core, offset, anonymous=0)
        core.run(judge, seconds=0.5)
    core.run(judge)
    assert core.endings() == {"accepted": offset - 1, "dead_lettered": 1}
    assert Counter(letter.reason for letter in core.seen(WriteDeadLetter)) == {Reason.POISON: 1}
    assert len(core.seen(RegionChanged)) <= 4, "it is not taken for the region's trouble again and again"


@pytest.mark.parametrize("answer", [Unauthorised(403), Unauthorised(401), NOT_FOUND])
def test_refused_credentials_are_an_ending_for_nobody(answer: Answer) -> None:
    core = Harness(batch=ONE_BY_ONE)
    offset = 0
    for _ in range(20):
        offset = _publish(core, offset, anonymous=1)
        core.run(lambda send: Accepted(), seconds=0.05)
        offset = _publish(core, offset, anonymous=1)
        core.run(lambda send: answer, seconds=120.0)
    assert core.seen(WriteDeadLetter) == []
    core.settle()
    assert core.endings() == {"accepted": offset}


def test_a_destination_that_refuses_every_other_request_makes_nothing_poison() -> None:
    core = Harness(batch=ONE_BY_ONE)
    turns = iter(range(10**9))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(3_000)))
    core.run(lambda send: Accepted() if next(turns) % 2 else Unauthorised(403))
    assert core.endings() == {"accepted": 3_000}
