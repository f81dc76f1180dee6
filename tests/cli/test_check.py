import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.cli.main import main
from connector.errors import ExitCode
from connector.simulator import Simulator, run_in_thread
from tests.cli.mock_kafka import MockKafka

Written = Callable[..., str]
Lines = list[str]


@pytest.fixture(autouse=True)
def _no_variables_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def customerio() -> Iterator[Simulator]:
    with run_in_thread() as running:
        yield running


@pytest.fixture
def config(mock_kafka: MockKafka, customerio: Simulator, tmp_path: Path) -> Written:
    """A configuration that works, with these sections merged over it."""
    topic = mock_kafka.topic()
    mock_kafka.topic(f"{topic}.dead-letters")

    def write(**sections: dict[str, Any]) -> str:
        settings: dict[str, dict[str, Any]] = {
            "kafka": {
                "bootstrap_servers": mock_kafka.bootstrap_servers,
                "topics": [topic],
                "group_id": topic,
            },
            "regions": {
                name: {"url": customerio.url(name), "site_id": f"{name}-site", "api_key": f"{name}-key"}
                for name in ("us", "eu")
            },
        }
        for name, section in sections.items():
            settings[name] = settings.get(name, {}) | section
        path = tmp_path / "connector.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False))
        return str(path)

    return write


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Callable[..., Lines]:
    """Runs it, and expects this exit code; the lines that it prints."""

    def run(config: str, code: ExitCode, *arguments: str) -> Lines:
        assert main(["check", "--config", config, *arguments]) == code
        return capsys.readouterr().out.splitlines()

    return run


Check = Callable[..., Lines]


def statuses(lines: Lines) -> dict[str, str]:
    """What each line is about -> how it ended."""
    return {line[6:].split(":")[0]: line[:6].rstrip() for line in lines}


def the(lines: Lines, start: str) -> str:
    (line,) = [line for line in lines if line.startswith(start)]
    return line


