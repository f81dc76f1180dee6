from connector.core.buffer import RECORD_OVERHEAD_BYTES
from connector.core.inputs import Credit
from connector.kafka.flow import DRY_SECONDS, HOLD, WAIT, Flow, Step

PLENTY = Credit(1_000_000, 1_000_000_000)
NONE = Credit(0, 1_000_000)


def flow(records_max: int = 2000) -> Flow:
    return Flow(records_max)


def test_no_more_records_than_credit_or_a_turn_allows() -> None:
    assert flow().next(Credit(7, 1_000_000), 0, hold=False, reading=True) == Step(False, 7)
    assert flow(100).next(PLENTY, 0, hold=False, reading=True) == Step(False, 100)


def test_bytes_become_records_by_the_size_of_recent_ones() -> None:
    it = flow()
    it.took(10, 10 * 700)
    assert it.next(Credit(1000, 10_000), 0, hold=False, reading=True).records == 10_000 // (
        700 + RECORD_OVERHEAD_BYTES
    )


def test_one_large_record_makes_the_next_turns_cautious() -> None:
    it = flow()
    it.took(1, 1_000_000)
    for _ in range(5):
        it.took(1000, 1000 * 100)
    assert it.next(Credit(1000, 1_000_000), 0, hold=False, reading=True).records < 3


def test_any_credit_takes_one_record() -> None:
    assert flow().next(Credit(1, 1), 0, hold=False, reading=True) == Step(False, 1)


def test_without_credit_it_waits_a_while_and_then_pauses_until_there_is_some() -> None:
    it = flow()
    assert it.next(NONE, 10.0, hold=False, reading=True) == WAIT
    assert it.next(NONE, 10.0 + 0.9 * DRY_SECONDS, hold=False, reading=True) == WAIT
    assert it.next(NONE, 10.0 + DRY_SECONDS, hold=False, reading=True) == HOLD
    assert it.next(NONE, 10.0 + 9 * DRY_SECONDS, hold=False, reading=True) == HOLD
    assert it.next(Credit(5, 50_000), 20.0, hold=False, reading=True) == Step(False, 5)
    assert it.next(NONE, 20.0, hold=False, reading=True) == WAIT


def test_credit_in_between_starts_the_wait_anew() -> None:
    it = flow()
    it.next(NONE, 0.0, hold=False, reading=True)
    it.next(PLENTY, 0.5, hold=False, reading=True)
    assert it.next(NONE, DRY_SECONDS, hold=False, reading=True) == WAIT


def test_hold_is_at_once_and_ends_at_once() -> None:
    it = flow()
    assert it.next(PLENTY, 0, hold=True, reading=True) == HOLD
    assert it.next(PLENTY, 0, hold=False, reading=True).records > 0


def test_without_partitions_it_polls_on_though_there_is_no_credit() -> None:
    assert flow().next(NONE, 0, hold=False, reading=False) == HOLD
