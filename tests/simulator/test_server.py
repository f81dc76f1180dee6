"""The stand-in on real sockets: every fault as a client sees it, the admin endpoints, ports."""

import asyncio
import logging
import socket
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.simulator import Fault, FaultKind, Simulator, SimulatorOptions, WorkspaceOptions, run_in_thread
from connector.simulator.options import DEFAULT_WORKSPACES
from tests.simulator.conftest import EU, US
from tests.simulator.operations import event, person, ulid


def send(client: httpx.Client, *operations: Any, **options: Any) -> httpx.Response:
    return client.post("/api/v2/batch", json={"batch": list(operations or (event(),))}, **options)


def accepted(simulator: Simulator, region: str = "us") -> list[str]:
    return [acceptance.id for acceptance in simulator.workspaces[region].operations]


def test_a_batch_is_accepted(simulator: Simulator, client: httpx.Client) -> None:
    answer = send(client, event(ulid(1)), event(ulid(2)))
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert accepted(simulator) == [ulid(1), ulid(2)]
    assert simulator.workspaces["us"].counts.requests == 1


def test_percent_encoded_people_are_read(simulator: Simulator, client: httpx.Client) -> None:
    assert client.put("/api/v1/customers/a%2Fb%40c%20%C3%A9%3F", json={}).status_code == 200
    assert client.delete("/api/v1/customers/x%2fy/devices/t%2F1").status_code == 200
    identifiers = [acceptance.identifier for acceptance in simulator.workspaces["us"].operations]
    assert identifiers == ["email:a/b@c é?", "id:x/y"]


def test_regions_are_told_apart(simulator: Simulator) -> None:
    us, eu = simulator.url("us"), simulator.url("eu")
    redirect = httpx.put(f"{us}/api/v1/customers/1", json={}, auth=EU)
    assert (redirect.status_code, redirect.headers["Location"]) == (308, f"{eu}/api/v1/customers/1")
    assert httpx.put(f"{eu}/api/v1/customers/1", json={}, auth=US).status_code == 401
    region = httpx.get(f"{us}/api/v1/accounts/region", auth=EU).json()
    assert region == {"url": eu, "region": "eu", "environment_id": 2}
    named = httpx.get(f"{us.replace('127.0.0.1', 'localhost')}/api/v1/accounts/region", auth=EU).json()
    assert named["url"] == eu.replace("127.0.0.1", "localhost"), "the client's own name for us"


@pytest.mark.parametrize("size", [500_000, 1_999_999, 5_000_000])
def test_a_body_that_is_too_large_is_answered_with_400(
    simulator: Simulator, client: httpx.Client, size: int
) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/v2/batch", content=b"x" * size, headers=headers).status_code == 400
    assert simulator.violations.kept[0].reason == "too_large"
    assert send(client).status_code == 200


def test_statuses_are_injected(simulator: Simulator, client: httpx.Client) -> None:
    for status in (401, 413, 429, 500, 503):
        simulator.inject(Fault(kind=FaultKind.STATUS, status=status, requests=1))
        assert send(client).status_code == status
    assert accepted(simulator) == []
    assert simulator.workspaces["us"].counts.requests_faulted == 5
    assert send(client).status_code == 200


def test_retry_after_is_seconds_or_a_date(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.STATUS, status=429, requests=1, retry_after_seconds=7))
    assert send(client).headers["Retry-After"] == "7"
    date = Fault(
        kind=FaultKind.STATUS, status=429, requests=1, retry_after_seconds=3600, retry_after_date=True
    )
    simulator.inject(date)
    ahead = parsedate_to_datetime(send(client).headers["Retry-After"]).timestamp() - time.time()
    assert 3000 < ahead <= 3600
    simulator.inject(Fault(kind=FaultKind.STATUS, status=429, requests=1))
    assert "Retry-After" not in send(client).headers


def test_a_redirect_is_injected(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(
        Fault(kind=FaultKind.REDIRECT, location="https://elsewhere.example", status=301, requests=1)
    )
    answer = send(client)
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://elsewhere.example")


def test_a_reset_loses_the_request_or_only_the_answer(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.RESET, requests=1))
    with pytest.raises(httpx.ReadError):
        send(client)
    assert accepted(simulator) == []
    simulator.inject(Fault(kind=FaultKind.RESET, requests=1, applied=True))
    with pytest.raises(httpx.ReadError):
        send(client)
    assert accepted(simulator) == [event()["id"]]
    assert send(client).status_code == 200
    assert simulator.workspaces["us"].counts.operations_duplicate == 1


def test_a_reset_reaches_the_client_as_a_reset(simulator: Simulator) -> None:
    simulator.inject(Fault(kind=FaultKind.RESET, requests=1))
    with socket.create_connection(("127.0.0.1", simulator.port("us"))) as connection:
        connection.sendall(b"GET /api/v1/accounts/region HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_hanging_request_is_never_answered(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.HANG, requests=1))
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert accepted(simulator) == []
    simulator.inject(Fault(kind=FaultKind.HANG, requests=1, applied=True))
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert len(accepted(simulator)) == 1


def test_a_late_answer_says_that_nothing_was_done_unless_it_was(
    simulator: Simulator, client: httpx.Client
) -> None:
    simulator.inject(Fault(kind=FaultKind.HANG, requests=1, delay_seconds=0.05))
    assert send(client).status_code == 504
    assert accepted(simulator) == []
    simulator.inject(Fault(kind=FaultKind.HANG, requests=1, delay_seconds=0.05, applied=True))
    assert send(client).status_code == 200
    assert len(accepted(simulator)) == 1


def test_an_answer_breaks_off_in_its_body(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.TRUNCATE, requests=1, applied=True))
    with pytest.raises(httpx.RemoteProtocolError):
        send(client)
    assert len(accepted(simulator)) == 1


