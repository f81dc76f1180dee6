"""One scenario while it is played: what it may do to brokers, Customer.io and the connector, and how it ends."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.memory_bound import memory_bound
from connector.settings.load import load_settings
from connector.simulator import Fault, FaultKind, Simulator, SimulatorOptions, WorkspaceOptions, run_in_thread
from tests.chaos.configuration import GROUP, PARTITIONS, configuration, merged
from tests.chaos.member import Member
from tests.chaos.outside import Watch
from tests.chaos.publisher import Publisher
from tests.chaos.stage import CONNECTOR, Stage
from tests.chaos.traffic import PILLS, PLANTED, REGIONS, Mix, Traffic
from tests.parts.provision.kafka import KafkaCluster

START_SECONDS = 45.0
RECOVER_SECONDS = 90.0
TERMINATE_SECONDS = 20.0
"""The deadline of a stop, the grace that follows it, and as much again as that, on a machine that is busy."""
LIFE_SECONDS_MIN = 3.0
"""A member that was started gets so long to become a part of the trouble before it is stopped again."""
_POLL_SECONDS = 0.05


class FailedError(Exception):
    """The scenario cannot go on."""


class Run:
    """The parts of one scenario, stopped at the end whatever happens."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        *,
        seed: int,
        seconds: float,
        rate: float,
        mix: Mix,
        guarded: bool,
        protocol: str,
        settings: Mapping[str, Any],
        terminates: bool,
    ) -> None:
        """`guarded`: against a broker that asks for credentials. `protocol`: the group's. `settings`: of every
        member. `terminates`: members are stopped in order, and started again, in the middle of whatever happens."""
        self.random = random.Random(seed)
        self.seconds = seconds
        self.cluster: KafkaCluster = stage.cluster(guarded)
        self.folder = stage.folder / f"{next(stage.names)}-{name}"
        self.members: list[Member] = []
        self.redelivers = False
        """A member died, or was thought to: what it had not committed is dealt with again, dead letters too."""
        self.notes: list[str] = []
        self.faults: list[str] = []
        """What is wrong."""
        self.terminates = terminates
        self.stop_seconds: list[float] = []
        """How long it took each time."""
        self._terminate_after = 0.0
        self.topic = f"{name}-{self.folder.name.partition('-')[0]}"
        self.dead_letter_topic = f"{self.topic}.dead-letters"
        self.groups = [f"{GROUP}-{self.topic}-{region}" for region in REGIONS]
        self.environment: dict[str, str] = {}
        """Of members that are started from now on."""
        self._guarded, self._protocol = guarded, protocol
        self._seed, self._rate, self._mix = seed, rate, mix
        self._settings = dict(settings)
        self._parts = ExitStack()
        self._no_event = threading.Event()

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.keys = self.folder / "keys"
        self.keys.mkdir()
        try:
            self._set_up()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def _set_up(self) -> None:
        self.cluster.create_topic(self.topic, partitions=PARTITIONS)
        self.cluster.create_topic(self.dead_letter_topic, partitions=2, max_message_bytes="200000")
        if self._guarded:
            self.cluster.allow(CONNECTOR, "topic", self.topic, ["read", "describe"])
            for group in self.groups:
                self.cluster.allow(CONNECTOR, "group", group, ["read"])
        workspaces = {
            region: WorkspaceOptions(
                site_id=f"{region}-site", api_key=self._key(region), environment_id=place
            )
            for place, region in enumerate(REGIONS, 1)
        }
        for region in REGIONS:
            self.write_key(region, self._key(region))
        options = SimulatorOptions(workspaces=workspaces, remember_attributes=True, seed=self._seed)
        self.customerio: Simulator = self._parts.enter_context(run_in_thread(options))
        self.calm()
        self._base = configuration(
            self.cluster.client_properties(CONNECTOR) if self._guarded else self.cluster.client_properties(),
            self.topic,
            self.dead_letter_topic,
            {region: self.customerio.url(region) for region in REGIONS},
            self.keys,
            f"{GROUP}-{self.topic}",
            self._protocol,
        )
        self.publisher = Publisher(
            self.cluster, self.topic, PARTITIONS, Traffic(self._seed, self._mix), self._rate
        )
        self.watch = Watch(self.cluster, self.topic, PARTITIONS, self.groups)
        self.watch.also(self._look_at_members)
        self.watch.start()
        self._parts.callback(self.watch.stop)
        self._parts.callback(self._kill_members)
        self._parts.callback(self.publisher.stop)
        self._parts.callback(self.cluster.heal)

    def _look_at_members(self) -> None:
        for member in list(self.members):
            member.look()

    def _kill_members(self) -> None:
        for member in self.members:
            member.kill()

    # ---- the connector ----

    def settings(self, **changes: Any) -> None:
        """Of members that are started from now on."""
        self._settings = merged(self._settings, changes)

    def member(self, name: str = "a", **settings: Any) -> Member:
        """A new member, started. Settings are its own."""
        file = self.folder / f"{name}.yaml"
        file.write_text(json.dumps(merged(merged(self._base, self._settings), settings)))
        known = next((member for member in self.members if member.name == name), None)
        member = known or Member(name, file, self.folder / f"{name}.log", self.environment)
        if known is None:
            self.members.append(member)
        member.start()
        return member

    def begin_with(self, code: str) -> None:
        """Members that are started from now on run this before anything else."""
        (self.folder / "sitecustomize.py").write_text(code)
        self.environment["PYTHONPATH"] = str(self.folder)

    def kill(self, member: Member) -> None:
        member.kill()
        self.redelivers = True

    def terminate(self, member: Member) -> float:
        """In order. Returns the seconds that it took."""
        began = time.monotonic()
        member.terminate(TERMINATE_SECONDS)
        return time.monotonic() - began

    def write_key(self, region: str, key: str | None = None) -> None:
        """Writes a region's secret file; the right key unless another is given."""
        (self.keys / region).write_text(key or self._key(region))

    def memory_bound(self) -> int:
        """Of a member, in bytes."""
        settings = load_settings(self.folder / f"{self.members[0].name}.yaml", {})
        return memory_bound(settings, PARTITIONS, len(self.publisher.published)).total

    @property
    def memory_peak(self) -> int:
        return max(member.peak_bytes for member in self.members)

    @staticmethod
    def _key(region: str) -> str:
        return f"{region}-key-nobody-may-log"

    # ---- Customer.io ----

    def inject(self, **fault: Any) -> None:
        self.customerio.inject(Fault(**fault))

    def calm(self) -> None:
        """Customer.io is well again. What it can never take it still does not take."""
        self.customerio.clear_faults()
        self.inject(kind=FaultKind.STATUS, status=500, contains=PILLS["poison"])
        self.inject(kind=FaultKind.STATUS, status=400, contains=PILLS["rejected"])

    # ---- time ----

    def pause(self, seconds: float) -> None:
        """While everything runs."""
        self._no_event.wait(seconds)

    def wait(self, seconds: float) -> None:
        """While everything runs, and the trouble lasts. Where members are to be stopped meanwhile, it is now."""
        if self.terminates and seconds >= 1 and time.monotonic() >= self._terminate_after:
            self.pause(seconds / 2)
            self._terminate_one()
            seconds /= 2
        self.pause(seconds)

    def _terminate_one(self) -> None:
        """Any member; it starts again at once."""

        def listening() -> list[Member]:
            return [member for member in self.members if member.hears]

        self.wait_until(lambda: bool(listening()), START_SECONDS, lambda: "no member listens to signals")
        member = self.random.choice(listening())
        self.stop_seconds.append(self.terminate(member))
        member.start()
        # What was held when the drain's deadline passed is dealt with again.
        self.redelivers = True
        self._terminate_after = time.monotonic() + LIFE_SECONDS_MIN

    def rounds(self, *pauses: float) -> Iterator[int]:
        """Counts as long as there is time for another round, with a random pause between these before each."""
        shortest, longest = pauses
        ends_at, place = time.monotonic() + self.seconds, 0
        while time.monotonic() + shortest < ends_at:
            self.wait(min(self.random.uniform(shortest, longest), max(0.0, ends_at - time.monotonic())))
            yield place
            place += 1

    def wait_until(self, ready: Callable[[], bool], seconds: float, what: Callable[[], str]) -> float:
        """Returns how long it took. Fails with what is missing then."""
        began = time.monotonic()
        while not ready():
            for member in self.members:
                member.check()
            if time.monotonic() - began > seconds:
                raise FailedError(f"after {seconds:g} s: {what()}")
            self._no_event.wait(_POLL_SECONDS)
        return time.monotonic() - began

    def wait_until_at_work(self) -> None:
        """Every group has begun with every partition."""

        def begun() -> bool:
            offsets = self.watch.committed.values()
            return all(len(each) == PARTITIONS for each in offsets)

        self.wait_until(begun, START_SECONDS, lambda: f"not every partition is read; {self.said_last()}")

    def wait_until_caught_up(self) -> float:
        """All that is published by now is committed. Returns how long that took."""
        ends = self.publisher.ends()
        return self.wait_until(
            lambda: self.watch.reached(ends),
            RECOVER_SECONDS,
            lambda: f"not committed: {self.watch.behind(ends)}; {self.said_last()}",
        )

    # ---- what became of it ----

    def look_for_faults(self) -> None:
        """Everything that must not be, whatever the scenario."""
        self.faults += self.publisher.failures
        self.faults += self.watch.setbacks
        for member in self.members:
            self.faults += member.surprises
            output = member.output()
            for secret in (PLANTED, *map(self._key, REGIONS)):
                if secret in output:
                    self.faults.append(f"{member.name} has printed {secret}")
        if self.customerio.violations.total:
            kept = [str(violation) for violation in self.customerio.violations.kept[:3]]
            self.faults.append(f"{self.customerio.violations.total} invalid requests: {'; '.join(kept)}")

    def said_last(self) -> str:
        """The end of what each member has printed."""
        return " | ".join(f"{member.name}: {member.output(600)}" for member in self.members)

    def save_output(self, folder: Path) -> None:
        """Keeps what members have printed."""
        folder.mkdir(parents=True, exist_ok=True)
        for member in self.members:
            (folder / f"{self.topic}-{member.name}.log").write_text(member.output())
