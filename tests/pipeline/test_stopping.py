"""One deadline for the whole stop, whatever Kafka does meanwhile. What the process does in full against a broker that
stands still is in `tests/parts/end_to_end/test_stopping_deadline.py`."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import ClassVar
from unittest.mock import Mock

import pytest

from connector.core.effects import Commit, CommitOffset, TopicPartition
from connector.core.inputs import Assignment
from connector.errors import ExitCode
from connector.events.record import StoredRecord
from connector.kafka.state import ConsumerState
from connector.pipeline import service as service_module
from connector.pipeline.background import in_background
from connector.pipeline.deadline import GRACE_SECONDS, Deadline
from connector.pipeline.service import Service
from connector.pipeline.takeover_run import _unless_stopped
from connector.settings.groups import consumer_groups
from connector.settings.model import RegionSettings, ServerSettings, Settings
from connector.settings.secret import Secret


class StalledConsumer:
    """A poll thread whose client does not come back from Kafka."""

    made: ClassVar[list["StalledConsumer"]] = []

    def __init__(self, options: object, listener: object) -> None:
        self.alive = False
        self.heartbeat_at = time.monotonic()
        self.state = ConsumerState.JOINED
        self.detail = ""
        self.waits: list[float] = []
        self._never = threading.Event()
        self.made.append(self)

    def start(self) -> None:
        self.alive = True

    def commit(self, commit: Commit) -> None: ...
    def stop_taking(self) -> None: ...
    def abort(self) -> None: ...
    def wake(self) -> None: ...

    def close(self, offsets: Sequence[CommitOffset], deadline_seconds: float) -> bool:
        return self.join(deadline_seconds)

    def join(self, timeout_seconds: float) -> bool:
        self.waits.append(timeout_seconds)
        return self._never.wait(timeout_seconds)


def stop_of(
    settings: Settings, prepare: Callable[[Service], None] = lambda _: None
) -> tuple[ExitCode, float]:
    """Its exit code, and how long it took."""

    async def run() -> tuple[ExitCode, float]:
        telemetry = Mock()
        telemetry.for_group.return_value.traces_for.return_value = None
        service = Service(settings, consumer_groups(settings), telemetry)
        running = asyncio.create_task(service.run())
        while not StalledConsumer.made or not StalledConsumer.made[-1].alive:
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)
        prepare(service)
        began = time.monotonic()
        service.stop()
        return await running, time.monotonic() - began

    return asyncio.run(run())


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service whose Kafka stands still."""
    monkeypatch.setattr(StalledConsumer, "made", [])
    monkeypatch.setattr(service_module, "ConsumerThread", StalledConsumer)
    monkeypatch.setattr(service_module, "DeadLetterProducer", Mock())
    monkeypatch.setattr("connector.pipeline.dead_letter_topic.missing_topic", Mock(return_value=None))

    async def nothing_to_take_over(*_: object) -> None: ...

    monkeypatch.setattr(service_module, "take_over", nothing_to_take_over)
    return Settings(
        regions={"us": RegionSettings(site_id="site", api_key=Secret("key"), url="http://127.0.0.1:9")},
        server=ServerSettings(enabled=False),
        drain_deadline_seconds=1.0,
    )


def test_a_consumer_that_does_not_end_gets_what_is_left_of_the_deadline(settings: Settings) -> None:
    code, took = stop_of(settings)
    (consumer,) = StalledConsumer.made
    assert code is ExitCode.DONE
    assert sum(consumer.waits) <= settings.drain_deadline_seconds
    assert took < settings.drain_deadline_seconds + GRACE_SECONDS


def test_a_drain_that_takes_all_of_its_time_leaves_some_for_closing(settings: Settings) -> None:
    def hold(service: Service) -> None:
        """A record whose dead letter is never acknowledged."""
        (group,) = service._groups
        place = TopicPartition("events", 0)
        group.assign([Assignment(place, 0, "", 1, 0, 1, "topic", "cluster")])
        group.receive([StoredRecord(*place, 0, b"no JSON", None, None, 0)])
        assert group.snapshot().dead_letters_pending == 1

    code, took = stop_of(settings, hold)
    (consumer,) = StalledConsumer.made
    assert code is ExitCode.DONE
    assert 0 < consumer.waits[0] <= 0.2 * settings.drain_deadline_seconds
    assert took < settings.drain_deadline_seconds + GRACE_SECONDS


def test_a_second_signal_says_that_it_stopped_at_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def signal_soon(service: Service) -> None:
        asyncio.get_running_loop().call_later(0.1, service.stop)

    code, _ = stop_of(settings, signal_soon)
    assert code is ExitCode.SECOND_SIGNAL
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "stopped at once by a second signal; what was in flight is sent again"
    ]


def test_the_deadline_runs_from_the_first_signal_on() -> None:
    deadline = Deadline(10.0)
    assert deadline.left_to_deliver <= 8.0 < deadline.left <= 10.0
    assert 21.9 < Deadline(25.0).left_to_deliver <= 22.0
    assert Deadline(0.0).left == Deadline(0.0).left_to_deliver == 0.0


def test_an_attempt_to_take_over_that_does_not_come_back_is_left_when_all_shall_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connector.pipeline.takeover_run._STOP_SECONDS", 0.05)
    never = threading.Event()

    async def run() -> bool:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, stop.set)
        return await _unless_stopped(in_background(lambda: (never.wait(60), None)[1]), stop)

    assert asyncio.run(run()) is False
    never.set()


def test_an_attempt_to_take_over_raises_what_it_met() -> None:
    def refuse() -> None:
        raise ValueError("not now")

    async def run() -> bool:
        return await _unless_stopped(in_background(refuse), asyncio.Event())

    with pytest.raises(ValueError, match="not now"):
        asyncio.run(run())
