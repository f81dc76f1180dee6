import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from connector.core.answers import Unavailable
from connector.core.effects import Noted, PartitionStopped, RegionChanged, RegionState, TopicPartition
from connector.errors import ConfigurationError
from connector.telemetry.logs import configure_logging
from connector.telemetry.setup import TelemetryShell
from tests.telemetry.examples import SPAN_ID, TRACE_ID, send

SPAN = NonRecordingSpan(SpanContext(int(TRACE_ID, 16), int(SPAN_ID, 16), False, TraceFlags(1)))

logger = logging.getLogger("connector.test")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def stream() -> io.StringIO:
    made = io.StringIO()
    configure_logging("debug", stream=made)
    return made


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def test_json_where_it_is_no_terminal(stream: io.StringIO) -> None:
    logger.info("started with %d regions", 2, extra={"fields": {"version": "1", "message": "not this"}})
    (line,) = lines(stream)
    assert line["level"] == "info"
    assert line["logger"] == "connector.test"
    assert line["message"] == "started with 2 regions"
    assert line["version"] == "1"
    assert line["time"].endswith("Z")
    assert "trace_id" not in line


def test_text_on_a_terminal() -> None:
    terminal = Terminal()
    configure_logging("info", stream=terminal)
    logger.warning("region eu is open", extra={"fields": {"region": "eu"}})
    logger.debug("too little")
    (line,) = terminal.getvalue().splitlines()
    assert line.endswith("warning region eu is open region=eu")


def test_people_may_be_told_in_other_fields_than_machines(stream: io.StringIO) -> None:
    extra = {"fields": {"settings": {"kafka": {"topics": ["a"]}}}, "text_fields": {"kafka.topics": "a"}}
    logger.info("starts", extra=extra)
    assert lines(stream)[0]["settings"] == {"kafka": {"topics": ["a"]}}
    assert "kafka.topics" not in lines(stream)[0]
    terminal = Terminal()
    configure_logging("info", stream=terminal)
    logger.info("starts", extra=extra)
    assert terminal.getvalue().endswith("starts kafka.topics=a\n")


@pytest.mark.parametrize(("format", "is_json"), [("json", True), ("text", False)])
def test_format_can_be_chosen(format: str, is_json: bool) -> None:
    stream = io.StringIO() if format == "text" else Terminal()
    configure_logging("info", format, stream)
    logger.info("hello")
    assert stream.getvalue().startswith("{") is is_json


def test_lines_cannot_be_forged(stream: io.StringIO) -> None:
    logger.info("topic a\n{}")
    assert len(lines(stream)) == 1
    terminal = Terminal()
    configure_logging("info", stream=terminal)
    logger.info("topic a\nforged", extra={"fields": {"detail": "b\r\nforged"}})
    assert len(terminal.getvalue().splitlines()) == 1


def test_configuring_again_does_not_double_the_lines(stream: io.StringIO) -> None:
    configure_logging("info", stream=stream)
    logger.info("once")
    assert len(lines(stream)) == 1


def test_current_span_is_named(stream: io.StringIO) -> None:
    with use_span(SPAN):
        logger.info("inside")
    logger.info("about it", extra={"span": SPAN})
    assert [(line["trace_id"], line["span_id"]) for line in lines(stream)] == [(TRACE_ID, SPAN_ID)] * 2


@pytest.mark.parametrize("name", ["httpx", "aiohttp.access", "opentelemetry.sdk", "urllib3", "asyncio"])
def test_libraries_are_shown_from_warning_on(stream: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in lines(stream)] == ["trouble"]


def test_libraries_are_not_shown_below_the_chosen_level() -> None:
    stream = io.StringIO()
    configure_logging("error", stream=stream)
    logging.getLogger("httpx").warning("trouble")
    assert stream.getvalue() == ""


def test_error_shows_its_stack_but_not_what_it_quotes(stream: io.StringIO) -> None:
    try:
        try:
            int("planted-value")
        except ValueError as error:
            raise KeyError("planted-key") from error
    except KeyError:
        logger.exception("it broke")
    (line,) = lines(stream)
    assert "planted-value" not in line["exception"].replace('int("planted-value")', "")
    assert "KeyError\n" in line["exception"]
    assert "ValueError\n" in line["exception"]
    assert "test_error_shows_its_stack" in line["exception"]


def test_errors_about_places_and_settings_are_told(stream: io.StringIO) -> None:
    for error in (ConnectionRefusedError(111, "refused"), ConfigurationError("a is b", "Make it c")):
        try:
            raise error
        except type(error):
            logger.exception("it broke")
    told = [line["exception"] for line in lines(stream)]
    assert "refused" in told[0]
    assert "a is b. Make it c" in told[1]


def test_what_cannot_be_encoded_is_still_written(stream: io.StringIO) -> None:
    logger.info("odd", extra={"fields": {"thing": object(), "lone": "\ud800"}})
    assert stream.getvalue().count("\n") == 1
    assert '"message":"odd"' in stream.getvalue()


def test_what_the_core_notes_is_logged(silent_shell: TelemetryShell, stream: io.StringIO) -> None:
    telemetry = silent_shell.for_group("g")
    telemetry.noted(Noted("warning", "100% of it %s"))
    telemetry.region_changed(RegionChanged("eu", "batch", RegionState.UNAUTHORISED, "401 from the Track API"))
    telemetry.region_changed(RegionChanged("eu", "batch", RegionState.HEALTHY, ""))
    telemetry.partition_stopped(PartitionStopped(TopicPartition("events", 3), 42, "600 of 1000"))
    noted, refused, healthy, stopped = lines(stream)
    assert (noted["level"], noted["message"], noted["group"]) == ("warning", "100% of it %s", "g")
    assert (refused["level"], refused["state"], refused["region"]) == ("warning", "unauthorised", "eu")
    assert refused["detail"] == "401 from the Track API"
    assert healthy["level"] == "info"
    assert (stopped["level"], stopped["topic"], stopped["partition"]) == ("error", "events", 3)
    assert stopped["offset"] == 42


def test_what_the_core_notes_often_does_not_hide_what_else_it_notes(
    silent_shell: TelemetryShell, stream: io.StringIO
) -> None:
    telemetry = silent_shell.for_group("g")
    for number in range(1000):
        telemetry.noted(Noted("warning", f"commit {number} was refused"))
    telemetry.noted(Noted("warning", "42 records were missed"))
    messages = [line["message"] for line in lines(stream)]
    assert len(messages) < 20
    assert messages[-1] == "42 records were missed"


def test_failed_request_is_logged_with_its_span_at_debug(shell: TelemetryShell, stream: io.StringIO) -> None:
    telemetry = shell.for_group("g")
    request = send(attempt=3)
    telemetry.request_finished(telemetry.request_started(request), request, Unavailable("timeout"), 30.0)
    (line,) = lines(stream)
    assert (line["level"], line["error_type"], line["attempt"]) == ("debug", "timeout", 3)
    assert len(line["trace_id"]) == 32
