"""What each answer of Customer.io leads to."""

from itertools import pairwise
from random import Random

import pytest

from connector.core.answers import (
    Accepted,
    Answer,
    ItemError,
    Misconfigured,
    PartlyRejected,
    Refused,
    Unauthorised,
    Unavailable,
)
from connector.core.effects import Outcome, RegionChanged, RegionState, Send, WriteDeadLetter
from connector.core.options import BatchOptions, BufferOptions, DeliveryOptions
from connector.events.event import Reason
from tests.core.harness import (
    DOWN,
    THROTTLED,
    TIMEOUT,
    Harness,
    event,
    fail_those_with,
    names,
    refuse_those_with,
)

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)
UNREADABLE_207 = PartlyRejected((), attributable=False)


def _states(core: Harness) -> list[RegionState]:
    """The states that were told, without repetitions."""
    states = [changed.state for changed in core.seen(RegionChanged)]
    return [state for place, state in enumerate(states) if not place or state is not states[place - 1]]


# ---- 207 ----


def test_incident_24_a_207_is_not_success() -> None:
    core = Harness()
    core.reject(*core.take(*(event(offset, f"e{offset}") for offset in range(4))), "e1", "e3")
    core.advance()
    assert [letter.record.offset() for letter in core.letters] == [1, 3]
    assert core.watermark() == 1
    core.written()
    assert core.watermark() == 4
    assert core.endings() == {Outcome.ACCEPTED: 2, Outcome.DEAD_LETTERED: 2}


def test_incident_4_the_refused_one_goes_to_the_dead_letters_and_the_rest_flows() -> None:
    core = Harness()
    core.reject(*core.take(event(0, "bad"), event(1, "good")), "bad")
    core.receive(event(2, "next"))
    core.settle()
    assert core.delivered() == ["bad", "good", "next"] and core.watermark() == 3


@pytest.mark.parametrize("answer", [UNREADABLE_207, PartlyRejected((), attributable=True)])
def test_a_207_that_cannot_be_attributed_is_resent_then_bisected_never_accepted(answer: Answer) -> None:
    core = Harness()
    (first,) = core.take(*(event(offset, f"e{offset}") for offset in range(4)))
    core.answer(first, answer)
    (again,) = core.sends()
    assert again.body == first.body
    core.answer(again, answer)
    (half,) = core.sends()
    assert names(half) == ["e0", "e1"]
    assert core.watermark() == 0 and core.endings() == {}
    core.settle()
    assert core.watermark() == 4 and core.seen(WriteDeadLetter) == []


def test_a_single_one_whose_207_is_never_readable_is_never_accepted_and_backs_off() -> None:
    core = Harness()
    core.receive(event(0))
    core.run(lambda send: UNREADABLE_207, seconds=120.0)
    assert core.watermark() == 0
    assert 5 < len(core.seen(Send)) < 50


def test_a_207_that_names_one_item_twice_dead_letters_it_once() -> None:
    core = Harness()
    (send,) = core.take(event(0, "good"), event(1, "bad"))
    core.answer(send, PartlyRejected((ItemError(1, "first"), ItemError(1, "second"))))
    core.advance()
    core.written()
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DEAD_LETTERED: 1} and core.is_empty()


# ---- 400, 413, 422 ----


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_bisected_until_the_culprit_is_alone(status: int) -> None:
    core = Harness()
    core.receive(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(64)))
    accepted: list[str] = []

    def judge(send: Send) -> Answer:
        if "e13" in names(send):
            return Refused(status, "no")
        accepted.extend(names(send))
        return Accepted()

    core.run(judge)
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.record.offset() == 13 and letter.reason is Reason.REJECTED and str(status) in letter.message
    assert sorted(accepted) == sorted(f"e{offset}" for offset in range(64) if offset != 13)
    assert core.watermark() == 64 and core.is_empty()
    assert len(core.seen(Send)) <= 2 * 6 + 1


