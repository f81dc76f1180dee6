"""Kafka's brokers are killed, stall, change leaders, refuse.

A coordinator that was away for long takes members for dead, and what they had not committed is read again.
"""

from confluent_kafka import ElectionType, TopicPartition

from tests.chaos.configuration import PARTITIONS
from tests.chaos.run import Run
from tests.chaos.scenario import Scenario
from tests.chaos.stage import CONNECTOR
from tests.chaos.traffic import Mix


def are_killed(run: Run) -> None:
    """kill -9 of each in turn, while the others go on; each comes back, and leads again what it led."""
    run.redelivers = True
    times = max(1, round(run.seconds / 8))
    for place in range(times):
        run.cluster.nodes[place % len(run.cluster.nodes)].kill()
        run.wait(run.seconds / times / 2)
        run.cluster.heal()
        _elect_preferred(run)
        run.wait(run.seconds / times / 2)


def are_all_killed(run: Run) -> None:
    """kill -9 of all at once."""
    run.redelivers = True
    for node in run.cluster.nodes:
        node.kill()
    run.wait(run.seconds / 2)
    run.cluster.heal()


def change_leaders(run: Run) -> None:
    """Each is stopped in order, and so hands over what it leads; then it leads again."""
    run.redelivers = True
    for node in run.cluster.nodes:
        node.stop()
        run.wait(1)
        run.cluster.heal()
        _elect_preferred(run)


def stall(run: Run) -> None:
    """SIGSTOP of each in turn for longer than the others wait for it."""
    run.redelivers = True
    for node in run.cluster.nodes:
        node.pause()
        run.wait(run.seconds / 3)
        node.resume()
        run.wait(2)


def refuse_dead_letters(run: Run) -> None:
    """The permission to write dead letters is missing at first, and again later: nothing may pass as long as they are
    not written."""
    place = (CONNECTOR, "topic", run.dead_letter_topic)
    run.wait(run.seconds / 3)
    if run.watch.reached(run.publisher.ends()):
        run.faults.append("offsets moved past dead letters that could not be written")
    run.cluster.allow(*place, ["write", "describe"])
    run.wait(run.seconds / 3)
    run.cluster.forbid(*place)
    run.wait(run.seconds / 3)
    run.cluster.allow(*place, ["write", "describe"])


def _elect_preferred(run: Run) -> None:
    partitions = [TopicPartition(run.topic, number) for number in range(PARTITIONS)]
    run.cluster.admin().elect_leaders(ElectionType.PREFERRED, partitions).result(30)


SCENARIOS = (
    Scenario("brokers-killed", "kill -9 of each broker in turn, and its return", are_killed, 24),
    Scenario("brokers-all-killed", "kill -9 of all brokers at once", are_all_killed, 10),
    Scenario("leaders-change", "each broker hands over what it leads, and takes it back", change_leaders),
    Scenario("broker-stalls", "SIGSTOP of each broker in turn for 10 s", stall, 30),
    Scenario(
        "dead-letters-refused",
        "no permission to write dead letters at first, and again later",
        refuse_dead_letters,
        mix=Mix(mistakes=0.01),
        guarded=True,
    ),
)
