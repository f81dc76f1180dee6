import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.cli.main import main
from connector.core.commit_metadata import Identity, Run, encode
from connector.core.routing import Router
from connector.errors import ExitCode
from connector.settings.load import load_settings
from tests.cli.mock_kafka import MockKafka

Lines = list[dict[str, Any]]
Preview = Callable[..., Lines]


def track(number: int, user: str = "42", **more: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": f"m{number}", "userId": user, "event": "Seen", **more}


@pytest.fixture
def preview(capsys: pytest.CaptureFixture[str]) -> Preview:
    """Runs it with --json; the objects that it prints."""

    def run(*arguments: str, code: int = 0) -> Lines:
        assert main(["preview", "--json", "--timeout", "60", *arguments]) == code
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes objects, or lines as they are, to a file."""

    def write(*lines: Any) -> str:
        path = tmp_path / "events.jsonl"
        text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(text))
        return str(path)

    return write


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    def write(**settings: Any) -> str:
        path = tmp_path / "connector.yaml"
        path.write_text(yaml.safe_dump(settings))
        return str(path)

    return write


# A file


def test_a_file_needs_neither_kafka_nor_credentials_nor_a_configuration(
    preview: Preview, file: Callable[..., str]
) -> None:
    (line,) = preview("--file", file(track(1, timestamp="2026-01-02T03:04:05Z", properties={"total": 1})))
    assert list(line) == ["line", "event_id", "region", "operations"]
    assert (line["line"], line["event_id"], line["region"]) == (1, "m1", "us")
    (operation,) = line["operations"]
    assert next(iter(operation)) == "request"
    assert len(operation.pop("id")) == 26
    assert operation == {
        "request": "v2",
        "type": "person",
        "action": "event",
        "identifiers": {"id": "42"},
        "name": "Seen",
        "attributes": {"total": 1},
        "timestamp": 1767323045,
    }


def test_what_is_sent_is_shown_byte_for_byte(
    file: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    attributes = r'{"price":1.10,"huge":1e999,"twice":1,"twice":2}'
    assert (
        main(
            [
                "preview",
                "--json",
                "--file",
                file(json.dumps(track(1))[:-1] + f', "properties": {attributes}}}'),
            ]
        )
        == 0
    )
    assert f'"attributes":{attributes}' in capsys.readouterr().out


def test_an_anonymous_event_is_a_v1_request(preview: Preview, file: Callable[..., str]) -> None:
    (line,) = preview(
        "--file", file({"type": "track", "anonymousId": "a", "event": "Seen", "messageId": "m"})
    )
    (operation,) = line["operations"]
    assert (operation["request"], operation["anonymous_id"], operation["name"]) == ("v1", "a", "Seen")


def test_a_call_that_becomes_two_operations_shows_both(preview: Preview, file: Callable[..., str]) -> None:
    context = {"device": {"token": "t", "type": "ios"}}
    event = track(1, context=context) | {"event": "Application Opened"}
    (line,) = preview("--file", file(event))
    assert [operation["action"] for operation in line["operations"]] == ["add_device", "event"]


def test_what_is_not_sent_says_why(preview: Preview, file: Callable[..., str]) -> None:
    lines = preview(
        "--file",
        file(
            track(1),
            track(1),
            {"type": "track", "userId": "42"},
            {"value": None, "key": "42"},
            {"value": "no JSON"},
            track(2) | {"region": "apac"},
        ),
    )
    assert [line.get("outcome") for line in lines] == [
        None,
        "duplicate",
        "dead_lettered",
        "filtered",
        "dead_lettered",
        "dead_lettered",
    ]
    assert [line.get("reason") for line in lines] == [
        None,
        None,
        "invalid",
        None,
        "undecodable",
        "unroutable",
    ]
    assert all(("operations" in line) != ("outcome" in line) for line in lines)
    assert "event" in lines[2]["message"]
    assert lines[5]["region"] is None


def test_the_identify_cache_of_the_settings_is_in_play(
    preview: Preview, file: Callable[..., str], config: Callable[..., str]
) -> None:
    identify = {"type": "identify", "userId": "42", "traits": {"plan": "gold"}}
    settings = config(dedup={"identifies": {"max_entries": 10}})
    lines = preview("--file", file(identify, identify), "--config", settings)
    assert [line.get("outcome") for line in lines] == [None, "unchanged"]


def test_a_region_shows_what_its_group_filters(preview: Preview, file: Callable[..., str]) -> None:
    lines = preview("--file", file(track(1), track(2, region="eu")), "--region", "eu")
    assert [line.get("outcome") for line in lines] == ["filtered", None]


def test_rules_by_topic_see_the_topic_that_is_named(
    preview: Preview, file: Callable[..., str], config: Callable[..., str]
) -> None:
    settings = config(routing={"rules": [{"region": "eu", "topic": "europe-*"}]})
    (line,) = preview("--file", file(track(1)), "--topic", "europe-1", "--config", settings)
    assert line["region"] == "eu"
    (line,) = preview("--file", file(track(1)), "--config", settings)
    assert line["region"] == "us"


def test_a_key_and_headers_are_read_as_publish_reads_them(preview: Preview, file: Callable[..., str]) -> None:
    (line,) = preview("--file", file({"value": track(1), "key": "k", "headers": {"region": "eu"}}))
    assert line["region"] == "eu"


def test_standard_input_is_a_file_too(preview: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(track(1)).encode() + b"\n\n" + json.dumps(track(2)).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert [line["line"] for line in preview("--file", "-")] == [1, 3]


@pytest.mark.parametrize("bad", ["{not json", "[1]", '{"value": 1, "headers": 3}'])
def test_a_bad_line_stops_it_with_its_number(
    file: Callable[..., str], capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    assert main(["preview", "--json", "--file", file(track(1), bad, track(2))]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert err.startswith("error: line 2: ")


def test_a_file_that_is_missing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--file", "no-such-file"]) == ExitCode.BAD_INPUT
    assert "cannot read no-such-file" in capsys.readouterr().err


def test_max_ends_it(preview: Preview, file: Callable[..., str]) -> None:
    path = file(*map(track, range(20)))
    assert len(preview("--file", path)) == 20
    assert len(preview("--file", path, "--max", "3")) == 3


@pytest.mark.parametrize(
    "arguments", [("--max", "0"), ("--max", "many"), ("--timeout", "0"), ("--timeout", "x")]
)
def test_wrong_numbers_are_usage_errors(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", *arguments]) == ExitCode.USAGE
    assert arguments[0] in capsys.readouterr().err


def test_without_json_a_person_can_read_it(
    file: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(
        track(1, region="eu"), track(1, region="eu"), {"type": "track", "userId": "1"}, {"value": None}
    )
    assert main(["preview", "--file", path]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("line 1, event m1, region eu\n  POST /api/v2/batch, an item of its batch\n  {\n")
    assert "line 2, event m1, region eu\n  duplicate: its event id came before\n" in out
    assert "line 3\n  dead-lettered: invalid: " in out
    assert out.endswith("line 4\n  filtered: it has no value\n")
    assert err == (
        "records: 4 (1 to be sent, 1 duplicate, 1 dead-lettered, 1 filtered). Nothing was sent or committed\n"
    )


def test_an_event_id_cannot_write_on_the_terminal(
    file: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["preview", "--file", file(track(1) | {"messageId": "\x1b[31mred\nline 2, event"})])
    out = capsys.readouterr().out
    assert out.startswith("line 1, event \\x1b[31mred\\nline 2, event, region us\n")
    assert "\x1b" not in out


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--help"]) == 0
    assert "cio-connector preview --file -" in capsys.readouterr().out


# Kafka


@pytest.fixture
def topic(mock_kafka: MockKafka) -> str:
    return mock_kafka.topic()


@pytest.fixture
def reading(mock_kafka: MockKafka, topic: str, config: Callable[..., str]) -> Callable[..., str]:
    """A configuration that reads the topic with one group of the topic's name."""

    def write(**more: Any) -> str:
        kafka = {"bootstrap_servers": mock_kafka.bootstrap_servers, "topics": [topic], "group_id": topic}
        return config(kafka=kafka | more.pop("kafka", {}), **more)

    return write


def publish(kafka: MockKafka, topic: str, *events: dict[str, Any], partition: int = 0) -> None:
    kafka.publish(topic, *[json.dumps(event).encode() for event in events], partition=partition)


ONE_GROUP = {"group_per_region": False}


def test_the_next_records_of_a_topic_are_those_not_committed(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, *map(track, range(5)))
    publish(mock_kafka, topic, track(5), partition=3)
    mock_kafka.commit(topic, topic, 0, 2)
    before = mock_kafka.committed(topic, topic)
    lines = preview("--config", reading(kafka=ONE_GROUP))
    found = sorted((line["topic"], line["partition"], line["offset"], line["event_id"]) for line in lines)
    assert found == [(topic, 0, 2, "m2"), (topic, 0, 3, "m3"), (topic, 0, 4, "m4"), (topic, 3, 0, "m5")]
    assert all("timestamp" in line["operations"][0] for line in lines)
    assert mock_kafka.committed(topic, topic) == before


def test_from_beginning_shows_what_is_committed_as_well(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, *map(track, range(3)))
    mock_kafka.commit(topic, topic, 0, 2)
    lines = preview("--config", reading(kafka=ONE_GROUP), "--from-beginning")
    assert [line["offset"] for line in lines] == [0, 1, 2]


def test_max_is_ten_unless_said_otherwise(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, *map(track, range(12)))
    settings = reading()
    assert len(preview("--config", settings)) == 10
    assert len(preview("--config", settings, "--max", "11")) == 11


def test_where_nothing_is_committed_the_setting_decides(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, track(1))
    assert len(preview("--config", reading(kafka={"auto_offset_reset": "earliest"}))) == 1
    assert preview("--config", reading(kafka={"auto_offset_reset": "latest"})) == []


def test_each_regions_group_stands_for_itself(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, track(0), track(1, region="eu"), track(2), track(3, region="eu"))
    mock_kafka.commit(f"{topic}-us", topic, 0, 3)
    mock_kafka.commit(f"{topic}-eu", topic, 0, 1)
    settings = reading()
    assert [(line["offset"], line["region"]) for line in preview("--config", settings)] == [
        (1, "eu"),
        (3, "eu"),
    ]
    of_us = preview("--config", settings, "--region", "us")
    assert [(line["offset"], line["outcome"]) for line in of_us] == [(3, "filtered")]


def test_records_finished_beyond_the_committed_offset_are_passed_over(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    publish(mock_kafka, topic, *map(track, range(6)))
    config = reading(kafka=ONE_GROUP)
    settings = load_settings(config, {}, needs=("kafka",))
    cluster_id = mock_kafka._client.list_topics(timeout=10).cluster_id
    digest = Router(settings.routing, tuple(settings.regions), None).digest
    metadata = encode(Identity(cluster_id, "", None, digest), 1, [Run(2, 4)], [], False, 0, 4000)
    mock_kafka.commit(topic, topic, 0, 1, metadata)
    assert [line["offset"] for line in preview("--config", config)] == [1, 4, 5]


def test_with_nothing_left_it_ends_at_once_and_says_so(
    mock_kafka: MockKafka, topic: str, reading: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(mock_kafka, topic, track(1))
    mock_kafka.commit(topic, topic, 0, 1)
    assert main(["preview", "--config", reading(kafka=ONE_GROUP), "--timeout", "1000"]) == 0
    assert capsys.readouterr().err == "nothing to show: there are no records, or none are left to read\n"


def test_a_pattern_reads_every_topic_that_matches(
    preview: Preview, mock_kafka: MockKafka, config: Callable[..., str]
) -> None:
    for name in ("pattern-a", "pattern-b", "other-pattern"):
        publish(mock_kafka, mock_kafka.topic(name), track(1, messageId=name))
    kafka = {
        "bootstrap_servers": mock_kafka.bootstrap_servers,
        "topics": ["^pattern-"],
        "group_id": "pattern",
    }
    lines = preview("--config", config(kafka=kafka, dead_letters={"topic": "dead"}))
    assert sorted(line["topic"] for line in lines) == ["pattern-a", "pattern-b"]


def test_of_several_topics_one_can_be_chosen(
    preview: Preview, mock_kafka: MockKafka, topic: str, reading: Callable[..., str]
) -> None:
    other = mock_kafka.topic()
    publish(mock_kafka, topic, track(1))
    publish(mock_kafka, other, track(2))
    settings = reading(kafka={"topics": [topic, other]}, dead_letters={"topic": "dead"})
    assert {line["topic"] for line in preview("--config", settings)} == {topic, other}
    assert [line["event_id"] for line in preview("--config", settings, "--topic", other)] == ["m2"]


def test_a_topic_that_is_not_read_is_one_line_with_those_that_are(
    topic: str, reading: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", "--config", reading(), "--topic", "another"]) == ExitCode.USAGE
    err = capsys.readouterr().err
    assert err.startswith("error: topic another is not among those that are read")
    assert err.endswith(f"one of {topic}\n")


def test_without_any_file_the_error_says_that_none_was_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CIO_CONFIG", raising=False)
    for command in ("preview", "run"):
        assert main([command]) == ExitCode.USAGE
        head = capsys.readouterr().err.splitlines()[0]
        assert head.endswith(
            "problems in the configuration (no file was read: neither --config nor CIO_CONFIG is given)"
        )


def test_a_missing_topic_is_one_line(reading: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "--config", reading(kafka={"topics": ["never-made"]})]) == ExitCode.UNAVAILABLE
    assert capsys.readouterr().err.startswith("error: topic never-made does not exist")


def test_a_pattern_that_matches_nothing_is_one_line(
    reading: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = reading(kafka={"topics": ["^never"]}, dead_letters={"topic": "dead"})
    assert main(["preview", "--config", settings]) == ExitCode.UNAVAILABLE
    assert "matches ^never" in capsys.readouterr().err


def test_a_broker_that_is_down_is_one_line(
    reading: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = reading(kafka={"bootstrap_servers": "127.0.0.1:1"})
    assert main(["preview", "--config", settings]) == ExitCode.UNAVAILABLE
    err = capsys.readouterr().err
    assert err.startswith("error: no broker of Kafka at 127.0.0.1:1 can be reached")
    assert err.count("\n") == 1