def test_incident_27_bisecting_is_no_sign_of_an_outage() -> None:
    core = Harness(delivery=DeliveryOptions(breaker_failures=1))
    core.receive(*(event(offset, f"e{offset}") for offset in range(16)))
    core.run(refuse_those_with("e3", "e4", "e15"))
    assert _states(core) == [] and core.watermark() == 16
    assert len(core.seen(WriteDeadLetter)) == 3


def test_all_refused_one_by_one_are_all_dead_letters() -> None:
    core = Harness()
    core.receive(*(event(offset) for offset in range(9)))
    core.run(lambda send: Refused(400, "no"))
    assert len(core.seen(WriteDeadLetter)) == 9 and core.watermark() == 9 and core.is_empty()


# ---- 401, 403 ----


@pytest.mark.parametrize("status", [401, 403])
def test_incident_1_refused_credentials_lose_nothing_and_delivery_resumes(status: int) -> None:
    core = Harness(delivery=DeliveryOptions(probe_seconds=5))
    (first,) = core.take(event(0), event(1))
    core.answer(first, Unauthorised(status))
    core.receive(event(2, who="bob"))
    assert core.sends() == []
    assert core.region().state == "unauthorised" and str(status) in core.region().detail
    assert core.partition().waiting == "unauthorised"
    core.run(lambda send: Unauthorised(status), seconds=7_200.0)
    assert core.watermark() == 0 and core.seen(WriteDeadLetter) == [] and core.endings() == {}
    core.settle()
    assert core.watermark() == 3
    assert _states(core) == [RegionState.UNAUTHORISED, RegionState.HEALTHY]


def test_a_region_with_refused_credentials_is_probed_by_one_request_that_rereads_its_secrets() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(probe_seconds=5, concurrency=4))
    sends = core.take(*(event(offset, who=f"p{offset}") for offset in range(4)))
    assert not any(send.refresh_credentials for send in sends)
    for send in sends:
        core.answer(send, Unauthorised(401))
    core.wait(4.9)
    assert core.in_flight() == []
    core.wait(0.2)
    (probe,) = core.in_flight()
    assert probe.refresh_credentials
    core.accept(probe)
    assert not core.send().refresh_credentials


# ---- redirects, 404, 405, other 4xx ----


@pytest.mark.parametrize("status", [301, 302, 307, 404, 405, 409, 418])
def test_a_misconfigured_region_holds_everything_and_says_which_url(status: int) -> None:
    core = Harness()
    (first,) = core.take(event(0))
    detail = f"https://track.customer.io/api/v2/batch answered {status}"
    core.answer(first, Misconfigured(status, detail))
    assert core.take(event(1, who="bob")) == []
    assert core.region().state == "misconfigured" and core.region().detail == detail
    assert core.seen(RegionChanged)[-1].detail == detail
    core.run(lambda send: Misconfigured(status, detail), seconds=600.0)
    assert core.watermark() == 0 and core.seen(WriteDeadLetter) == []
    core.settle()
    assert core.watermark() == 2


# ---- cannot now ----


@pytest.mark.parametrize(
    "answer",
    [
        Unavailable("408", 408),
        Unavailable("429", 429),
        Unavailable("5xx", 500),
        Unavailable("5xx", 503),
        Unavailable("5xx", 522),
        Unavailable("5xx", 524),
        Unavailable("timeout"),
        Unavailable("connect"),
        Unavailable("reset"),
        Unavailable("unreadable", 200),
    ],
)
def test_incident_5_what_cannot_now_is_retried_for_ever_with_the_same_operations(answer: Unavailable) -> None:
    core = Harness()
    (first,) = core.take(event(0), event(1))
    core.answer(first, answer)
    core.run(lambda send: answer, seconds=6 * 3_600.0)
    assert core.watermark() == 0 and core.seen(WriteDeadLetter) == [] and core.endings() == {}
    assert len(core.seen(Send)) < 6 * 3_600 / 4
    core.settle()
    assert core.watermark() == 2
    attempts = [send.attempt for send in core.seen(Send) if "0/0" in names(send)]
    assert attempts == sorted(attempts)


