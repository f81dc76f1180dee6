"""The whole process: every consumer group, the health server, signals, and the way it ends."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from connector.clock import seconds
from connector.core.effects import TopicPartition
from connector.core.inputs import Snapshot
from connector.customerio.region_client import RegionClient
from connector.errors import ConnectorError, ExitCode, PermissionRefusedError
from connector.events.decode import Decoder
from connector.kafka.abandon import abandon
from connector.kafka.consumer import ConsumerThread
from connector.kafka.dead_letters import DeadLetterProducer
from connector.pipeline.dead_letter_topic import DeadLetterTopic
from connector.pipeline.deadline import Deadline
from connector.pipeline.group import Group
from connector.pipeline.kafka_options import consumer_options, dead_letter_options
from connector.pipeline.region_endpoint import region_endpoint
from connector.pipeline.routing_function import load_routing_function
from connector.pipeline.takeover_run import take_over
from connector.settings.groups import ConsumerGroup, core_options
from connector.settings.model import Settings
from connector.telemetry.health import GroupHealth, HealthInputs, KafkaState
from connector.telemetry.server import HealthServer
from connector.telemetry.setup import TelemetryShell

logger = logging.getLogger("connector")

_LOOK_SECONDS = 0.5
"""How often the cores' snapshots are taken for metrics and health."""
_LEAVE_SECONDS = 3.0
"""For leaving the group, where all must end at once."""
_PROMPT_SECONDS = 1.0
"""Brokers that took longer to let a member go may not answer while its client is destroyed either."""
_CONNECTIONS_SECONDS = 1.0
"""For closing those to Customer.io."""


