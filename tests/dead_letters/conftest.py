from collections.abc import Iterator
from itertools import count

import pytest

from connector.kafka.configuration import ConsumerOptions
from tests.dead_letters.mock_kafka import create_topic, mock_cluster

_names = count(1)


@pytest.fixture(scope="package")
def servers() -> Iterator[str]:
    """The mock cluster's address."""
    with mock_cluster() as address:
        yield address


@pytest.fixture
def topic(servers: str) -> str:
    """A source topic of its own."""
    return create_topic(servers, f"events-{next(_names)}")


@pytest.fixture
def dlq(servers: str, topic: str) -> str:
    """Its dead-letter topic."""
    return create_topic(servers, f"{topic}.dead-letters")


@pytest.fixture
def consumer_options(servers: str) -> ConsumerOptions:
    return ConsumerOptions(bootstrap_servers=servers, topics=(), group_id="connector")