def test_a_retry_waits_its_backoff_with_jitter() -> None:
    core = Harness(random=lambda: 0.5, delivery=DeliveryOptions(backoff_seconds_min=2.0))
    (first,) = core.take(event(0))
    core.answer(first, TIMEOUT)
    core.wait(0.9)
    assert core.in_flight() == []
    core.wait(0.2)
    assert len(core.in_flight()) == 1


def test_incident_23_retry_after_holds_the_whole_region() -> None:
    core = Harness()
    (first,) = core.take(event(0))
    core.answer(first, Unavailable("429", 429, retry_after_seconds=120.0))
    core.receive(event(1, who="bob"), event(2, who="cid", anonymous=True))
    core.wait(119.0)
    assert core.in_flight() == []
    assert core.partition().waiting == "throttled"
    core.wait(1.1)
    assert len(core.in_flight()) == 3


def test_incident_23_retry_after_is_cut_at_300_seconds() -> None:
    core = Harness()
    core.answer(*core.take(event(0)), Unavailable("5xx", 503, retry_after_seconds=1e9))
    core.wait(299.0)
    assert core.in_flight() == []
    core.wait(1.1)
    assert len(core.in_flight()) == 1


def test_throttling_halves_concurrency_and_it_grows_back() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=8))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(100)))
    for send in core.sends():
        core.answer(send, THROTTLED)
    core.wait(1.0)
    assert core.region().concurrency == 4 and len(core.in_flight()) == 4
    assert core.region().state == "throttled"
    core.settle()
    assert core.region().concurrency == 8 and core.region().state == "healthy"


def test_incident_7_memory_stays_flat_under_an_hour_of_429() -> None:
    core = Harness(buffer=BufferOptions(max_records=100))
    offset = 0
    until = core.now + 3_600
    while core.now < until:
        take = min(10, core.core.credit().records)
        core.receive(*(event(offset + n, who=f"p{offset + n}") for n in range(take)))
        offset += take
        core.run(lambda send: THROTTLED, seconds=30.0)
        assert core.core.snapshot(core.now).buffered_records <= 100
    assert core.core.credit().records == 0 and core.watermark() == 0
    core.settle()
    assert core.watermark() == offset


def test_incident_19_no_more_requests_than_concurrency_allows() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=3))
    core.receive(*(event(offset, who=f"p{offset}", anonymous=offset % 2 == 0) for offset in range(100)))
    while core.in_flight() or core.sends():
        assert len(core.in_flight()) <= 3
        core.accept(core.in_flight()[0])
        core.advance()
    assert core.watermark() == 100


def test_incident_17_each_attempt_is_numbered() -> None:
    core = Harness()
    core.receive(event(0))
    for attempt in range(1, 6):
        core.wait(60.0)
        (send,) = core.in_flight()
        assert send.attempt == attempt
        core.answer(send, DOWN)


def test_every_attempt_has_a_deadline_of_ours() -> None:
    core = Harness(delivery=DeliveryOptions(timeout_seconds=12.5))
    assert core.take(event(0))[0].deadline_seconds == 12.5


def test_a_reused_connection_that_breaks_is_retried_once_at_once_and_is_no_outage() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(breaker_failures=2))
    broken = Unavailable("reset", reused_connection_broke=True)
    for send in core.take(*(event(offset, who=f"p{offset}") for offset in range(8))):
        core.answer(send, broken)
    again = core.sends()
    assert len(again) == 8 and core.region().state == "healthy"
    core.answer(again[0], broken)
    assert core.sends() == [], "a second time it waits like any other failure"
    core.settle()
    assert core.watermark() == 8


# ---- the breaker ----


