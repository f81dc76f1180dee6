"""What a scenario is, and how each is played from its start to its verdict."""

import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tests.chaos.outside import read_dead_letters
from tests.chaos.run import FailedError, Run
from tests.chaos.stage import Stage
from tests.chaos.traffic import NUMBER, Mix
from tests.chaos.verdict import Accepted, Evidence, Verdict, judge

Play = Callable[[Run], None]
TERMINATED_SECONDS_MAX = 12.0


class Scenario(NamedTuple):
    """One way in which things go wrong."""

    name: str
    says: str
    play: Play
    """Does it, for about `run.seconds`. Ends with everything in working order again."""
    seconds: float = 20.0
    mix: Mix = Mix()
    guarded: bool = False
    """Against a broker that asks for credentials."""
    may_be_rejected: bool = False
    begins_at_work: bool = True
    """Starts only when one member reads every partition. False: starts members by itself."""
    protocol: str = "classic"
    settings: Mapping[str, Any] = {}
    """Of every member, besides those of `configuration`."""
    terminates: bool = False
    """In the middle of it members get SIGTERM, and start again."""


def terminated(scenario: Scenario) -> Scenario:
    """The same, shorter, and with SIGTERM in its middle."""
    return scenario._replace(
        name=f"{scenario.name}-sigterm",
        says=f"{scenario.says}; SIGTERM meanwhile",
        seconds=min(scenario.seconds, TERMINATED_SECONDS_MAX),
        terminates=True,
    )


class Outcome(msgspec.Struct):
    """One row of the table."""

    scenario: str
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    resent: int = 0
    """Operations that reached Customer.io again and had no effect."""
    memory_peak: int = 0
    memory_bound: int = 0
    recovery_seconds: float | None = None
    faults: list[str] = []
    notes: list[str] = []
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.faults


def perform(
    scenario: Scenario,
    stage: Stage,
    *,
    seed: int,
    rate: float,
    seconds: float | None = None,
    keep_output: Path | None = None,
) -> Outcome:
    """Plays one scenario and judges it."""
    began = time.monotonic()
    outcome = Outcome(scenario.name)
    run = Run(
        stage,
        scenario.name,
        seed=seed,
        seconds=seconds if seconds is not None else scenario.seconds,
        rate=rate,
        mix=scenario.mix,
        guarded=scenario.guarded,
        protocol=scenario.protocol,
        settings=scenario.settings,
        terminates=scenario.terminates,
    )
    try:
        with run:
            try:
                outcome.recovery_seconds = _play(scenario, run)
                outcome.verdict = judge(
                    _evidence(run),
                    may_be_rejected=scenario.may_be_rejected,
                    may_repeat_letters=run.redelivers,
                )
                outcome.resent = _resent(run, outcome.verdict)
            except FailedError as failure:
                run.faults.append(str(failure))
            outcome.memory_peak, outcome.memory_bound = run.memory_peak, run.memory_bound()
            if outcome.memory_peak > outcome.memory_bound:
                run.faults.append("a member has held more memory than documented")
            run.look_for_faults()
            if keep_output is not None:
                run.save_output(keep_output)
    except Exception as error:  # noqa: BLE001 - the other scenarios are played all the same
        run.faults.append(f"the scenario broke: {error!r}\n{traceback.format_exc()}")
    outcome.faults = [*run.faults, *outcome.verdict.faults]
    outcome.notes = run.notes
    outcome.seconds = time.monotonic() - began
    return outcome


def _play(scenario: Scenario, run: Run) -> float:
    """Returns the seconds from the end of the trouble until all that had been published was dealt with."""
    if scenario.begins_at_work:
        run.member()
        run.wait_until_at_work()
        run.publisher.start()
        run.pause(1)
    scenario.play(run)
    if run.terminates:
        _note_stops(run)
    run.calm()
    run.cluster.heal()
    recovery = run.wait_until_caught_up()
    run.publisher.stop()
    run.wait_until_caught_up()
    for member in run.members:
        run.terminate(member)
    return recovery


def _note_stops(run: Run) -> None:
    if not run.stop_seconds:
        run.faults.append("nobody was stopped: this scenario shows nothing")
        return
    run.notes.append(
        f"{len(run.stop_seconds)} times SIGTERM; stopping took {max(run.stop_seconds):.1f} s at most"
    )


def _evidence(run: Run) -> Evidence:
    """When all is over."""
    states = {}
    for workspace in run.customerio.workspaces.values():
        for identifier, profile in workspace.profiles.items():
            if NUMBER in profile.attributes:
                states[identifier] = profile.attributes[NUMBER]
    return Evidence(
        [record for record in run.publisher.published if record.offset >= 0],
        {
            region: [
                Accepted((operation.attributes or {}).get(NUMBER, -1), operation.identifier)
                for operation in workspace.operations
            ]
            for region, workspace in run.customerio.workspaces.items()
        },
        states,
        read_dead_letters(run.cluster, run.dead_letter_topic),
    )


def _resent(run: Run, verdict: Verdict) -> int:
    workspaces = run.customerio.workspaces.values()
    recorded = sum(len(workspace.operations) for workspace in workspaces)
    ignored = sum(workspace.counts.operations_duplicate for workspace in workspaces)
    return ignored + recorded - verdict.accepted
