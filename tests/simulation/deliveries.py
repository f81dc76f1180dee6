"""A member's requests, from the core's wish to the answer."""

from typing import TYPE_CHECKING

from connector.core.answers import Answer, Unavailable
from connector.core.effects import Cancel, Send
from tests.simulation.truth import Fact

if TYPE_CHECKING:
    from tests.simulation.member import Member


class _Request:
    """One request on its way."""

    __slots__ = ("answered", "cancelled", "facts", "send")

    def __init__(self, send: Send, facts: tuple[Fact, ...]) -> None:
        self.send = send
        self.facts = facts
        self.answered = False
        self.cancelled = False


class Deliveries:
    """Carries requests to Customer.io and answers back. A request that was given up may still arrive."""

    def __init__(self, member: "Member") -> None:
        self._member = member
        self._requests: dict[int, _Request] = {}

    def send(self, send: Send) -> None:
        """A request starts."""
        member, clock = self._member, self._member.clock
        facts = member.checks.sent(send, clock.now)
        if member.world.history.kept:
            what = " ".join(fact.tag for fact in facts)
            member.note(f"sends {send.request_id} (attempt {send.attempt}) to {send.region}: {what}")
        request = self._requests[send.request_id] = _Request(send, facts)
        clock.after(
            member.world.workspaces[send.region].latency_seconds(),
            lambda: self._arrive(request),
        )
        clock.after(send.deadline_seconds, lambda: self._answer(request, Unavailable("timeout")))

    def cancel(self, cancel: Cancel) -> None:
        """The core gives a request up."""
        member = self._member
        member.note(f"cancels {cancel.request_id}")
        member.world.count("cancel")
        member.checks.cancelled(cancel.request_id)
        self._requests[cancel.request_id].cancelled = True

    def _arrive(self, request: _Request) -> None:
        member = self._member
        if (not member.alive or request.cancelled) and member.random.random() < 0.5:
            return
        workspace = member.world.workspaces[request.send.region]
        answer = workspace.handle(request.facts, len(request.send.body), member.clock.now)
        if answer is not None:
            member.world.count(type(answer).__name__)
            member.clock.after(workspace.latency_seconds(), lambda: self._answer(request, answer))

    def _answer(self, request: _Request, answer: Answer) -> None:
        member = self._member
        if request.answered or member.sleeps(lambda: self._answer(request, answer)):
            return
        request.answered = True
        request_id = request.send.request_id
        del self._requests[request_id]
        if member.drained or (request.cancelled and member.random.random() < 0.5):
            return
        member.note(f"is answered {request_id}: {answer}")
        member.checks.answered(request_id, answer, member.clock.now)
        member.core.answer(request_id, answer, member.clock.now)
        member.wake()
