from connector.core.answers import Misconfigured, Unauthorised, Unavailable
from connector.core.backoff import Backoff
from connector.core.circuit import Circuit
from connector.core.effects import RegionState
from connector.core.options import DeliveryOptions

DOWN = Unavailable("5xx", 503)
THROTTLED = Unavailable("429", 429)


def _circuit(jitter: float = 1.0, **options: float) -> Circuit:
    delivery = DeliveryOptions(**options)  # type: ignore[arg-type]
    backoff = Backoff(delivery.backoff_seconds_min, delivery.backoff_seconds_max, lambda: jitter)
    return Circuit(delivery, backoff)


def _open(circuit: Circuit) -> None:
    for _ in range(5):
        circuit.failed(DOWN, 7, 1, False, 0.0, 10.0)
    assert circuit.state is RegionState.OPEN


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    circuit = _circuit(breaker_failures=3)
    for _ in range(2):
        circuit.failed(DOWN, 7, 1, False, 0.0, 10.0)
    assert circuit.state is RegionState.HEALTHY
    circuit.failed(DOWN, 7, 1, False, 0.0, 10.0)
    assert circuit.state is RegionState.OPEN


def test_a_success_begins_the_row_anew() -> None:
    circuit = _circuit(breaker_failures=2)
    for _ in range(5):
        circuit.failed(DOWN, 7, 1, False, 0.0, 10.0)
        circuit.succeeded(1, True, 20.0)
    assert circuit.state is RegionState.HEALTHY


def test_the_same_operations_failing_again_and_again_open_nothing() -> None:
    circuit = _circuit(breaker_failures=3)
    for attempt in range(1, 50):
        circuit.failed(DOWN, 7, attempt, False, 0.0, 10.0)
    assert circuit.state is RegionState.HEALTHY


def test_without_a_connection_the_same_operations_are_a_row_too() -> None:
    circuit = _circuit(breaker_failures=3)
    for attempt in (1, 2, 3):
        circuit.failed(Unavailable("connect"), 7, attempt, True, 0.0, 10.0)
    assert circuit.state is RegionState.OPEN


def test_two_flights_that_fail_by_turns_are_a_row() -> None:
    circuit = _circuit(breaker_failures=5)
    for attempt in (1, 2, 3):
        circuit.failed(DOWN, 1, attempt, False, 0.0, 10.0)
        circuit.failed(DOWN, 2, attempt, False, 0.0, 10.0)
    assert circuit.state is RegionState.OPEN


def test_retries_that_are_suspect_open_nothing_however_many() -> None:
    circuit = _circuit(breaker_failures=3)
    for attempt in range(2, 50):
        for flight in (1, 2, 3):
            circuit.failed(DOWN, flight, attempt, True, 0.0, 10.0)
    assert circuit.state is RegionState.HEALTHY


def test_an_open_one_probes_after_its_time_and_says_why() -> None:
    circuit = _circuit(probe_seconds=7)
    _open(circuit)
    assert circuit.probed and circuit.probe_at == 17.0
    assert "503" in circuit.detail


def test_an_answered_probe_closes_it_and_concurrency_grows_from_one() -> None:
    circuit = _circuit(concurrency=10)
    _open(circuit)
    circuit.succeeded(1, True, 20.0)
    assert circuit.state is RegionState.HEALTHY and circuit.concurrency == 1.0
    for _ in range(100):
        circuit.succeeded(1, True, 20.0)
    assert circuit.concurrency == 10.0


def test_after_it_closed_it_takes_a_whole_row_again_to_open_it() -> None:
    circuit = _circuit()
    _open(circuit)
    circuit.succeeded(1, True, 20.0)
    for _ in range(4):
        circuit.failed(DOWN, 7, 1, False, 20.0, 21.0)
    assert circuit.state is RegionState.HEALTHY


def test_throttling_halves_concurrency_once_for_what_was_under_way_together() -> None:
    circuit = _circuit(concurrency=8)
    for _ in range(8):
        circuit.failed(THROTTLED, 7, 1, False, 9.0, 10.0)
    assert circuit.concurrency == 4.0
    circuit.failed(THROTTLED, 7, 1, False, 11.0, 12.0)
    assert circuit.concurrency == 2.0
    assert circuit.state is RegionState.THROTTLED


def test_throttling_never_goes_below_one_request() -> None:
    circuit = _circuit(concurrency=3)
    for time in range(10, 30):
        circuit.failed(THROTTLED, 7, 1, False, float(time), time + 0.5)
    assert circuit.concurrency == 1.0


def test_throttling_opens_no_breaker() -> None:
    circuit = _circuit(breaker_failures=2)
    for time in range(10, 30):
        circuit.failed(THROTTLED, 7, 1, False, float(time), time + 0.5)
    assert circuit.state is RegionState.THROTTLED


def test_concurrency_that_has_grown_back_is_healthy() -> None:
    circuit = _circuit(concurrency=4)
    circuit.failed(THROTTLED, 7, 1, False, 9.0, 10.0)
    for _ in range(50):
        circuit.succeeded(1, True, 20.0)
    assert circuit.state is RegionState.HEALTHY


def test_retry_after_holds_the_whole_region_and_is_cut_at_its_bound() -> None:
    circuit = _circuit(retry_after_seconds_max=300)
    assert circuit.failed(Unavailable("429", 429, 20.0), 7, 1, False, 9.0, 10.0) == 30.0
    assert circuit.hold_until == 30.0
    circuit.failed(Unavailable("5xx", 503, 86_400.0), 7, 1, False, 31.0, 32.0)
    assert circuit.hold_until == 332.0


def test_a_shorter_retry_after_does_not_shorten_a_longer_one() -> None:
    circuit = _circuit()
    circuit.failed(Unavailable("429", 429, 60.0), 7, 1, False, 9.0, 10.0)
    circuit.failed(Unavailable("429", 429, 1.0), 7, 1, False, 9.0, 11.0)
    assert circuit.hold_until == 70.0


def test_throttling_without_retry_after_waits_longer_each_time() -> None:
    circuit = _circuit(backoff_seconds_min=1.0)
    holds = []
    now = 10.0
    for _ in range(4):
        circuit.failed(THROTTLED, 7, 1, False, now, now)
        holds.append(circuit.hold_until - now)
        now = circuit.hold_until + 0.1
    assert [round(hold, 6) for hold in holds] == [1.0, 2.0, 4.0, 8.0]


def test_refused_credentials_and_a_wrong_url_are_probed() -> None:
    circuit = _circuit(probe_seconds=5)
    circuit.turned_away(Unauthorised(401), 1, 10.0)
    assert circuit.state is RegionState.UNAUTHORISED and circuit.probed and circuit.probe_at == 15.0
    circuit.turned_away(Misconfigured(301, "https://a answered 301 and points to https://b"), 1, 20.0)
    assert circuit.state is RegionState.MISCONFIGURED and circuit.probe_at == 25.0
    assert "https://b" in circuit.detail
    circuit.succeeded(1, True, 20.0)
    assert circuit.state is RegionState.HEALTHY


def test_an_outage_does_not_hide_refused_credentials() -> None:
    circuit = _circuit()
    circuit.turned_away(Unauthorised(401), 1, 10.0)
    for _ in range(9):
        circuit.failed(DOWN, 7, 1, False, 14.0, 15.0)
    assert circuit.state is RegionState.UNAUTHORISED
    assert circuit.probe_at == 20.0
