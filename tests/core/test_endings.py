"""Every record has exactly one ending, and its offset moves past it only then."""

import pytest

from connector.core.effects import Drained, Dropped, Ended, Outcome, Send, WriteDeadLetter
from connector.core.options import (
    BatchOptions,
    DedupOptions,
    DeliveryOptions,
    IdentifyCacheOptions,
    RoutingOptions,
)
from connector.events.event import Reason
from tests.core.harness import (
    DOWN,
    Harness,
    at,
    event,
    fail_those_with,
    identify,
    names,
    refuse_those_with,
    tombstone,
    unsendable,
    window,
)


def test_accepted_ends_a_record() -> None:
    core = Harness()
    (send,) = core.take(event(0))
    assert core.watermark() == 0 and core.committed() == 0
    core.accept(send)
    assert core.watermark() == 1 and core.committed() == 1
    assert core.endings() == {Outcome.ACCEPTED: 1}


def test_a_tombstone_is_filtered_and_deletes_nobody() -> None:
    core = Harness()
    assert core.take(tombstone(0)) == []
    assert core.endings() == {Outcome.FILTERED: 1} and core.watermark() == 1


def test_another_group_s_record_is_filtered() -> None:
    core = Harness(regions=("us", "eu"), serves=("us",))
    assert core.take(event(0, region="eu")) == []
    assert core.endings("eu") == {Outcome.FILTERED: 1} and core.watermark() == 1


def test_incident_11_a_dead_letter_is_an_ending_only_once_kafka_has_it() -> None:
    core = Harness()
    core.take(unsendable(0))
    core.core.dead_letter_written(core.letters[0].letter_id, "broker down", core.now)
    assert core.watermark() == 0 and core.committed() == 0
    core.written()
    assert core.watermark() == 1 and core.committed() == 1
    assert core.core.snapshot(core.now).dead_letters == {Reason.UNDECODABLE: 1}


def test_an_acknowledgement_that_comes_twice_ends_a_record_once() -> None:
    core = Harness()
    core.take(unsendable(0), event(1))
    (letter,) = core.letters
    for _ in range(2):
        core.core.dead_letter_written(letter.letter_id, None, core.now)
    assert core.endings() == {Outcome.DEAD_LETTERED: 1}


def test_dead_letters_that_wait_count_towards_the_buffer() -> None:
    core = Harness()
    core.take(unsendable(0))
    assert core.core.snapshot(core.now).buffered_records == 1
    core.written()
    assert core.is_empty()


@pytest.mark.parametrize("reason", [Reason.UNDECODABLE, Reason.EMPTY, Reason.INVALID, Reason.TOO_LARGE])
def test_what_decoding_refuses_becomes_a_dead_letter_of_that_reason(reason: Reason) -> None:
    core = Harness()
    record = unsendable(0, reason)
    core.take(record)
    assert [(one.record, one.reason, one.attempts) for one in core.letters] == [(record, reason, 0)]


def test_a_region_that_is_not_configured_is_unroutable_and_never_the_default() -> None:
    core = Harness(regions=("us", "eu"))
    assert core.take(event(0, region="apac")) == []
    (letter,) = core.letters
    assert letter.reason is Reason.UNROUTABLE and "apac" not in letter.message


def test_what_customerio_names_is_rejected_with_its_message() -> None:
    core = Harness()
    core.reject(*core.take(event(0, "good"), event(1, "bad")), "bad")
    core.advance()
    (letter,) = core.letters
    assert (letter.reason, letter.message, letter.attempts) == (Reason.REJECTED, "invalid", 1)
    assert letter.record.offset() == 1
    core.written()
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DEAD_LETTERED: 1}


def test_what_fails_alone_while_others_succeed_is_poison() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    core.receive(event(0, "poison", who="poison"))
    for offset in range(1, 500):
        core.receive(event(offset, who=f"p{offset}"))
        core.run(fail_those_with("poison"), seconds=1.0)
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.reason is Reason.POISON and letter.attempts >= DeliveryOptions().poison_attempts
    assert core.watermark() == 500


def test_a_conflict_becomes_a_dead_letter_by_setting() -> None:
    core = Harness(dedup=window(on_conflict="dead_letter"))
    core.take(event(0, "one", id="1"), event(1, "two", id="1"))
    assert [letter.reason for letter in core.letters] == [Reason.CONFLICT]


# ---- records of two operations ----


