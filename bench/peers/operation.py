"""What a plain consumer makes of an event: Customer.io's v2 operation, by the standard library alone.

Both vocabularies of `bench.events`. No `id`: Customer.io wants a ULID there, and these events carry UUIDs. Nothing is
checked.
"""

import json
from datetime import datetime
from typing import Any


def operation_of(value: bytes) -> dict[str, Any]:
    """The operation of one record's value."""
    event = json.loads(value)
    if event["type"] == "track":
        return {
            "type": "person",
            "action": "event",
            "identifiers": {"id": event["userId"]},
            "name": event["event"],
            "timestamp": int(datetime.fromisoformat(event["timestamp"]).timestamp()),
            "attributes": event["properties"],
        }
    return {
        "type": "person",
        "action": event["action"],
        "identifiers": event["identifiers"],
        "name": event["name"],
        "timestamp": event["timestamp"],
        "attributes": event["attributes"],
    }
