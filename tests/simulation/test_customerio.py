"""The simulated Customer.io answers as the real one is documented to."""

from random import Random

import pytest

from connector.core.answers import Accepted, Answer, PartlyRejected, Refused, Unauthorised, Unavailable
from connector.events.event import RequestKind
from tests.simulation.customerio import Workspace
from tests.simulation.publisher import Flaw
from tests.simulation.scenario import Weather, Window
from tests.simulation.truth import Fact

FINE = Weather((), 0.0, 0.0, (0.01, 0.01), 0)


class Recorder:
    def __init__(self) -> None:
        self.accepted: list[tuple[int, bool]] = []

    def __call__(self, fact: Fact, region: str, seen: bool) -> None:
        self.accepted.append((fact.serial, seen))


def workspace(weather: Weather = FINE, faults_end: float = 0.0) -> tuple[Workspace, Recorder]:
    recorder = Recorder()
    return Workspace("us", weather, faults_end, Random(1), recorder), recorder


def fact(
    serial: int,
    action: str = "person.event",
    flaw: Flaw | None = None,
    event_id: str = "",
    timestamp: int | None = 0,
    plan: str = "",
    kind: RequestKind = RequestKind.V2,
) -> Fact:
    return Fact(serial, 0, action, kind, (b"id:1",), (b"id:1",), event_id, timestamp, plan, False, flaw, 100)


def test_a_rejected_item_leaves_the_others_accepted() -> None:
    us, recorder = workspace()
    answer = us.handle([fact(0), fact(1, flaw=Flaw.REJECTED), fact(2)], 100, 0.0)
    assert isinstance(answer, PartlyRejected)
    assert [error.index for error in answer.errors] == [1]
    assert recorder.accepted == [(0, False), (2, False)]


@pytest.mark.parametrize(
    ("flaw", "status"), [(Flaw.MALFORMED, 400), (Flaw.HUGE, 413), (Flaw.UNPROCESSABLE, 422)]
)
def test_a_malformed_item_spoils_the_whole_batch(flaw: Flaw, status: int) -> None:
    us, recorder = workspace()
    answer = us.handle([fact(0), fact(1, flaw=flaw)], 100, 0.0)
    assert isinstance(answer, Refused)
    assert answer.status == status
    assert not recorder.accepted


def test_poison_answers_500_and_takes_nothing() -> None:
    us, recorder = workspace()
    assert us.handle([fact(1), fact(0, flaw=Flaw.POISON)], 100, 0.0) == Unavailable("5xx", 500)
    assert not recorder.accepted


def test_a_rejected_anonymous_event_is_a_400() -> None:
    us, _ = workspace()
    answer = us.handle([fact(0, flaw=Flaw.REJECTED, kind=RequestKind.V1_EVENTS)], 100, 0.0)
    assert isinstance(answer, Refused)


def test_an_event_of_a_known_id_is_ignored() -> None:
    us, recorder = workspace()
    us.handle([fact(0, event_id="A"), fact(1, event_id="A"), fact(2, event_id="B")], 100, 0.0)
    assert recorder.accepted == [(0, False), (1, True), (2, False)]


def test_an_older_identify_does_not_win() -> None:
    us, _ = workspace()
    us.handle([fact(0, "person.identify", timestamp=20, plan="new")], 100, 0.0)
    us.handle([fact(1, "person.identify", timestamp=10, plan="old")], 100, 0.0)
    assert us.people.persons[b"id:1"].plan == "new"


def test_a_delete_forgets_the_person() -> None:
    us, _ = workspace()
    us.handle([fact(0, "person.identify", plan="a"), fact(1, "person.delete")], 100, 0.0)
    assert not us.people.persons


def test_a_proxy_refuses_what_is_too_large_but_never_a_single_operation() -> None:
    us, _ = workspace(FINE._replace(proxy_bytes=50))
    assert isinstance(us.handle([fact(0), fact(1)], 100, 0.0), Refused)
    assert isinstance(us.handle([fact(0)], 100, 0.0), Accepted)


def test_a_window_of_bad_weather_begins_and_ends() -> None:
    us, _ = workspace(FINE._replace(windows=(Window(1.0, 2.0, "unauthorised"),)), faults_end=5.0)
    assert isinstance(us.handle([fact(0)], 100, 0.9), Accepted)
    assert isinstance(us.handle([fact(0)], 100, 1.5), Unauthorised)
    assert isinstance(us.handle([fact(0)], 100, 2.0), Accepted)


def test_failures_are_sometimes_applied_and_end_with_the_faults() -> None:
    us, recorder = workspace(FINE._replace(failing=1.0), faults_end=5.0)
    answers: list[Answer | None] = [us.handle([fact(serial)], 100, 1.0) for serial in range(100)]
    assert all(answer is None or isinstance(answer, Unavailable) for answer in answers)
    assert 10 < len(recorder.accepted) < 90
    assert isinstance(us.handle([fact(100)], 100, 5.0), Accepted)
