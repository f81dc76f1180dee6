"""The effective settings as plain data, fit to be shown and logged."""

from typing import Any

import msgspec

from connector.settings.model import Settings
from connector.settings.properties import Properties, redacted_url
from connector.settings.secret import HIDDEN, Secret


def redacted(settings: Settings) -> dict[str, Any]:
    """All settings, nested, with secrets replaced by `***`. A Site ID is no secret and helps to tell
    workspaces apart; of a proxy's URL only user and password are hidden."""
    data = msgspec.to_builtins(settings, enc_hook=_shown)
    assert isinstance(data, dict)
    data["kafka"]["properties"] = settings.kafka.properties.redacted()
    data["dead_letters"]["properties"] = settings.dead_letters.properties.redacted()
    if settings.http.proxy is not None:
        data["http"]["proxy"] = redacted_url(settings.http.proxy.reveal())
    return data


def _shown(value: Any) -> Any:
    if isinstance(value, Secret):
        return HIDDEN
    assert isinstance(value, Properties), f"no way to show {type(value)}"
    return value.redacted()