def test_two_operations_end_when_both_are_accepted() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    (first,) = core.take(event(0, "event", second="device"))
    assert names(first) == ["event"]
    core.accept(first)
    (second,) = core.sends()
    assert names(second) == ["device"] and core.watermark() == 0
    core.accept(second)
    assert core.watermark() == 1
    assert core.endings() == {Outcome.ACCEPTED: 1} and core.is_empty()


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (["event"], "person.event: invalid"),
        (["device"], "person.add_device: invalid"),
        (["event", "device"], "person.event: invalid; person.add_device: invalid"),
    ],
)
def test_one_of_two_operations_refused_dead_letters_the_record_and_names_which(
    refused: list[str], message: str
) -> None:
    core = Harness()
    core.reject(*core.take(event(0, "event", second="device"), event(1)), *refused)
    core.advance()
    (letter,) = core.letters
    assert letter.message == message and letter.record.offset() == 0
    core.written()
    assert core.watermark() == 2
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DEAD_LETTERED: 1} and core.is_empty()


def test_one_of_two_operations_refused_in_a_request_of_its_own_dead_letters_the_record() -> None:
    core = Harness()
    core.receive(event(0, "before"), event(1, "event", second="device"), event(2, "after"))
    core.run(refuse_those_with("event"))
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.record.offset() == 1 and letter.message.startswith("person.event: 400")
    assert core.watermark() == 3 and core.is_empty()


def test_the_first_of_two_operations_refused_waits_for_the_second() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    core.reject(*core.take(event(0, "event", second="device")), "event")
    (second,) = core.sends()
    assert core.letters == []
    core.accept(second)
    core.advance()
    assert len(core.letters) == 1
    core.written()
    assert core.watermark() == 1 and core.is_empty()


def test_a_duplicate_of_a_record_with_two_operations_waits_for_both() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    (first,) = core.take(
        event(0, "event", id="1", second="device"), event(1, "event", id="1", second="device")
    )
    core.accept(first)
    (second,) = core.sends()
    assert core.watermark() == 0
    core.accept(second)
    assert core.watermark() == 2
    assert core.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_two_operations_split_across_requests_survive_the_loss_of_their_partition_between_them() -> None:
    core = Harness(partitions=(0, 1), batch=BatchOptions(linger_ms=0, max_events=1))
    record = {"id": "1", "second": "device"}
    (first,) = core.take(event(0, "event", **record), event(0, "event", partition=1, **record))
    core.accept(first)
    (second,) = core.sends()
    core.core.lose([at(0)], core.now)
    (again,) = core.sends()
    assert names(again) == names(second) == ["device"]
    core.accept(again)
    assert core.watermark(1) == 1 and core.is_empty()


def test_two_operations_revoked_between_their_requests_are_dropped_after_the_first() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    (first,) = core.take(event(0, "event", second="device"))
    core.core.revoke([at(0)], core.now, 5.0)
    core.advance()
    core.accept(first)
    assert core.sends() == [] and core.is_empty()
    core.assign(0)
    core.receive(event(0, "event", second="device"))
    core.settle()
    assert core.delivered() == ["event", "event", "device"]


# ---- traces ----


def test_every_trace_ends_once_with_its_record_s_ending() -> None:
    core = Harness(dedup=DedupOptions(identifies=IdentifyCacheOptions(max_entries=10)))
    records = [
        event(0, "good", id="1", who="a"),
        event(1, "good", id="1", who="a"),
        event(2, "bad", who="b"),
        unsendable(3),
        tombstone(4),
        identify(5, "A", who="c"),
        identify(6, "A", who="c"),
        event(7, "two", second="device", who="d"),
    ]
    core.receive(*records, traces={place: f"trace {place}" for place in range(len(records))})
    core.reject(*core.sends(), "bad")
    core.advance()
    core.written()
    core.receive(event(8, "good", id="1", who="a"), traces={0: "trace 8"})
    core.advance()
    outcomes = core.outcomes()
    assert sorted(outcomes) == [
        ("trace 0", Outcome.ACCEPTED),
        ("trace 1", Outcome.DUPLICATE),
        ("trace 2", Outcome.DEAD_LETTERED),
        ("trace 3", Outcome.DEAD_LETTERED),
        ("trace 4", Outcome.FILTERED),
        ("trace 5", Outcome.ACCEPTED),
        ("trace 6", Outcome.UNCHANGED),
        ("trace 7", Outcome.ACCEPTED),
        ("trace 8", Outcome.DUPLICATE),
    ]
    reasons = {ended.trace: ended.reason for ended in core.seen(Ended) if ended.reason is not None}
    assert reasons == {"trace 2": Reason.REJECTED, "trace 3": Reason.UNDECODABLE}


def test_the_traces_of_dropped_records_are_given_back() -> None:
    core = Harness(partitions=(0, 1), delivery=DeliveryOptions(concurrency=1))
    core.take(event(0, "blocker", who="bob", partition=1))
    core.receive(
        event(0, "one", id="1"),
        event(1, "two", id="2"),
        event(2, "two", id="2"),
        traces={0: "a", 1: "b", 2: "c"},
    )
    core.core.lose([at(0)], core.now)
    core.advance()
    assert sorted(str(dropped.trace) for dropped in core.seen(Dropped)) == ["a", "b", "c"]
    assert core.outcomes() == []


