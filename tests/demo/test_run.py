"""What happens when a part of the demo fails or spoils something: the demo must not hold then."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from connector.core.options import EventWindowOptions
from connector.demo import embedded_kafka, run
from connector.demo.connector_process import ConnectorProcess
from connector.demo.publishing import Pace
from connector.demo.run import DemoError, DemoOptions, Progress, run_demo
from connector.errors import UnavailableError
from connector.simulator import Fault, FaultKind

SMALL = DemoOptions(events=300)


def quiet(progress: Progress) -> None:
    return


def configured(monkeypatch: pytest.MonkeyPatch, **sections: object) -> None:
    """The connector is given these sections, too."""
    usual = run.connector_configuration
    monkeypatch.setattr(run, "connector_configuration", lambda *parts: usual(*parts) | sections)


def test_connector_that_ends_by_itself_is_reported_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured(monkeypatch, batches={})
    with pytest.raises(DemoError, match=r"exit code 2(.|\n)*batches: unknown setting"):
        run_demo(SMALL, quiet)


def test_connector_that_does_not_stop_cleanly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectorProcess, "ask_to_stop", lambda process: process._running.kill())
    found = run_demo(DemoOptions(events=50), quiet).account
    assert any("did not stop cleanly: exit code -9" in complaint for complaint in found.complaints)


def test_kafka_that_does_not_start_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(properties: object) -> object:
        raise KafkaException(KafkaError(KafkaError._FAIL, "no port is free"))

    monkeypatch.setattr(embedded_kafka, "Producer", refuse)
    with pytest.raises(UnavailableError, match="mock cluster does not start: no port is free"):
        run_demo(SMALL, quiet)


def test_connector_without_dedup_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EventWindowOptions(max_entries=0).max_entries == 0
    configured(monkeypatch, dedup={"events": {"max_entries": 0}})
    found = run_demo(DemoOptions(events=2_000, rate=1_000), quiet).account
    assert found.lost == 0
    assert found.repeated > 0
    assert any("more than once" in complaint for complaint in found.complaints)


def test_events_that_customerio_rejects_for_no_reason_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ALL_ALONG", (Fault(kind=FaultKind.REJECT_ITEMS, share=0.1),))
    monkeypatch.setattr(run, "OUTAGE", Fault(kind=FaultKind.LATENCY, delay_seconds=0.0))
    found = run_demo(DemoOptions(events=300, faults=True), quiet).account
    assert any("nothing is wrong with it" in complaint for complaint in found.complaints)
    assert found.balanced


def test_delivery_that_stalls_is_given_up_and_everything_missing_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "ALL_ALONG", (Fault(kind=FaultKind.STATUS, status=503, region="eu"),))
    monkeypatch.setattr(run, "OUTAGE", Fault(kind=FaultKind.LATENCY, delay_seconds=0.0))
    monkeypatch.setattr(run, "STALL_SECONDS", 3.0)
    configured(monkeypatch, drain_deadline_seconds=1.0)
    found = run_demo(DemoOptions(events=300, faults=True), quiet).account
    assert found.lost > 0
    assert found.uncommitted > 0
    assert set(found.accepted_by_region) == {"us"}
    assert any(complaint.startswith("nothing moved for 3 s") for complaint in found.complaints)


def test_connector_that_stalls_while_there_is_no_room_to_publish_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "Pace", lambda rate: Pace(rate, unread_bytes_max=40_000))
    monkeypatch.setattr(run, "ALL_ALONG", (Fault(kind=FaultKind.STATUS, status=503),))
    monkeypatch.setattr(run, "STALL_SECONDS", 2.0)
    configured(monkeypatch, drain_deadline_seconds=1.0)
    found = run_demo(DemoOptions(events=5_000, faults=True), quiet).account
    assert 0 < found.published < 5_000
    assert found.lost > 0


def test_everything_holds_while_customerio_fails_now_and_then() -> None:
    result = run_demo(DemoOptions(events=3_000, seed=5, faults=True), quiet)
    assert result.account.complaints == ()
    assert result.requests_spoiled > 0