def test_an_outage_opens_the_breaker_and_only_a_lone_probe_goes() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=6, probe_seconds=5))
    for send in core.take(*(event(offset, who=f"p{offset}") for offset in range(20))):
        core.answer(send, DOWN)
    core.advance()
    assert core.region().state == "open" and core.partition().waiting == "breaker_open"
    for _ in range(20):
        core.wait(5.0)
        (probe,) = core.in_flight()
        core.wait(3.0)
        assert core.in_flight() == [probe]
        core.answer(probe, DOWN)
    core.settle()
    assert core.watermark() == 20
    assert _states(core) == [RegionState.OPEN, RegionState.HEALTHY]


def test_a_region_s_change_is_told_once_and_so_is_each_other_thing_that_is_wrong() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(breaker_failures=3, probe_seconds=5))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(6)))
    core.run(lambda send: DOWN, seconds=60.0)
    assert len(core.seen(RegionChanged)) == 1
    core.run(lambda send: TIMEOUT if send.attempt % 2 else DOWN, seconds=60.0)
    causes = ["503" in changed.detail for changed in core.seen(RegionChanged)]
    assert _states(core) == [RegionState.OPEN] and causes == [True, False]


def test_the_breaker_never_probes_twice_running_with_the_same_batch() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=2))
    core.receive(*(event(offset, who=f"p{offset // 2}") for offset in range(40)))
    for send in core.sends():
        core.answer(send, DOWN)
    core.advance()
    probes = []
    for _ in range(30):
        core.wait(5.0)
        (probe,) = core.in_flight()
        probes.append(tuple(names(probe)))
        core.answer(probe, DOWN)
    assert all(before != after for before, after in pairwise(probes))


@pytest.mark.parametrize("bad", [1, 2, 5])
def test_what_can_never_succeed_does_not_keep_the_breaker_open(bad: int) -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=8, probe_seconds=5))
    for send in core.take(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(8))):
        core.answer(send, DOWN)
    core.advance()
    assert core.region().state == "open"
    core.run(fail_those_with(*(f"e{offset}" for offset in range(bad))), seconds=90.0)
    assert core.region().state == "healthy"
    assert core.endings()[Outcome.ACCEPTED] == 8 - bad


def test_a_region_that_fails_for_a_few_people_is_open() -> None:
    core = Harness(delivery=DeliveryOptions(breaker_failures=5))
    core.receive(event(0, who="ann"), event(1, who="bob"))
    core.run(lambda send: DOWN, seconds=120.0)
    assert core.region().state == "open" and core.partition().waiting == "breaker_open"
    core.settle()
    assert core.region().state == "healthy" and core.watermark() == 2


def test_one_person_s_poison_opens_the_breaker_for_nobody() -> None:
    core = Harness()
    core.receive(event(0, "poison", who="ann"), event(1, "behind", who="ann"))
    core.run(fail_those_with("poison"), seconds=3_600.0)
    assert core.seen(RegionChanged) == [] and core.partition().waiting == "retrying"


# ---- poison ----


def _stream(core: Harness, offset: int, judge_poison: str, seconds: float, bad: Answer = TIMEOUT) -> int:
    """Others flow by while the named one fails whatever holds it."""
    until = core.now + seconds
    while core.now < until:
        core.receive(event(offset, f"o{offset}", who=f"other {offset}"))
        offset += 1
        core.run(lambda send: bad if judge_poison in names(send) else Accepted(), seconds=0.5)
    return offset


def test_a_batch_that_keeps_failing_while_others_succeed_is_bisected() -> None:
    core = Harness()
    core.receive(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(8)))
    core.advance()
    end = _stream(core, 8, "e5", 900.0)
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.record.offset() == 5 and letter.reason is Reason.POISON
    assert core.watermark() == end


def test_incident_4_poison_holds_up_nobody_else() -> None:
    core = Harness()
    core.receive(event(0, "poison", who="poison"))
    core.advance()
    _stream(core, 1, "poison", 30.0)
    assert core.endings()[Outcome.ACCEPTED] >= 59
    assert core.region().state == "healthy"


def test_poison_needs_others_that_succeed() -> None:
    core = Harness(delivery=DeliveryOptions(poison_attempts=5))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(5)))
    core.run(lambda send: TIMEOUT, seconds=24 * 3_600.0)
    assert core.seen(WriteDeadLetter) == []


