"""The command line, without the settings of whoever runs the tests."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CIO_"):
            monkeypatch.delenv(name)
