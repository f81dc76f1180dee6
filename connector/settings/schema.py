"""The settings' JSON Schema, which editors check and complete configuration files by."""

from typing import Any

import msgspec

from connector.settings.model import Settings
from connector.settings.properties import Properties
from connector.settings.secret import Secret


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a configuration file."""
    (root,), definitions = msgspec.json.schema_components(
        [Settings], schema_hook=_schema_of, ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cio-connector configuration",
        **root,
        "$defs": definitions,
    }


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    assert kind is Properties, f"no schema for {kind}"
    return {"type": "object"}
