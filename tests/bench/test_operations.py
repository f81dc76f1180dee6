"""What the plain consumers and the recipe's table send is what Customer.io takes."""

import json
from urllib.request import Request, urlopen

from bench.events import event_values
from bench.peers.operation import operation_of
from bench.recipe_table import CALLS
from connector.simulator import Simulator, SimulatorOptions, run_in_thread


def _post(simulator: Simulator, path: str, body: object) -> int:
    headers = {"Content-Type": "application/json", "Authorization": "Basic dXMtc2l0ZTp1cy1rZXk="}
    request = Request(simulator.url("us") + path, json.dumps(body).encode(), headers)
    with urlopen(request) as answer:
        return int(answer.status)


def test_both_vocabularies_become_valid_operations() -> None:
    batch = [operation_of(value) for _, value in event_values(50)]
    with run_in_thread(SimulatorOptions()) as simulator:
        assert _post(simulator, "/api/v2/batch", {"batch": batch}) == 200
        assert simulator.violations.total == 0


def test_calls_of_the_recipes_table_are_valid_and_never_repeat_an_event() -> None:
    with run_in_thread(SimulatorOptions()) as simulator:
        for number in range(2):
            for call in CALLS[:2]:
                assert _post(simulator, call.path, call.make(number)) == 200
        assert _post(simulator, CALLS[2].path, CALLS[2].make(2)) == 200
        counts = simulator.workspaces["us"].counts
        assert (counts.operations_accepted, counts.operations_duplicate) == (104, 0)
        assert simulator.violations.total == 0
