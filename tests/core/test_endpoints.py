"""A region's endpoints fail apart from each other, and something on the way may refuse one body alone."""

from collections import Counter
from random import Random

import pytest

from connector.core.answers import Accepted, Answer, Misconfigured, Refused, Unauthorised
from connector.core.effects import RegionChanged, RegionState, Send, WriteDeadLetter
from connector.core.options import BatchOptions, DeliveryOptions
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


@pytest.mark.parametrize("answer", [Unauthorised(403), NOT_FOUND, DOWN])
def test_when_each_large_request_holds_one_to_blame_the_others_get_through_all_the_same(
    answer: Answer,
) -> None:
    core = Harness()
    for first in (0, 1_000):
        core.receive(
            *(
                event(offset, "bad" if offset == first + 5 else "", who=f"p{offset}")
                for offset in range(first, first + 1_000)
            )
        )
        core.sends()
    core.run(lambda send: answer if "bad" in names(send) else Accepted(), seconds=12 * 3_600.0)
    assert core.endings()["accepted"] >= 1_990, "all but the two, and who shares a lane with them"


@pytest.mark.parametrize("answer", [Unauthorised(401), Unauthorised(403), NOT_FOUND, DOWN])
def test_a_destination_that_refuses_most_requests_at_random_makes_nothing_poison(answer: Answer) -> None:
    random = Random(5)
    core = Harness(batch=ONE_BY_ONE, random=random.random)
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(1_500)))
    core.run(lambda send: answer if random.random() < 0.7 else Accepted(), seconds=4 * 3_600.0)
    assert core.seen(WriteDeadLetter) == [] and core.endings()["accepted"] > 500


def test_a_refused_body_now_and_then_is_not_taken_for_the_region_s_trouble() -> None:
    random = Random(1)
    core = Harness(random=random.random)
    for offset in range(5_000):
        core.receive(event(offset, "bad" if offset % 1_000 == 500 else "", who=f"p{offset}"))
        core.run(
            lambda send: Unauthorised(403) if "bad" in names(send) else Accepted(),
            seconds=random.expovariate(20.0),
            answer_seconds=0.03,
        )
    assert core.seen(RegionChanged) == []


def test_malformed_bodies_that_are_refused_before_the_credentials_prove_nothing() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.take(event(0))
    core.run(lambda send: Accepted(), seconds=1.0)
    for offset in range(1, 3_000):
        core.receive(event(offset, "bad" if offset % 20 == 7 else "", who=f"p{offset}"))
        core.run(
            lambda send: Refused(400, "malformed") if "bad" in names(send) else Unauthorised(401),
            seconds=5.0,
        )
    assert {letter.reason for letter in core.seen(WriteDeadLetter)} == {Reason.REJECTED}
    assert [changed.state for changed in core.seen(RegionChanged)] == [RegionState.UNAUTHORISED]


def test_a_probe_that_has_no_token_yet_takes_nothing_out_of_its_lanes() -> None:
    delivery = DeliveryOptions(
        requests_per_second=1.0, anonymous_share=1.0, breaker_failures=1, probe_seconds=4.3
    )
    core = Harness(delivery=delivery)
    core.answer(core.take(event(0))[0], DOWN)
    for offset in range(1, 3_000, 2):
        core.now += 0.02
        core.receive(event(offset, who=f"p{offset}"), event(offset + 1, who=f"a{offset}", anonymous=True))
        core.core.polled(core.now)
        for send in core.sends():
            core.answer(send, DOWN if send.operation == "batch" else Accepted())
    probes = [send for send in core.seen(Send) if send.operation == "batch"]
    waiting = 1_500 - core.endings()["accepted"] + 1
    assert core.region().queued >= waiting - sum(send.events for send in probes)
