"""The real parts as fixtures. Tests whose part is missing are skipped and say so (with CI=true they fail)."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connector.kafka.configuration import ConsumerOptions
from connector.kafka.consumer import ConsumerThread
from tests.kafka.listening import Listening
from tests.parts.provision import helm as helm_part
from tests.parts.provision import jaeger as jaeger_part
from tests.parts.provision import kafka as kafka_part
from tests.parts.provision import kubernetes_schemas, prometheus
from tests.parts.provision.errors import MissingPartError
from tests.parts.provision.jaeger import Jaeger
from tests.parts.provision.kafka import KafkaCluster

StartKafka = Callable[..., KafkaCluster]
"""Takes what `KafkaCluster` takes and returns it started; it is stopped after the module's last test."""

MakeTopic = Callable[..., str]
"""Takes what `KafkaCluster.create_topic` takes; returns the new topic's name."""

StartMember = Callable[..., tuple[ConsumerThread, Listening]]
"""Takes cluster, topic, group id, protocol and further `ConsumerOptions`; the member is ended after the test."""

CONNECTOR_PASSWORD = "connector-password"

_groups = count(1)

BUILDS: dict[str, Callable[[], Path | str]] = {
    "kafka_jars": kafka_part.jars,
    "jaeger_executable": jaeger_part.executable,
    "helm": helm_part.executable,
    "kubeconform": helm_part.kubeconform,
    "kubernetes_schema_location": kubernetes_schemas.location,
    "promtool": prometheus.promtool,
}
"""What each of the fixtures that the others are made from has to have in the cache."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds what the selected tests need before the first one's time starts to run."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted(wanted & BUILDS.keys()):
        try:
            BUILDS[name]()
        except MissingPartError:
            continue  # the fixture says so where the test is reported


def provided(name: str) -> Path | str:
    """What the build gives; the test is skipped, or fails where CI=true, when it needs what is not here."""
    try:
        return BUILDS[name]()
    except MissingPartError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def kafka_jars() -> Path | str:
    """Apache Kafka can be started."""
    return provided("kafka_jars")


@pytest.fixture(scope="session")
def kafka(kafka_jars: Path | str) -> Iterator[KafkaCluster]:
    """One broker for all tests; each makes topics and groups of its own."""
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture
def make_topic(kafka: KafkaCluster) -> MakeTopic:
    """Makes topics on `kafka`, each with a name of its own."""
    return kafka.create_topic


@pytest.fixture(scope="module")
def start_kafka(kafka_jars: Path | str) -> Iterator[StartKafka]:
    """Starts brokers with other properties than `kafka`'s."""
    with ExitStack() as started:
        yield lambda **choices: started.enter_context(KafkaCluster(**choices))


@pytest.fixture(scope="module")
def three_kafka_nodes(start_kafka: StartKafka) -> KafkaCluster:
    return start_kafka(nodes=3)


@pytest.fixture
def kafka_cluster(three_kafka_nodes: KafkaCluster) -> Iterator[KafkaCluster]:
    """Three brokers, whose `nodes` a test may kill, pause and start; all are well again for the next test."""
    yield three_kafka_nodes
    three_kafka_nodes.heal()


@pytest.fixture(scope="session")
def kafka_sasl(kafka_jars: Path | str) -> Iterator[KafkaCluster]:
    """One broker that asks for SASL/PLAIN and allows the user `connector` nothing until `allow` says so."""
    with KafkaCluster(users={"connector": CONNECTOR_PASSWORD}) as cluster:
        yield cluster


@pytest.fixture
def group_id() -> str:
    """A consumer group of the test's own."""
    return f"group-{next(_groups)}"


@pytest.fixture
def member() -> Iterator[StartMember]:
    """Starts poll threads that tell a `Listening`."""
    with ExitStack() as ended:

        def member(
            cluster: KafkaCluster, topic: str, group_id: str, protocol: str = "consumer", **options: Any
        ) -> tuple[ConsumerThread, Listening]:
            listener = Listening()
            chosen: dict[str, Any] = {
                "bootstrap_servers": cluster.bootstrap_servers,
                "topics": (topic,),
                "group_protocol": protocol,
            }
            thread = ConsumerThread(ConsumerOptions(group_id=group_id, **(chosen | options)), listener)
            ended.callback(lambda: thread.join(10))
            ended.callback(thread.abort)
            thread.start()
            return thread, listener

        yield member


@pytest.fixture(scope="session")
def jaeger_executable() -> Path | str:
    """Jaeger can be started."""
    return provided("jaeger_executable")


@pytest.fixture(scope="session")
def jaeger(jaeger_executable: Path | str) -> Iterator[Jaeger]:
    """One Jaeger for all tests; each sends under a service name of its own."""
    with Jaeger() as running:
        yield running


@pytest.fixture(scope="session")
def helm() -> Path | str:
    """The path of Helm's program."""
    return provided("helm")


@pytest.fixture(scope="session")
def kubeconform() -> Path | str:
    """The path of kubeconform's program."""
    return provided("kubeconform")


@pytest.fixture(scope="session")
def kubernetes_schema_location() -> Path | str:
    """Where kubeconform finds strict schemas."""
    return provided("kubernetes_schema_location")


@pytest.fixture(scope="session")
def promtool() -> Path | str:
    """The path of Prometheus' program that checks and tries rules."""
    return provided("promtool")
