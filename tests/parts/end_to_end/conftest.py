"""A scene on the broker that all tests share, and scenes on brokers of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.parts.end_to_end.scene import Scene
from tests.parts.provision.kafka import KafkaCluster

MakeScene = Callable[[KafkaCluster], Scene]
"""On this cluster. The topics are still to be made."""


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[MakeScene]:
    with ExitStack() as scenes:
        yield lambda cluster: scenes.enter_context(Scene(cluster, tmp_path))


@pytest.fixture
def scene(kafka: KafkaCluster, make_scene: MakeScene) -> Scene:
    """Ready to be published to: its topics are there."""
    scene = make_scene(kafka)
    scene.create_topics()
    return scene