class Service:
    """One process. `run` returns its exit code."""

    def __init__(
        self,
        settings: Settings,
        groups: Sequence[ConsumerGroup],
        telemetry: TelemetryShell,
        accept_dead_letters: bool = False,
        accept_routing_change: bool = False,
    ) -> None:
        self._settings = settings
        self._consumer_groups = groups
        self._telemetry = telemetry
        self._accept_dead_letters = accept_dead_letters
        self._accept_routing_change = accept_routing_change
        self._route = load_routing_function(settings.routing.function)
        self._groups: list[Group] = []
        self._consumers: list[ConsumerThread] = []
        self._dead_letters: list[DeadLetterProducer] = []
        self._dead_letter_topic = DeadLetterTopic(dead_letter_options(settings))
        self._clients: list[RegionClient] = []
        self._snapshots: tuple[tuple[str, Snapshot], ...] = ()
        self._ends: Mapping[TopicPartition, int] = {}
        self._looked_at = seconds()
        self._signals = 0
        self._stop = asyncio.Event()
        self._deadline: Deadline | None = None
        """Of the stop, from the first signal on."""
        self._failure: BaseException | None = None
        self._draining = False
        self._prompt = True
        """Brokers have let every member go without delay."""
        self._waits_for: ConnectorError | None = None
        """Why no group has been started yet."""

    async def run(self) -> ExitCode:
        """Until a signal or our own bug ends it."""
        self._watch_signals()
        _tune_garbage_collection()
        server = await self._serve()
        watching = [asyncio.get_running_loop().create_task(self._look())]
        try:
            await take_over(self._settings, self._accept_routing_change, self._stop, self._note_waiting)
            for consumer_group in () if self._stop.is_set() else self._consumer_groups:
                self._start(consumer_group)
            watching.append(asyncio.get_running_loop().create_task(self._dead_letter_topic.watch()))
            self._telemetry.observe(lambda: self._snapshots, lambda: self._ends)
            await self._stop.wait()
            code = await self._drain()
        finally:
            for task in watching:
                task.cancel()
            self._abandon()
            await self._leave()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CONNECTIONS_SECONDS):
                    await asyncio.gather(*[client.aclose() for client in self._clients])
            if server is not None:
                await server.stop()
        if self._failure is not None:
            raise self._failure
        return code

    def stop(self) -> None:
        """Drain and end, as SIGTERM does; called again, end at once."""
        self._signals += 1
        if self._deadline is None:
            self._deadline = Deadline(self._settings.drain_deadline_seconds)
        self._stop.set()
        if self._signals > 1:
            self._abandon()

    def _fail(self, error: BaseException) -> None:
        """Our bug: nothing more is committed, what is held will be read again."""
        if self._failure is None:
            self._failure = error
        self._abandon()
        self._stop.set()

    def _abandon(self) -> None:
        """Commit nothing more; nobody waits for a drain any longer."""
        for consumer in self._consumers:
            consumer.abort()
        for group in self._groups:
            group.drained.cancel()

    # ---- start ----

    async def _serve(self) -> HealthServer | None:
        server_settings = self._settings.server
        if not server_settings.enabled:
            return None
        server = HealthServer(
            server_settings.host, server_settings.port, self._health, self._telemetry.metrics_text
        )
        port = await server.start()
        logger.info(
            "health and metrics are served",
            extra={"fields": {"host": server_settings.host, "port": port}},
        )
        return server

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    def _start(self, consumer_group: ConsumerGroup) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        clients = {name: self._client(name) for name in consumer_group.serves}
        group = Group(
            consumer_group.group_id,
            core_options(
                settings,
                consumer_group.serves,
                groups=len(self._consumer_groups),
                accept_dead_letters=self._accept_dead_letters,
            ),
            Decoder(settings.events, settings.lanes.key),
            self._route,
            clients,
            self._telemetry.for_group(consumer_group.group_id, consumer_group.serves),
            settings.kafka.revoke_deadline_seconds,
            self._fail,
        )

        def written(letter_id: int, error: str | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(group.dead_letter_written, letter_id, error)

        dead_letters = DeadLetterProducer(dead_letter_options(settings), written)
        consumer = ConsumerThread(consumer_options(settings, consumer_group.group_id), group.bridge)
        self._groups.append(group)
        self._dead_letters.append(dead_letters)
        self._consumers.append(consumer)
        group.start(consumer, dead_letters)

    def _client(self, name: str) -> RegionClient:
        client = RegionClient(region_endpoint(self._settings, name), self._settings.delivery)
        self._clients.append(client)
        return client

    def _note_waiting(self, error: ConnectorError) -> None:
        self._waits_for = error

    # ---- while it runs ----

    async def _look(self) -> None:
        while True:
            self._snapshots = tuple([(group.group_id, group.look()) for group in self._groups])
            ends: dict[TopicPartition, int] = {}
            for group in self._groups:
                ends.update(group.ends)
            self._ends = ends
            self._looked_at = seconds()
            await asyncio.sleep(_LOOK_SECONDS)

    def _health(self) -> HealthInputs:
        now = seconds()
        return HealthInputs(
            loop_heartbeat_age_seconds=now - self._looked_at,
            groups=tuple(self._group_health() if self._groups else self._health_before_start()),
            snapshots=self._snapshots,
            ends=self._ends,
            wall=time.time(),
            monotonic=now,
            draining=self._draining,
            dead_letter_topic_missing=self._dead_letter_topic.missing,
        )

    def _group_health(self) -> Iterator[GroupHealth]:
        for group, consumer in zip(self._groups, self._consumers, strict=True):
            heartbeat_age = time.monotonic() - consumer.heartbeat_at
            state = KafkaState(consumer.state.value)
            yield GroupHealth(group.group_id, state, heartbeat_age, consumer.detail, group.dead_letter_error)

    def _health_before_start(self) -> Iterator[GroupHealth]:
        """No poll thread stands still that has not been started."""
        state, detail = KafkaState.CONNECTING, ""
        if self._waits_for is not None:
            refused = isinstance(self._waits_for, PermissionRefusedError)
            state = KafkaState.REFUSED if refused else KafkaState.UNREACHABLE
            detail = str(self._waits_for)
        for consumer_group in self._consumer_groups:
            yield GroupHealth(consumer_group.group_id, state, 0.0, detail)

    # ---- the end ----

    async def _drain(self) -> ExitCode:
        """Deliver what is held, commit, leave the groups; all within one deadline."""
        if self._failure is not None or self._deadline is None:
            return ExitCode.BUG
        self._draining = True
        logger.info(
            "stopping: delivering what is held",
            extra={"fields": {"deadline_s": self._settings.drain_deadline_seconds}},
        )
        results = await asyncio.gather(
            *[self._drain_group(place, self._deadline) for place in range(len(self._groups))],
            return_exceptions=True,
        )
        if self._failure is not None:
            return ExitCode.BUG
        for group in self._groups:
            group.look(last=True)
        if self._signals > 1:
            logger.warning("stopped at once by a second signal; what was in flight is sent again")
            return ExitCode.SECOND_SIGNAL
        for result in results:
            if isinstance(result, BaseException):
                raise result
        left = not any(consumer.alive for consumer in self._consumers)
        logger.info("stopped", extra={"fields": {"clean": all(results), "groups_left": left}})
        return ExitCode.DONE

    async def _drain_group(self, place: int, deadline: Deadline) -> bool:
        group, consumer, dead_letters = (
            self._groups[place],
            self._consumers[place],
            self._dead_letters[place],
        )
        group.drain(deadline.left_to_deliver)
        drained = await group.drained
        began = time.monotonic()
        # What the drain has not seen written is written again by whoever reads its record next.
        await asyncio.gather(
            asyncio.to_thread(dead_letters.close, 0.0),
            asyncio.to_thread(consumer.close, drained.offsets, deadline.left),
        )
        self._prompt = self._prompt and time.monotonic() - began < _PROMPT_SECONDS
        return drained.clean

    async def _leave(self) -> None:
        """Members that leave are replaced at once, those that vanish only when the session has timed out."""
        in_order = self._signals == 1 and self._failure is None
        seconds_max = self._deadline.left if in_order and self._deadline else _LEAVE_SECONDS
        leaving = [consumer for consumer in self._consumers if consumer.alive]
        await asyncio.gather(*[asyncio.to_thread(each.join, seconds_max) for each in leaving])
        if not self._prompt or any(consumer.alive for consumer in self._consumers):
            abandon((self._consumers, self._dead_letters))


def _tune_garbage_collection() -> None:
    """Events are many, short-lived and free of cycles: look for cycles seldom, and never again through what is
    loaded at the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
