"""A configuration that is complete, for tests to change."""

from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.settings.load import EVERYTHING, load_settings
from connector.settings.model import Settings

COMPLETE = {
    "CIO_KAFKA__BOOTSTRAP_SERVERS": "localhost:9092",
    "CIO_KAFKA__TOPICS": "customer-events",
    "CIO_REGIONS__US__SITE_ID": "us-site",
    "CIO_REGIONS__US__API_KEY": "us-key",
    "CIO_REGIONS__EU__SITE_ID": "eu-site",
    "CIO_REGIONS__EU__API_KEY": "eu-key",
}


def loaded(yaml: str | None = None, **environ: str) -> Settings:
    """The complete configuration, with this file below the environment and these variables over it."""
    return load_settings(_written(yaml), {**COMPLETE, **environ})


def problems(
    yaml: str | None = None, *, needs=EVERYTHING, base: dict[str, str] = COMPLETE, **environ: str
) -> list[str]:
    """The lines of the error that the same ends in."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(_written(yaml), {**base, **environ}, needs=needs)
    assert caught.value.exit_code == 2
    lines = str(caught.value).split("\n  ")
    if len(lines) > 1:
        heading, *lines = lines
        assert heading == f"{len(lines)} problems in the configuration"
    assert all("\n" not in line for line in lines)
    return lines


def _written(yaml: str | None) -> Path | None:
    if yaml is None:
        return None
    file = Path("connector.yaml")
    file.write_text(yaml, encoding="utf-8")
    return file