def test_a_record_that_never_gets_a_connection_is_never_poison() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(poison_attempts=5, backoff_seconds_max=5))
    core.receive(event(0, "poison", who="poison"))
    core.advance()
    _stream(core, 1, "poison", 300.0, Unavailable("connect"))
    assert core.seen(WriteDeadLetter) == []
    assert core.endings()[Outcome.ACCEPTED] > 500


def test_a_throttled_record_is_never_poison() -> None:
    core = Harness(delivery=DeliveryOptions(poison_attempts=5))
    core.receive(event(0, "unlucky", who="unlucky"))
    core.advance()
    _stream(core, 1, "unlucky", 600.0, THROTTLED)
    assert core.seen(WriteDeadLetter) == []


# ---- what a request is ----


def test_a_batch_is_framed_as_customerio_wants_it() -> None:
    core = Harness()
    (send,) = core.take(event(0, "one"), event(1, "two"))
    assert (send.path, send.operation, send.region, send.events) == ("/api/v2/batch", "batch", "us", 2)
    assert send.body.startswith(b'{"batch":[{') and send.body.endswith(b"}]}")


@pytest.mark.parametrize("bytes_max", [32_012, 60_000, 499_999])
def test_incident_29_the_bytes_that_are_sent_are_what_is_counted(bytes_max: int) -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=100_000, max_bytes=bytes_max))
    core.receive(*(event(offset, padding="x" * (offset * 37 % 9_000)) for offset in range(400)))
    core.run(lambda send: Accepted())
    sizes = [len(send.body) for send in core.seen(Send)]
    assert max(sizes) <= bytes_max
    assert all(size > bytes_max - 9_200 for size in sizes[:-1]), "and batches are full"


def test_an_operation_of_32000_bytes_fits_the_smallest_batch() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_bytes=32_012))
    (small,) = core.take(event(0))
    core.accept(small)
    (send,) = core.take(event(1, padding="x" * (32_000 - len(small.body) + 12)))
    assert len(send.body) == 32_012


def test_two_operations_that_do_not_fit_one_request_go_in_two() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_bytes=32_012))
    (first,) = core.take(event(0, "event", second="device", padding="x" * 20_000))
    core.accept(first)
    (second,) = core.sends()
    assert (names(first), names(second)) == (["event"], ["device"])
    assert len(first.body) <= 32_012


def test_an_event_waits_the_linger_for_company_unless_the_batch_is_full() -> None:
    core = Harness(batch=BatchOptions(linger_ms=50, max_events=3))
    assert core.take(event(0, who="a")) == []
    core.wait(0.03)
    assert core.take(event(1, who="b")) == []
    core.wait(0.03)
    (lingered,) = core.in_flight()
    assert names(lingered) == ["0/0", "0/1"]
    (full,) = core.take(*(event(offset, who=f"c{offset}") for offset in range(2, 5)))
    assert full.events == 3


def test_requests_keep_to_the_rate() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(concurrency=1000, requests_per_second=50))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(1_000)))
    core.run(lambda send: Accepted(), seconds=10.0, answer_seconds=0.001)
    assert 490 <= len(core.seen(Send)) <= 506


def test_waiting_for_a_token_makes_batches_fuller() -> None:
    core = Harness(delivery=DeliveryOptions(requests_per_second=1))
    core.accept(*core.take(event(0)))
    for offset in range(1, 20):
        assert core.take(event(offset, who=f"p{offset}")) == []
    core.wait(1.0)
    (send,) = core.in_flight()
    assert send.events == 19


def test_a_request_knows_its_oldest_record_s_timestamp() -> None:
    core = Harness()
    assert (
        core.take(event(0, timestamp_ms=5_000), event(1, timestamp_ms=9_000))[0].oldest_timestamp_ms == 5_000
    )


def test_an_answer_to_a_request_that_is_not_known_is_passed_over() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.accept(send)
    core.accept(send)
    core.core.answer(12_345, Accepted(), core.now)
    assert core.watermark() == 1 and core.is_empty()


