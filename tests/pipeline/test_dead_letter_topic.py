import asyncio
from collections.abc import Sequence

import pytest

from connector.errors import PermissionRefusedError, UnavailableError
from connector.kafka.configuration import ProducerOptions
from connector.kafka.dead_letters import DeadLetterOptions
from connector.pipeline import dead_letter_topic
from connector.pipeline.dead_letter_topic import DeadLetterTopic

MISSING = UnavailableError("topic letters does not exist at kafka:9092", "Create it")


def watched(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[UnavailableError | Exception | None]
) -> list[str]:
    """What stands in /readyz before each look, which comes to one of `answers`, and at last."""
    topic = DeadLetterTopic(
        DeadLetterOptions(topic="letters", producer=ProducerOptions(bootstrap_servers="kafka:9092"))
    )
    left, seen = list(answers), []

    def look(options: ProducerOptions, name: str) -> UnavailableError | None:
        assert (options.bootstrap_servers, name) == ("kafka:9092", "letters")
        seen.append(topic.missing)
        answer = left.pop(0)
        if isinstance(answer, Exception) and answer is not MISSING:
            raise answer
        return answer

    monkeypatch.setattr(dead_letter_topic, "missing_topic", look)
    monkeypatch.setattr(dead_letter_topic, "_AGAIN_SECONDS", 0.0)
    asyncio.run(topic.watch())
    assert left == []
    return [*seen, topic.missing]


def test_topic_that_is_there_is_no_news(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "connector")
    assert watched(monkeypatch, [None]) == ["", ""]
    assert caplog.messages == []


def test_missing_topic_is_told_once_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "connector")
    assert watched(monkeypatch, [MISSING, MISSING, None]) == ["", str(MISSING), str(MISSING), ""]
    warning, news = caplog.records
    assert (warning.levelname, news.levelname) == ("WARNING", "INFO")
    assert str(MISSING) in warning.message
    assert news.message == "the dead-letter topic letters is there now"


def test_brokers_that_do_not_answer_are_asked_again_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    down, refused = UnavailableError("no broker"), PermissionRefusedError("refused")
    assert watched(monkeypatch, [down, refused, MISSING, None]) == ["", "", "", str(MISSING), ""]
    assert len(caplog.messages) == 1
