"""When faults strike: pure, in virtual time."""

import msgspec
import pytest

from connector.simulator import Fault, FaultKind
from connector.simulator.faults import UNSPOILED, Faults, decode_faults

BATCH = "/api/v2/batch"


def statuses(
    faults: Faults, requests: int, *, region: str = "us", path: str = BATCH, now: float = 0.0
) -> list[int]:
    planned = [faults.plan(region, path, now).fault for _ in range(requests)]
    return [fault.status or 0 if fault else 200 for fault in planned]


def status(code: int = 503, **conditions: object) -> Fault:
    return msgspec.convert({"kind": "status", "status": code, **conditions}, Fault)


def faults_of(*wanted: Fault, seed: int = 0) -> Faults:
    faults = Faults(seed)
    for fault in wanted:
        faults.inject(fault, 0.0)
    return faults


def test_without_faults_nothing_is_spoiled() -> None:
    assert Faults().plan("us", BATCH, 0.0) is UNSPOILED


def test_a_fault_strikes_the_next_requests_only() -> None:
    faults = faults_of(status(requests=2))
    assert statuses(faults, 4) == [503, 503, 200, 200]
    assert faults.in_force(0.0) == []


def test_a_fault_strikes_for_a_time_only() -> None:
    faults = faults_of(status(seconds=5))
    assert statuses(faults, 1, now=4.9) == [503]
    assert statuses(faults, 1, now=5.0) == [200]


def test_a_fault_strikes_its_region_and_path_only() -> None:
    faults = faults_of(status(region="eu", path="/api/v2/"))
    assert statuses(faults, 1, region="us") == [200]
    assert statuses(faults, 1, region="eu", path="/api/v1/events") == [200]
    assert statuses(faults, 1, region="eu") == [503]


def test_a_fault_strikes_what_contains_a_text_only() -> None:
    faults = faults_of(status(contains="pill", requests=1))
    bodies = [b"", b'{"name":"water"}', b'{"name":"pill"}', b'{"name":"pill"}']
    struck = [faults.plan("us", BATCH, 0.0, body).fault is not None for body in bodies]
    assert struck == [False, False, True, False]


def test_chance_is_decided_by_the_seed() -> None:
    drawn = [statuses(faults_of(status(probability=0.5), seed=seed), 50) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert set(drawn[0]) == {200, 503}


def test_another_fault_does_not_change_what_the_first_does() -> None:
    alone = statuses(faults_of(status(probability=0.5)), 50)
    together = statuses(faults_of(status(probability=0.5), status(500, probability=0.5)), 50)
    assert [code == 503 for code in alone] == [code == 503 for code in together]


def test_the_first_fault_that_strikes_decides() -> None:
    faults = faults_of(status(429, requests=1), status(500))
    assert statuses(faults, 3) == [429, 500, 500]


def test_latency_adds_to_other_faults() -> None:
    latency = Fault(kind=FaultKind.LATENCY, delay_seconds=1.0, jitter_seconds=0.5)
    plan = faults_of(latency, status(500)).plan("us", BATCH, 0.0)
    assert 1.0 <= plan.delay_seconds <= 1.5
    assert plan.fault is not None
    assert plan.fault.status == 500


def test_a_share_of_items_is_rejected() -> None:
    plan = faults_of(Fault(kind=FaultKind.REJECT_ITEMS, share=0.3)).plan("us", BATCH, 0.0)
    assert plan.fault is None
    assert plan.rejects is not None
    assert {plan.rejects() for _ in range(100)} == {True, False}


def test_clearing_ends_all_faults() -> None:
    faults = faults_of(status())
    faults.clear()
    assert statuses(faults, 1) == [200]


def test_faults_are_read_from_json() -> None:
    assert decode_faults(b'{"kind": "reset", "applied": true}') == [Fault(kind=FaultKind.RESET, applied=True)]
    assert decode_faults(b'[{"kind": "hang"}, {"kind": "garbage"}]') == [
        Fault(kind=FaultKind.HANG),
        Fault(kind=FaultKind.GARBAGE),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{"kind": "explode"}',
        b'{"kind": "status"}',
        b'{"kind": "latency"}',
        b'{"kind": "redirect"}',
        b'{"kind": "reset", "probability": 2}',
        b'{"kind": "reset", "requests": 0}',
        b'{"kind": "reset", "when": "now"}',
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_faults(text)
