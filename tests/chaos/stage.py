"""What a scenario plays on: brokers that last from scenario to scenario."""

import shutil
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.configuration import CLUSTER
from tests.parts.provision.kafka import KafkaCluster

CONNECTOR = "connector"
"""The user that the connector is where brokers ask who it is."""


class Stage:
    """Starts brokers when they are first asked for; stops them at the end."""

    def __init__(self, plain: KafkaCluster | None = None) -> None:
        """`plain`: three brokers that run already."""
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.names = count(1)
        self._plain = plain
        self._guarded: KafkaCluster | None = None
        self._started = ExitStack()

    def cluster(self, guarded: bool) -> KafkaCluster:
        """Three brokers; or `guarded`: one that asks for credentials and allows only what it is told to."""
        if guarded:
            if self._guarded is None:
                users = {CONNECTOR: "connector-password"}
                self._guarded = self._started.enter_context(KafkaCluster(users=users, properties=CLUSTER))
            return self._guarded
        if self._plain is None:
            self._plain = self._started.enter_context(KafkaCluster(nodes=3, properties=CLUSTER))
        return self._plain

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.close()
        shutil.rmtree(self.folder, ignore_errors=True)
