"""Which v1 call a method and a path are."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from connector.simulator import v1
from connector.simulator.operation import Operation


class Endpoint(NamedTuple):
    """A v1 call: how its body becomes an operation."""

    name: str
    action: str
    read: Callable[[dict[str, Any]], Operation]
    has_body: bool = True


def find_endpoint(method: str, path: str) -> Endpoint | int:
    """The endpoint of a method and path, or 404 or 405."""
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    if segments[:2] == ["api", "v2"]:
        return 405 if segments[2:] in (["batch"], ["entity"]) else 404
    if segments[:2] != ["api", "v1"]:
        return 404
    methods = _methods(segments[2:])
    if not methods:
        return 404
    return methods.get(method, 405)


def _methods(segments: list[str]) -> dict[str, Endpoint]:
    """HTTP method -> call, for a path below `/api/v1`."""
    match segments:
        case ["events"]:
            return {"POST": Endpoint("POST /api/v1/events", "anonymous.event", v1.read_anonymous_event)}
        case ["merge_customers"]:
            return {"POST": Endpoint("POST /api/v1/merge_customers", "person.merge", v1.read_merge_customers)}
        case ["push", "events"]:
            return {"POST": Endpoint("POST /api/v1/push/events", "delivery.event", v1.read_push_event)}
        case ["customers", person]:
            path = "/api/v1/customers/{id}"
            return {
                "PUT": Endpoint(
                    f"PUT {path}", "person.identify", lambda body: v1.read_identify(person, body)
                ),
                "DELETE": Endpoint(f"DELETE {path}", "person.delete", _alone("person.delete", person), False),
            }
        case ["customers", person, "events"]:
            name = "POST /api/v1/customers/{id}/events"
            return {"POST": Endpoint(name, "person.event", lambda body: v1.read_event(person, body))}
        case ["customers", person, "devices"]:
            name = "PUT /api/v1/customers/{id}/devices"
            return {"PUT": Endpoint(name, "person.add_device", lambda body: v1.read_device(person, body))}
        case ["customers", person, "devices", token]:
            name = "DELETE /api/v1/customers/{id}/devices/{token}"
            read = _alone("person.delete_device", person, token)
            return {"DELETE": Endpoint(name, "person.delete_device", read, False)}
        case ["customers", person, ("suppress" | "unsuppress") as verb]:
            name = f"POST /api/v1/customers/{{id}}/{verb}"
            return {"POST": Endpoint(name, f"person.{verb}", _alone(f"person.{verb}", person), False)}
        case _:
            return {}


def _alone(action: str, person: str, device_token: str = "") -> Callable[[dict[str, Any]], Operation]:
    return lambda _: Operation(action, v1.person_in_path(person), device_token=device_token)
