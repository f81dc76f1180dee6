"""Apache Kafka in KRaft mode: one node or several, plain or with SASL/PLAIN and ACLs."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from tests.parts.provision.cache import cached, run
from tests.parts.provision.errors import require
from tests.parts.provision.ports import free_ports
from tests.parts.provision.process import Process

VERSION = "4.3.1"
ADMINISTRATOR = "admin"
_START_SECONDS = 90

_LOGGING = """rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
"""

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parts</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
    <!-- Kafka speaks SLF4J 1. -->
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.1</version></dependency>
  </dependencies>
</project>
"""


def jars() -> Path:
    """The folder of Kafka's jars, fetched with Maven when it is not in the cache yet."""

    def build(folder: Path) -> None:
        require("Apache Kafka", "java", "mvn")
        (folder / "pom.xml").write_text(_POM)
        copy = ["dependency:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"]
        run(["mvn", "-q", "-B", *copy], folder)

    require("Apache Kafka", "java")
    return cached("kafka", VERSION, build, seconds_cold=20) / "lib"


class KafkaCluster(AbstractContextManager["KafkaCluster"]):
    """Brokers on loopback whose data vanish when it is stopped. Topics are never created by themselves.

    `users` (name to password) makes it accept SASL/PLAIN alone and deny what no ACL allows; the user `admin`,
    who may do everything, is added. `properties` are further lines of every broker's configuration. `port` is that
    of the first node; None: any.
    """

    def __init__(
        self,
        nodes: int = 1,
        users: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self._users = {**users, ADMINISTRATOR: "administrator-password"} if users is not None else {}
        self._jars = jars()
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        self._logging = self._folder / "log4j2.properties"
        self._logging.write_text(_LOGGING)
        self._names = count(1)
        self._admin: AdminClient | None = None
        ports = free_ports(2 * nodes)
        ports[0] = port or ports[0]
        self._client_ports, controller_ports = ports[:nodes], ports[nodes:]
        self.nodes: list[Process] = []
        """Its brokers, to be killed, paused, resumed and started again one by one; see `heal`."""
        voters = ",".join(f"{i}@127.0.0.1:{port}" for i, port in enumerate(controller_ports, 1))
        common = {"controller.quorum.voters": voters} | dict(properties or {})
        try:
            cluster_id = self._run("kafka.tools.StorageTool", "random-uuid").split()[-1]
            for i, (client_port, controller_port) in enumerate(
                zip(self._client_ports, controller_ports, strict=True), 1
            ):
                file = self._folder / f"node-{i}.properties"
                file.write_text(_lines(self._configuration(i, nodes, client_port, controller_port) | common))
                self._run("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(file))
                command = self._java(768 if nodes == 1 else 512, "kafka.Kafka", str(file))
                self.nodes.append(Process(f"Kafka node {i}", command, self._folder / f"node-{i}.log"))
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self._client_ports)

    def client_properties(self, user: str = ADMINISTRATOR) -> dict[str, Any]:
        """What a librdkafka client needs to reach it, as `user` where there are users."""
        reach: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers}
        if not self._users:
            return reach
        return reach | {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": self._users[user],
        }

    def start(self) -> None:
        """Starts every node and waits until all of them are known to each other."""
        for node in self.nodes:
            node.start()
        self.wait_until_complete()

    def heal(self) -> None:
        """Resumes and starts what a test has paused, killed or stopped; waits until all is as at first."""
        for node in self.nodes:
            if node.paused:
                node.resume()
        self.start()

    def wait_until_complete(self) -> None:
        """Waits until every node is in the cluster and every partition has a leader and all replicas."""
        for node, port in zip(self.nodes, self._client_ports, strict=True):
            node.wait_until(partial(self._is_complete, port), _START_SECONDS)

    def stop(self) -> None:
        """Ends every node and removes its data."""
        self._admin = None
        for node in self.nodes:
            # Nobody reads the data again, and a node that misses the others' votes is slow to shut down.
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "KafkaCluster":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def admin(self) -> AdminClient:
        """An admin client; with users, the administrator's."""
        if self._admin is None:
            self._admin = AdminClient(self.client_properties() | {"log_level": "0"})
        return self._admin

    def create_topic(
        self, name: str | None = None, partitions: int = 4, replicas: int | None = None, **config: str
    ) -> str:
        """Creates a topic (its name made up unless given) and returns its name once it can be used.

        Replicas: at most three unless given. `config` with underscores for dots: `max_message_bytes="100"`.
        """
        topic = name or f"customer-events-{next(self._names)}"
        new = NewTopic(
            topic,
            num_partitions=partitions,
            replication_factor=replicas or min(3, len(self.nodes)),
            config={key.replace("_", "."): value for key, value in config.items()},
        )
        self.admin().create_topics([new])[topic].result(30)
        running = next(node for node in self.nodes if node.running)
        running.wait_until(lambda: self._has_leaders(topic, partitions), 30)
        return topic

    def allow(self, user: str, kind: str, name: str, operations: Iterable[str]) -> None:
        """Adds ACLs. `kind`: "topic", "group" or "broker" (named "kafka-cluster"); operations: "read", ..."""
        bindings = [
            AclBinding(
                ResourceType[kind.upper()],
                name,
                ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                AclOperation[operation.upper()],
                AclPermissionType.ALLOW,
            )
            for operation in operations
        ]
        for added in self.admin().create_acls(bindings).values():
            added.result(30)

    def forbid(self, user: str, kind: str, name: str) -> None:
        """Takes away all that `allow` has added for this."""
        allowed = AclBindingFilter(
            ResourceType[kind.upper()],
            name,
            ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            AclOperation.ANY,
            AclPermissionType.ALLOW,
        )
        for removed in self.admin().delete_acls([allowed]).values():
            removed.result(30)

    def _java(self, heap_megabytes: int, *arguments: str) -> list[str]:
        options = [
            f"-Xmx{heap_megabytes}m",
            "-XX:+UseSerialGC",
            f"-Dlog4j2.configurationFile={self._logging}",
        ]
        return ["java", *options, "-cp", f"{self._jars}/*", *arguments]

    def _run(self, *arguments: str) -> str:
        return run(self._java(128, *arguments), self._folder)

    def _configuration(self, node: int, nodes: int, client_port: int, controller_port: int) -> dict[str, str]:
        replicas, listener = str(min(3, nodes)), "SASL_PLAINTEXT" if self._users else "PLAINTEXT"
        common = {
            "process.roles": "broker,controller",
            "node.id": str(node),
            "listeners": f"{listener}://127.0.0.1:{client_port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"{listener}://127.0.0.1:{client_port}",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{listener}:{listener}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": listener,
            "log.dirs": str(self._folder / f"node-{node}"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # Tests that take a node away need its absence noticed within seconds.
            "broker.session.timeout.ms": "6000",
            "group.min.session.timeout.ms": "1000",
            "group.consumer.min.session.timeout.ms": "1000",
            "group.consumer.min.heartbeat.interval.ms": "500",
        }
        return common | (self._security() if self._users else {})

    def _security(self) -> dict[str, str]:
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        administrator = f'username="{ADMINISTRATOR}" password="{self._users[ADMINISTRATOR]}"'
        users = " ".join(f'user_{name}="{password}"' for name, password in self._users.items())
        return {
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": f"{module} {administrator} {users};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # ANONYMOUS is who speaks on the controllers' listener, which no client is told of.
            "super.users": f"User:{ADMINISTRATOR};User:ANONYMOUS",
        }

    def _is_complete(self, port: int) -> bool:
        """As the node at `port` itself sees it: the others name one that was killed for some seconds more."""
        fresh = self.client_properties() | {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": "0"}
        try:
            metadata = AdminClient(fresh).list_topics(timeout=2)
        except KafkaException:
            return False
        return len(metadata.brokers) == len(self.nodes) and all(
            partition.leader >= 0 and len(partition.isrs) == len(partition.replicas)
            for topic in metadata.topics.values()
            for partition in topic.partitions.values()
        )

    def _has_leaders(self, topic: str, partitions: int) -> bool:
        try:
            found = self.admin().list_topics(topic, timeout=2).topics[topic].partitions
        except KafkaException:
            return False
        return len(found) == partitions and all(partition.leader >= 0 for partition in found.values())


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in properties.items())