def test_the_heir_s_trace_ends_and_the_lost_original_s_is_dropped() -> None:
    core = Harness(partitions=(0, 1))
    core.receive(event(0, "one", id="1"), event(0, "one", id="1", partition=1), traces={0: "lost", 1: "heir"})
    core.core.lose([at(0)], core.now)
    core.settle()
    assert [dropped.trace for dropped in core.seen(Dropped)] == ["lost"]
    assert core.outcomes() == [("heir", Outcome.ACCEPTED)]


def test_a_request_carries_the_traces_of_its_records() -> None:
    core = Harness()
    core.receive(event(0), event(1), event(2), traces={0: "a", 2: "c"})
    (send,) = core.sends()
    assert send.traces == ("a", "c")


def test_the_attempts_of_a_dead_letter_are_counted() -> None:
    core = Harness()
    (send,) = core.take(event(0, "bad"))
    core.answer(send, DOWN)
    core.wait(1.0)
    (again,) = core.in_flight()
    assert (send.attempt, again.attempt) == (1, 2)
    core.reject(again, "bad")
    core.advance()
    assert core.letters[0].attempts == 2


def test_the_attempts_of_a_dead_letter_count_the_requests_that_it_shared() -> None:
    core = Harness()
    core.receive(*(event(offset, f"e{offset}", who=f"p{offset}") for offset in range(4)))
    core.run(refuse_those_with("e2"))
    (letter,) = core.seen(WriteDeadLetter)
    assert letter.attempts == sum("e2" in names(send) for send in core.seen(Send)) == 3


def test_routing_strict_dead_letters_what_no_rule_decides() -> None:
    core = Harness(regions=("us", "eu"), routing=RoutingOptions(strict=True))
    core.receive(event(0), event(1, region="eu"))
    core.settle()
    assert core.delivered() == ["0/1"]
    assert [letter.reason for letter in core.seen(WriteDeadLetter)] == [Reason.UNROUTABLE]


def test_the_attempts_of_a_record_whose_first_operation_was_refused_are_counted() -> None:
    core = Harness()
    (send,) = core.take(event(0, "event", second="device"))
    core.answer(send, DOWN)
    core.wait(1.0)
    core.reject(*core.in_flight(), "event")
    core.advance()
    assert core.letters[0].attempts == 2


@pytest.mark.parametrize(
    "stage", ["draining", "not ours", "revoked", "warm-up", "finished by an earlier owner"]
)
def test_the_traces_of_records_that_are_not_taken_are_given_back(stage: str) -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    _, second = core.take(event(0, who="ann"), event(1, who="bob"))
    core.accept(second)
    core.wait(2.0)
    match stage:
        case "draining":
            core.core.drain(core.now, 5.0)
            core.receive(event(2), traces={0: "trace"})
        case "not ours":
            core.receive(event(2, partition=7), traces={0: "trace"})
        case "revoked":
            core.core.revoke([at(0)], core.now, 5.0)
            core.receive(event(2), traces={0: "trace"})
        case "warm-up":
            core.settle()
            core.core.lose([at(0)], core.now)
            assert core.assign(0).offset == 0
            core.receive(event(0, who="ann"), traces={0: "trace"})
        case _:
            core.core.lose([at(0)], core.now)
            core.assign(0)
            core.receive(event(0, who="ann"), event(1, who="bob"), traces={1: "trace"})
    core.advance()
    assert [dropped.trace for dropped in core.seen(Dropped)] == ["trace"] and core.outcomes() == []


def test_a_drain_that_runs_out_of_time_gives_back_the_trace_of_whatever_it_leaves() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1), delivery=DeliveryOptions(concurrency=2))
    records = [
        unsendable(0),
        event(1, "rejected", id="1", who="a"),
        event(2, "rejected", id="1", who="a"),
        event(3, "again", who="b"),
        event(4, "on the wire", id="4", who="c"),
        event(5, "on the wire", id="4", who="c"),
        event(6, "in its lane", who="c"),
    ]
    traces = {place: f"trace {place}" for place in range(len(records))}
    core.receive(*records, traces=traces)
    rejected, again = core.sends()
    core.reject(rejected, "rejected")
    core.answer(again, DOWN)
    assert names(core.send()) == ["on the wire"]
    core.core.drain(core.now, 0.1)
    core.wait(0.1)
    assert not core.seen(Drained)[0].clean and type(core.effects[-1]) is Drained
    assert sorted(str(dropped.trace) for dropped in core.seen(Dropped)) == sorted(traces.values())
    core.written()
    assert core.advance() == [] and core.outcomes() == [] and core.is_empty()


def test_a_request_names_the_trace_of_a_record_with_two_operations_once() -> None:
    core = Harness()
    core.receive(event(0, "event", second="device"), traces={0: "trace"})
    assert core.send().traces == ("trace",)