# ---- several regions ----


def test_incident_6_one_dead_region_slows_no_other() -> None:
    core = Harness(regions=("us", "eu"))
    for offset in range(200):
        core.receive(event(offset, f"{offset}", who=f"p{offset}", region="us" if offset % 2 else "eu"))
        core.run(lambda send: DOWN if send.region == "eu" else Accepted(), seconds=0.05)
    core.run(lambda send: DOWN if send.region == "eu" else Accepted(), seconds=1.0)
    assert core.endings("us") == {Outcome.ACCEPTED: 100}
    assert core.region("eu").state == "open" and core.region("us").state == "healthy"
    core.settle()
    assert core.watermark() == 200


def test_each_region_s_requests_hold_its_own_people_alone() -> None:
    core = Harness(regions=("us", "eu"))
    sends = core.take(event(0, "American", region="us"), event(1, "European", region="eu"))
    assert {send.region: names(send) for send in sends} == {"us": ["American"], "eu": ["European"]}


def test_one_request_at_a_time_recovers_from_throttling() -> None:
    core = Harness(delivery=DeliveryOptions(concurrency=1))
    core.receive(event(0))
    core.answer(core.send(), THROTTLED)
    core.settle()
    core.receive(event(1))
    core.settle()
    assert core.region().state == "healthy"


def test_poison_in_the_only_batch_there_is_does_not_hold_its_fellows() -> None:
    core = Harness()
    core.receive(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(8)))
    core.run(fail_those_with("e5"), seconds=1_800.0)
    assert core.endings()[Outcome.ACCEPTED] == 7


def test_a_brown_out_makes_no_poison() -> None:
    """Half of all requests fail, whatever is in them: every record gets through in the end."""
    random = Random(5)
    core = Harness(random=random.random)
    offset = 0
    for _ in range(500):
        core.receive(*(event(offset + n, who=f"p{offset + n}", anonymous=True) for n in range(20)))
        offset += 20
        core.run(lambda send: DOWN if random.random() < 0.5 else Accepted(), seconds=0.5)
    core.run(lambda send: Accepted())
    assert core.seen(WriteDeadLetter) == [] and core.watermark() == offset


def test_an_outage_does_not_shatter_what_waits_into_small_requests() -> None:
    core = Harness(buffer=BufferOptions(max_records=20_000))
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(20_000)))
    core.run(lambda send: DOWN, seconds=6 * 3_600.0)
    before = len(core.seen(Send))
    core.run(lambda send: Accepted())
    assert len(core.seen(Send)) - before < 500


def test_incident_27_a_share_of_people_who_can_never_be_delivered_to_starves_nobody() -> None:
    """A tenth of all people: no request of usual size succeeds, and yet the others' events flow."""
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=50))
    offset = 0
    until = core.now + 7_200.0
    while core.now < until and offset < 10_000:
        if core.core.snapshot(core.now).buffered_records < 2_000:
            core.receive(
                *(
                    event(n, "bad" if n % 10 == 0 else "good", who=f"p{n}")
                    for n in range(offset, offset + 500)
                )
            )
            offset += 500
        core.run(fail_those_with("bad"), seconds=5.0)
    assert core.endings()[Outcome.ACCEPTED] > 5_000


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_incident_4_poison_is_told_also_where_others_fail_now_and_then(share: float) -> None:
    random = Random(3)
    core = Harness(batch=ONE_BY_ONE, random=random.random, delivery=DeliveryOptions(backoff_seconds_max=5))
    core.receive(event(0, "poison", who="poison"))
    core.advance()

    def judge(send: Send) -> Answer:
        return DOWN if "poison" in names(send) or random.random() < share else Accepted()

    for offset in range(1, 12_001, 20):
        core.receive(*(event(offset + n, who=f"p{offset + n}") for n in range(20)))
        core.run(judge, seconds=0.5)
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.record.offset() == 0 and letter.reason is Reason.POISON
