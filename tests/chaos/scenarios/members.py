"""The connector itself is killed, stopped, suspended, started."""

from tests.chaos.configuration import SESSION_SECONDS
from tests.chaos.run import Run
from tests.chaos.scenario import Scenario
from tests.chaos.traffic import Mix


def is_killed(run: Run) -> None:
    """kill -9 and a new start at once. With a name of its own in the group it gets its partitions back at once."""
    run.terminate(run.members[0])
    run.settings(kafka={"group_instance_id": "the-only-one"})
    run.member()
    kills = 0
    for _ in run.rounds(1, 4):
        run.kill(run.members[0])
        kills += 1
        run.member()
    run.notes.append(f"{kills} kills")


def are_killed(run: Run) -> None:
    """Two members: one is killed, the other takes over once the group has missed it, the first comes back."""
    run.member("b")
    kills = 0
    for place in run.rounds(2, 5):
        member = run.members[place % 2]
        run.kill(member)
        kills += 1
        run.wait(run.random.choice((0.0, SESSION_SECONDS + 1)))
        run.member(member.name)
    run.notes.append(f"{kills} kills")


def come_and_go(run: Run) -> None:
    """Members are started and stopped in order, every few seconds."""
    changes = 0
    for _ in run.rounds(1, 3):
        running = [member for member in run.members if member.running]
        stopped = next((member for member in run.members if not member.running), None)
        if len(running) > 1 and (len(running) == 3 or run.random.random() < 0.5):
            run.terminate(run.random.choice(running))
        else:
            run.member(stopped.name if stopped else "abc"[len(run.members)])
        changes += 1
    # What a revoke's deadline cut off is dealt with again by the next owner.
    run.redelivers = True
    run.notes.append(f"{changes} members came or went")


def is_suspended(run: Run) -> None:
    """SIGSTOP for longer than the session's timeout: the other member takes over, and what the first one believes
    when it wakes up is no longer true."""
    run.member("b")
    run.wait(3)
    times = max(1, round(run.seconds / (SESSION_SECONDS + 6)))
    for place in range(times):
        member = run.members[place % 2]
        member.suspend()
        run.redelivers = True
        run.wait(SESSION_SECONDS + 3)
        member.resume()
        run.wait(3)
    run.notes.append(f"{times} times")


def finds_a_backlog(run: Run) -> None:
    """It starts on what has been published for long, with a hot person among it."""
    run.publisher.publish_at_once(60_000)
    run.member()
    run.publisher.start()
    run.wait_until_at_work()
    run.wait(run.seconds / 2)


SCENARIOS = (
    Scenario("connector-killed", "kill -9 of the connector every few seconds", is_killed),
    Scenario("members-killed", "two members, killed in turn (KIP-848)", are_killed, 30, protocol="consumer"),
    Scenario("members-killed-classic", "two members, killed in turn (classic)", are_killed, 30),
    Scenario(
        "members-change",
        "members come and go every few seconds (KIP-848)",
        come_and_go,
        30,
        protocol="consumer",
    ),
    Scenario("members-change-classic", "members come and go every few seconds (classic)", come_and_go, 30),
    Scenario(
        "suspended", "SIGSTOP for longer than the session (KIP-848)", is_suspended, 24, protocol="consumer"
    ),
    Scenario("suspended-classic", "SIGSTOP for longer than the session (classic)", is_suspended, 24),
    Scenario(
        "backlog",
        "60,000 records wait, half of them one person's",
        finds_a_backlog,
        mix=Mix(hot=0.5),
        begins_at_work=False,
    ),
)
