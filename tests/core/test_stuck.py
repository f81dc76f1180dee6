"""One person's requests fail while the region is well, or has nobody else: whoever runs it can see which, since when,
where and why."""

from connector.core.answers import Accepted, Unauthorised, Unavailable
from connector.core.effects import Noted
from connector.core.options import BatchOptions, DeliveryOptions
from tests.core.harness import DOWN, THROTTLED, TIMEOUT, Harness, event, fail_those_with, names

ONE_BY_ONE = BatchOptions(linger_ms=0, max_events=1)


def _lines(core: Harness) -> list[str]:
    return [noted.message for noted in core.seen(Noted) if noted.level == "warning"]


def test_a_person_who_fails_alone_is_told_with_place_time_and_cause() -> None:
    core = Harness(partitions=(0, 1))
    core.receive(event(7, "stuck", partition=1, who="ann"), event(8, partition=1, who="ann"))
    began = core.now
    core.run(lambda send: DOWN, seconds=600.0)
    (retried,) = core.region().retried
    assert core.region().state == "healthy"
    assert (retried.partition.partition, retried.offset, retried.operations) == (1, 7, 1)
    assert retried.failing_since < began + 1 and retried.attempts > 5 and retried.why == "503"


def test_only_the_partition_whose_records_fail_is_said_to_be_retrying() -> None:
    core = Harness(partitions=(0, 1), batch=ONE_BY_ONE)
    stuck, slow = core.take(event(0, who="ann"), event(0, partition=1, who="bob"))
    core.answer(stuck, DOWN)
    assert core.partition(0).waiting == "retrying" and core.partition(1).waiting == "delivering"
    (again,) = [effect for effect in core.wait(60.0) if effect in core.in_flight()]
    assert core.partition(0).waiting == "retrying", "also while the next attempt is under way"
    core.accept(again, slow)
    assert core.region().retried == ()


def test_the_log_tells_of_it_now_and_then() -> None:
    core = Harness()
    core.receive(event(0, "stuck", who="ann"))
    core.run(lambda send: TIMEOUT, seconds=50.0)
    assert _lines(core) == []
    core.run(lambda send: TIMEOUT, seconds=100.0)
    (line,) = _lines(core)
    assert line.startswith("us: events[0] offset 0 (1 operations) has failed for ") and "timeout" in line
    core.run(lambda send: TIMEOUT, seconds=3_600.0)
    assert 10 <= len(_lines(core)) <= 13


def test_the_log_says_how_many_others_fail() -> None:
    core = Harness(batch=ONE_BY_ONE, delivery=DeliveryOptions(poison_attempts=1_000))
    core.receive(*(event(offset, f"bad{offset}", who=f"p{offset}") for offset in range(3)))
    bad = fail_those_with("bad0", "bad1", "bad2")
    for offset in range(3, 100):
        core.receive(event(offset, who="well"))
        core.run(bad, seconds=1.0)
    (line,) = _lines(core)
    assert "and 2 requests more" in line
    assert [retried.offset for retried in core.region().retried] == [0, 1, 2]


def test_an_outage_is_told_once_and_not_for_each_request() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(20)))
    core.run(lambda send: DOWN, seconds=3_600.0)
    assert core.region().state == "open" and _lines(core) == []
    assert len(core.region().retried) <= 10


def test_it_is_over_once_anything_of_it_is_settled() -> None:
    core = Harness()
    core.receive(event(0, "first", who="ann"))
    core.run(lambda send: DOWN, seconds=100.0)
    assert core.region().retried
    core.run(lambda send: Accepted())
    assert core.region().retried == () and core.partition().waiting == "nothing_to_read"


def test_a_request_that_was_cancelled_or_met_a_closed_connection_has_not_failed() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    core.answer(send, Unavailable("reset", reused_connection_broke=True))
    assert core.region().retried == () and core.partition().waiting == "delivering"


def test_what_was_answered_last_is_the_cause_also_where_credentials_are_refused() -> None:
    core = Harness(batch=ONE_BY_ONE)
    stuck, _ = core.take(event(0, who="ann"), event(1, who="bob"))
    core.answer(stuck, TIMEOUT)
    core.run(lambda send: Unauthorised(403) if "0/0" in names(send) else Accepted(), seconds=100.0)
    assert core.region().state == "unauthorised", "nobody else is there by whom to tell"
    for offset in range(2, 100):
        core.receive(event(offset, who="eve"))
        core.run(lambda send: Unauthorised(403) if "0/0" in names(send) else Accepted(), seconds=1.0)
    (retried,) = core.region().retried
    assert core.region().state == "healthy" and retried.why.startswith("403")


def test_throttling_is_nobody_s_own_trouble() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(30)))
    core.run(lambda send: THROTTLED, seconds=3_600.0)
    assert core.region().state == "throttled"
    assert core.region().retried == () and _lines(core) == []


def test_what_failed_in_an_outage_is_not_told_after_it() -> None:
    core = Harness(batch=ONE_BY_ONE)
    core.receive(*(event(offset, who=f"p{offset}") for offset in range(100)))
    core.run(lambda send: DOWN, seconds=3_600.0)
    recovered = core.now
    while core.region().state != "healthy":
        core.run(lambda send: Accepted(), seconds=0.5)
    assert core.region().retried == ()
    bad = fail_those_with("0/99")
    core.run(bad, seconds=100.0)
    assert all(retried.failing_since >= recovered for retried in core.region().retried)