def test_what_works_is_all_ok(config: Written, check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    path = config()
    topic = yaml.safe_load(Path(path).read_text())["kafka"]["topics"][0]
    found = statuses(check(path, ExitCode.DONE))
    assert set(found.values()) == {"ok"}
    kafka = next(name for name in found if name.startswith("kafka "))
    assert list(found) == [
        f"configuration {path}",
        kafka,
        f"topic {topic}",
        f"group {topic}-us",
        f"group {topic}-eu",
        f"dead letter topic {topic}.dead-letters",
        *(f"{what} {region}" for region in ("us", "eu") for what in ("region", "credentials", "workspace")),
    ]


def test_the_end_says_how_many_failed(config: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", config()]) == 0
    assert capsys.readouterr().err == "all is well\n"
    main(["check", "--config", config(kafka={"topics": ["never-made"]}, dead_letters={"topic": "dead"})])
    assert re.fullmatch(r"\d+ of \d+ checks failed\n", capsys.readouterr().err)


def test_json_is_one_object(config: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "--config", config(kafka={"topics": ["never-made"]})]) == 69
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert (said["ok"], said["exit_code"], err) == (False, 69, "")
    (topic,) = [check for check in said["checks"] if check["check"] == "topic"]
    assert topic == {
        "status": "fail",
        "check": "topic",
        "subject": "never-made",
        "message": "does not exist",
        "fix": topic["fix"],
    }
    assert "kafka-topics.sh" in topic["fix"]
    assert topic["fix"].endswith("--create --topic never-made --partitions 12 --replication-factor 1")


def test_a_region_alone_is_checked_alone(config: Written, check: Check) -> None:
    broken = {"url": "http://127.0.0.1:1", "site_id": "s", "api_key": "k"}
    path = config(regions={"us": broken})
    check(path, ExitCode.UNAVAILABLE)
    found = statuses(check(path, ExitCode.DONE, "--region", "eu"))
    assert "workspace eu" in found
    assert not [name for name in found if name.endswith("us")]


def test_where_the_group_stands_is_told(config: Written, check: Check, mock_kafka: MockKafka) -> None:
    path = config(kafka={"group_per_region": False})
    topic = yaml.safe_load(Path(path).read_text())["kafka"]["topics"][0]
    mock_kafka.publish(topic, b"{}", b"{}", b"{}")
    lines = check(path, ExitCode.DONE)
    assert "nothing is committed yet: it begins with the earliest record, 3 records to read" in the(
        lines, f"ok    group {topic}:"
    )
    mock_kafka.commit(topic, topic, 0, 2)
    lines = check(path, ExitCode.DONE)
    assert "offsets are committed in 1 of 4 partitions, 1 record to read" in the(
        lines, f"ok    group {topic}:"
    )
    assert mock_kafka.committed(topic, topic) == [2, -1001, -1001, -1001]


def test_a_pattern_says_what_it_matches(config: Written, check: Check, mock_kafka: MockKafka) -> None:
    mock_kafka.topic("matched-1")
    mock_kafka.topic("matched-2")
    path = config(kafka={"topics": ["^matched-"]}, dead_letters={"topic": "dead-of-matched"})
    lines = check(path, ExitCode.UNAVAILABLE)
    assert the(lines, "ok    topic pattern ^matched-:").endswith("matches matched-1, matched-2")
    assert statuses(lines)["topic matched-2"] == "ok"
    assert statuses(lines)["dead letter topic dead-of-matched"] == "fail"


def test_a_pattern_without_a_match_fails(config: Written, check: Check) -> None:
    path = config(kafka={"topics": ["^never-"]}, dead_letters={"topic": "dead"})
    assert statuses(check(path, ExitCode.UNAVAILABLE))["topic pattern ^never-"] == "fail"


def test_a_broker_that_is_down_fails_and_what_needs_it_is_skipped(config: Written, check: Check) -> None:
    lines = check(config(kafka={"bootstrap_servers": "127.0.0.1:1"}), ExitCode.UNAVAILABLE)
    assert "kafka.bootstrap_servers" in the(lines, "fail  kafka 127.0.0.1:1:")
    found = statuses(lines)
    skipped = [name for name, status in found.items() if status == "skip"]
    assert [name.split()[0] for name in skipped] == ["topic", "group", "group", "dead"]
    assert found["region us"] == found["credentials eu"] == "ok"


def test_refused_credentials_name_the_settings_and_nothing_secret(
    config: Written, check: Check, customerio: Simulator
) -> None:
    refused = {"url": customerio.url("us"), "site_id": "us-site", "api_key": "planted-wrong"}
    lines = check(config(regions={"us": refused}), ExitCode.NO_PERMISSION)
    assert "Set regions.us.site_id and .api_key" in the(lines, "fail  credentials us:")
    assert statuses(lines)["region us"] == "ok"
    assert statuses(lines)["workspace us"] == "skip"
    assert not [line for line in lines if "planted" in line]


def test_a_workspace_in_another_region_fails(config: Written, check: Check, customerio: Simulator) -> None:
    us = {"url": customerio.url("eu"), "site_id": "us-site", "api_key": "us-key"}
    path = config(regions={"eu": us})
    lines = check(path, ExitCode.CHECK_FAILED)
    assert f"Set it to {customerio.url('us')}" in the(
        lines, "fail  workspace eu: the workspace of region eu is in US"
    )
    assert statuses(lines)["credentials eu"] == "ok"


def test_a_region_that_cannot_be_reached_fails(config: Written, check: Check) -> None:
    path = config(regions={"us": {"url": "http://127.0.0.1:1", "site_id": "s", "api_key": "k"}})
    found = statuses(check(path, ExitCode.UNAVAILABLE))
    assert (found["region us"], found["credentials us"], found["workspace us"]) == ("fail", "skip", "skip")
    assert found["workspace eu"] == "ok"


def test_refusals_come_before_what_is_missing(config: Written, check: Check, customerio: Simulator) -> None:
    refused = {"url": customerio.url("us"), "site_id": "us-site", "api_key": "other"}
    check(config(kafka={"topics": ["never-made"]}, regions={"us": refused}), ExitCode.NO_PERMISSION)


def test_each_problem_of_the_configuration_is_a_line(config: Written, check: Check) -> None:
    lines = check(config(kafka={"topic": "x"}, delivery={"concurrency": 0}), ExitCode.USAGE)
    failures = [line for line in lines if line.startswith("fail")]
    assert {line.split(":")[1].strip() for line in failures} == {"kafka.topic", "delivery.concurrency"}
    assert [line[:4] for line in lines] == ["fail", "fail", "skip", "skip"]


def test_a_secret_file_that_cannot_be_read_is_named(
    config: Written, check: Check, customerio: Simulator
) -> None:
    us = {"url": customerio.url("us"), "site_id": "us-site", "api_key_file": "/no/such/file"}
    (line, *_) = check(config(regions={"us": us}), ExitCode.USAGE)
    assert "regions.us.api_key_file: cannot read /no/such/file" in line


@pytest.mark.parametrize("function", ["no_such_module:route", "json:no_such_name", "no-such-entry-point"])
def test_a_routing_function_that_cannot_be_had_is_a_wrong_configuration(
    config: Written, check: Check, function: str
) -> None:
    lines = check(config(routing={"function": function}), ExitCode.USAGE)
    assert function.split(":")[0] in the(lines, "fail  routing function")
    for other in ("kafka", "customer.io"):
        assert "since the routing function cannot be used" in the(lines, f"skip  {other}")


def test_a_routing_function_is_imported(config: Written, check: Check) -> None:
    lines = check(config(routing={"function": "json:loads"}), ExitCode.DONE)
    assert the(lines, "ok    routing function json:loads: can be imported")


def test_properties_that_librdkafka_refuses_are_a_wrong_configuration(config: Written, check: Check) -> None:
    path = config(kafka={"properties": {"max.poll.interval.ms": "100", "session.timeout.ms": "50000"}})
    found = check(path, ExitCode.USAGE)
    assert "max.poll.interval.ms" in the(found, "fail ")


def test_a_ca_file_without_certificates_is_a_wrong_configuration(
    config: Written, check: Check, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    lines = check(config(http={"ca_file": str(tmp_path / "ca.pem")}), ExitCode.USAGE)
    assert "http.ca_file" in the(lines, "fail  region us:")


def test_a_collector_that_is_down_is_a_warning(
    config: Written, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    lines = check(config(), ExitCode.DONE)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in the(lines, "warn  otlp 127.0.0.1:1:")


def test_a_warning_is_counted_at_the_end(
    config: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert main(["check", "--config", config()]) == ExitCode.DONE
    assert capsys.readouterr().err == "nothing failed, 1 warning\n"


def test_the_file_may_come_from_the_environment(
    config: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config()
    monkeypatch.setenv("CIO_CONFIG", path)
    assert main(["check"]) == 0
    assert f"configuration {path}" in capsys.readouterr().out


def test_help_says_what_the_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--help"]) == 0
    out = capsys.readouterr().out
    assert "cio-connector check --config" in out
    assert "exit codes: 0 nothing failed; 2 the configuration is wrong; 77" in " ".join(out.split())
