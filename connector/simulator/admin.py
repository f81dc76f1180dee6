"""The stand-in's own endpoints under `/simulator/`: look at what it accepted, inject faults, start afresh.

    GET    /simulator/state                               counts of every region, violations, faults
    GET    /simulator/violations                          what broke the API's rules
    GET    /simulator/operations?region=us&after=0&limit=1000
                                                          accepted operations in order, from place `after` on
    GET    /simulator/people?region=us&identifier=id:42   one person: known, suppressed, profile, operations
    GET    /simulator/faults                              faults in force
    POST   /simulator/faults                              inject one fault, or an array of them
    DELETE /simulator/faults                              end all faults
    POST   /simulator/reset                               forget everything, end all faults

No credentials are asked for: it listens on loopback unless told otherwise.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from connector.simulator.faults import decode_faults
from connector.simulator.track_api import Reply
from connector.simulator.workspace import Acceptance, Workspace

if TYPE_CHECKING:
    from connector.simulator.server import Simulator

_LIMIT = 1_000


def answer(
    simulator: "Simulator", method: str, path: str, query: Mapping[str, str], body: bytes, now: float
) -> Reply:
    """Answer one request; `now` in monotonic seconds."""
    match method, path.removeprefix("/simulator/"):
        case "GET", "state":
            return _json(state(simulator, now))
        case "GET", "violations":
            violations = simulator.violations
            return _json({"total": violations.total, "violations": violations.kept})
        case "GET", "operations":
            return _operations(simulator, query)
        case "GET", "people":
            return _person(simulator, query)
        case "GET", "faults":
            return _json(simulator.faults.in_force(now))
        case "POST", "faults":
            return _inject(simulator, body)
        case "DELETE", "faults":
            simulator.clear_faults()
            return Reply(200)
        case "POST", "reset":
            simulator.reset()
            return Reply(200)
        case _:
            return _json({"error": "no such endpoint; see /simulator/state"}, 404)


def state(simulator: "Simulator", now: float) -> dict[str, Any]:
    """Everything countable."""
    return {
        "regions": {
            region: {
                **msgspec.structs.asdict(workspace.counts),
                "people": len(workspace.people),
                "suppressed": len(workspace.suppressed),
            }
            for region, workspace in simulator.workspaces.items()
        },
        "violations": simulator.violations.total,
        "faults": simulator.faults.in_force(now),
    }


def _inject(simulator: "Simulator", body: bytes) -> Reply:
    try:
        faults = decode_faults(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        return _json({"error": str(error)}, 400)
    for fault in faults:
        simulator.inject(fault)
    return Reply(200)


def _operations(simulator: "Simulator", query: Mapping[str, str]) -> Reply:
    workspace = _workspace(simulator, query)
    if workspace is None:
        return _unknown_region(simulator)
    try:
        after, limit = int(query.get("after", "0")), int(query.get("limit", str(_LIMIT)))
    except ValueError:
        return _json({"error": "after and limit must be integers"}, 400)
    if after < 0 or limit < 0:
        return _json({"error": "after and limit cannot be negative"}, 400)
    found = workspace.operations[after : after + limit]
    return _json({"operations": [_shown(acceptance) for acceptance in found], "after": after + len(found)})


def _person(simulator: "Simulator", query: Mapping[str, str]) -> Reply:
    workspace = _workspace(simulator, query)
    if workspace is None:
        return _unknown_region(simulator)
    identifier = query.get("identifier", "")
    concerned = [
        _shown(acceptance)
        for acceptance in workspace.operations
        if identifier in (acceptance.identifier, acceptance.identifier_secondary)
    ]
    return _json(
        {
            "known": identifier in workspace.people,
            "suppressed": identifier in workspace.suppressed,
            "profile": workspace.profiles.get(identifier),
            "operations": concerned,
        }
    )


def _workspace(simulator: "Simulator", query: Mapping[str, str]) -> Workspace | None:
    return simulator.workspaces.get(query.get("region", next(iter(simulator.workspaces))))


def _unknown_region(simulator: "Simulator") -> Reply:
    return _json({"error": f"region must be one of {', '.join(simulator.workspaces)}"}, 400)


def _shown(acceptance: Acceptance) -> dict[str, Any]:
    return acceptance._asdict()


def _json(document: Any, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(document))
