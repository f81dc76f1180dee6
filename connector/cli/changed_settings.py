"""The settings that are not the defaults, for a line that a person reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connector.settings.model import RegionSettings, Settings
from connector.settings.redact import redacted


def changed_settings(settings: Settings) -> dict[str, str]:
    """`kafka.topics` -> `events,clicks`, without secrets: what differs from the default."""
    default = Settings(regions={name: RegionSettings() for name in settings.regions})
    before = dict(_flat(redacted(default)))
    return {name: _text(value) for name, value in _flat(redacted(settings)) if before.get(name) != value}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return json.dumps(value, separators=(",", ":"))
