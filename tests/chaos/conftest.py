"""The brokers that the short form plays on."""

from collections.abc import Iterator

import pytest

from tests.chaos.stage import Stage
from tests.parts.conftest import provided


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Skipped, or failed where CI=true, when Kafka cannot be had."""
    provided("kafka_jars")
    with Stage() as started:
        yield started
