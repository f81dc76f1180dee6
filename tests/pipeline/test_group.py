"""A group whose core has a bug ends the process: what was left half done is never committed, nor waited for."""

import asyncio
from collections.abc import Callable, Sequence
from unittest.mock import Mock

from connector.core.answers import Accepted, Answer
from connector.core.effects import Effect, Send
from connector.core.inputs import Credit
from connector.core.options import CoreOptions
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.pipeline.group import Group

SEND = Send(1, "us", "batch", "/api/v2/batch", b"{}", events=1, attempt=1, deadline_seconds=1.0)


class BrokenCore:
    """Sends one request; whatever comes back is too much for it."""

    def __init__(self) -> None:
        self._effects: list[Effect] = [SEND]

    def receive(self, *_: object) -> None: ...

    def advance(self, now: float) -> Sequence[Effect]:
        effects, self._effects = self._effects, []
        return effects

    def credit(self) -> Credit:
        return Credit(0, 0)

    def wake_at(self) -> None:
        return None

    def answer(self, request_id: int, answer: Answer, now: float) -> None:
        raise ValueError("a bug")

    def dead_letter_written(self, letter_id: int, error: str | None, now: float) -> None:
        raise ValueError("a bug")


class Client:
    """Customer.io, which accepts everything, or a client with a bug of its own."""

    def __init__(self, bug: Exception | None = None) -> None:
        self._bug = bug

    async def send(self, send: Send) -> Answer:
        if self._bug is not None:
            raise self._bug
        return Accepted()


def test_why_a_dead_letter_is_not_written_is_known_until_it_is() -> None:
    told: list[str] = []

    def act(group: Group) -> None:
        for letter_id, error in ((7, "refused"), (8, None), (7, None), (9, "down")):
            group.dead_letter_written(letter_id, error)
            told.append(group.dead_letter_error)

    assert failures(act, Client(), broken=False) == []
    assert told == ["refused", "refused", "", "down"]


def failures(act: Callable[[Group], object], client: Client, broken: bool = True) -> list[str]:
    """What a group tells that it cannot survive."""
    told: list[BaseException] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        group = Group(
            "group",
            CoreOptions(regions=("us",), serves=("us",)),
            Decoder(EventOptions(), "identifier"),
            None,
            {"us": client},  # type: ignore[dict-item]
            Mock(),
            1.0,
            told.append,
        )
        if broken:
            group.core = BrokenCore()  # type: ignore[assignment]  # a core as far as it is asked
        asyncio.get_running_loop().call_soon(act, group)
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(run())
    return [str(error) for error in told]


def test_bug_as_an_answer_comes_in_is_told() -> None:
    assert failures(lambda group: group.receive([]), Client()) == ["a bug"]


def test_bug_in_a_client_is_told_instead_of_leaving_a_request_without_an_answer() -> None:
    assert failures(lambda group: group.receive([]), Client(ValueError("its own bug"))) == ["its own bug"]


def test_bug_as_a_dead_letter_is_acknowledged_is_told() -> None:
    assert failures(lambda group: group.dead_letter_written(1, None), Client()) == ["a bug"]