def test_a_success_may_be_garbage(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.GARBAGE, requests=1))
    answer = send(client)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()
    assert accepted(simulator) == []


def test_items_are_rejected_by_chance(simulator: Simulator, client: httpx.Client) -> None:
    simulator.inject(Fault(kind=FaultKind.REJECT_ITEMS, share=0.5, requests=1))
    answer = send(client, *(event(ulid(number)) for number in range(100)))
    assert answer.status_code == 207
    rejected = {error["batch_index"] for error in answer.json()["errors"]}
    assert accepted(simulator) == [ulid(number) for number in range(100) if number not in rejected]
    assert 0 < len(rejected) < 100


def test_latency_delays_the_answer_of_what_is_applied_at_once(
    simulator: Simulator, client: httpx.Client
) -> None:
    simulator.inject(Fault(kind=FaultKind.LATENCY, delay_seconds=60, requests=1))
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert len(accepted(simulator)) == 1


def test_the_state_is_read_over_http(simulator: Simulator, client: httpx.Client) -> None:
    send(client, event(ulid(1)), person("event"), person("identify", attributes={"plan": "pro"}))
    state = httpx.get(f"{simulator.url('eu')}/simulator/state").json()
    assert state["regions"]["us"]["operations_accepted"] == 2
    assert state["regions"]["us"]["people"] == 1
    assert state["violations"] == 1
    violations = client.get("/simulator/violations").json()
    assert (violations["total"], violations["violations"][0]["field"]) == (1, "name")
    found = client.get("/simulator/operations", params={"region": "us", "after": 1}).json()
    assert [operation["action"] for operation in found["operations"]] == ["person.identify"]
    assert found["after"] == 2
    known = client.get("/simulator/people", params={"region": "us", "identifier": "id:42"}).json()
    assert known["known"] is True
    assert known["profile"]["attributes"] == {"plan": "pro"}
    assert len(known["operations"]) == 2


def test_faults_are_injected_over_http(simulator: Simulator, client: httpx.Client) -> None:
    assert client.post("/simulator/faults", json=[{"kind": "status", "status": 500}]).status_code == 200
    assert send(client).status_code == 500
    assert [fault["kind"] for fault in client.get("/simulator/faults").json()] == ["status"]
    assert client.delete("/simulator/faults").status_code == 200
    assert send(client).status_code == 200
    refused = client.post("/simulator/faults", json={"kind": "status"})
    assert (refused.status_code, "needs `status`" in refused.json()["error"]) == (400, True)


def test_a_reset_of_everything_starts_afresh(simulator: Simulator, client: httpx.Client) -> None:
    send(client, event(ulid(1)), person("event"))
    simulator.inject(Fault(kind=FaultKind.STATUS, status=500))
    assert client.post("/simulator/reset").status_code == 200
    assert send(client, event(ulid(1))).status_code == 200
    assert simulator.violations.total == 0
    assert accepted(simulator) == [ulid(1)]
    assert simulator.workspaces["us"].operations[0].sequence == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/simulator/nothing", 404),
        ("/simulator/operations?region=moon", 400),
        ("/simulator/operations?after=x", 400),
        ("/simulator/operations?after=-1", 400),
        ("/simulator/people?region=moon", 400),
    ],
)
def test_wrong_questions_are_answered_with_what_is_wrong(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_it_is_used_within_an_event_loop_too() -> None:
    async def use() -> list[str]:
        async with Simulator() as simulator, httpx.AsyncClient(auth=US) as client:
            await client.post(f"{simulator.url('us')}/api/v2/batch", json={"batch": [event()]})
            return accepted(simulator)

    assert asyncio.run(use()) == [event()["id"]]


def test_a_request_that_hangs_does_not_hold_up_the_end() -> None:
    with run_in_thread(SimulatorOptions(faults=(Fault(kind=FaultKind.HANG),))) as simulator:
        failures: list[Exception] = []

        def ask() -> None:
            try:
                httpx.get(simulator.url("us") + "/api/v1/accounts/region", timeout=60)
            except httpx.HTTPError as error:
                failures.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        deadline = time.monotonic() + 20
        while not simulator.workspaces["us"].counts.requests_faulted:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    asking.join(20)
    assert len(failures) == 1


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = SimulatorOptions(workspaces={"us": WorkspaceOptions(site_id="s", api_key="k", port=port)})
        with (
            pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} for region us: the port is in use"),
            run_in_thread(options),
        ):
            pass


def test_an_unknown_host_is_an_error_that_names_it() -> None:
    options = SimulatorOptions(host="203.0.113.1")
    with pytest.raises(ConfigurationError, match=r"cannot listen on 203\.0\.113\.1"), run_in_thread(options):
        pass


def test_people_are_never_logged(
    simulator: Simulator, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert client.put("/api/v1/customers/planted-person", json={"plan": 1}).status_code == 200
    from_server = [record for record in caplog.records if record.name.startswith(("aiohttp", "connector"))]
    assert not [record for record in from_server if "planted-person" in record.getMessage()]


def test_keys_are_never_shown() -> None:
    assert "us-key" not in repr(SimulatorOptions(workspaces=DEFAULT_WORKSPACES))
