"""The command line, without the settings of whoever runs the tests."""

import os

import pytest

from tests.cli.mock_kafka import MockKafka


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CIO_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def mock_kafka() -> MockKafka:
    """One mock cluster for all tests; each makes topics of its own."""
    return MockKafka()
