"""The `dlq` commands against librdkafka's mock cluster."""

import io
import json
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from connector.cli.main import main
from connector.dead_letters.writer import Writer
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.kafka.dead_letter_record import Cut
from tests.dead_letters.letters import dead, original
from tests.dead_letters.mock_kafka import create_topic, dead_letters, mock_cluster, read, write

Run = Callable[..., int]
SECRET = "someone@example.com"

_names = count(1)


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with mock_cluster() as address:
        yield address


@pytest.fixture
def topic(servers: str) -> str:
    name = create_topic(servers, f"events-{next(_names)}")
    create_topic(servers, f"{name}.dead-letters")
    return name


@pytest.fixture
def run(servers: str, topic: str) -> Run:
    """Runs a command on the dead-letter topic of `topic`."""

    def run(action: str, *arguments: str) -> int:
        reach = ["--bootstrap-servers", servers, "--topic", f"{topic}.dead-letters"]
        return main(["dlq", action, *reach, *arguments])

    return run


@pytest.fixture
def mixed(servers: str, topic: str) -> None:
    """Two dead letters, a copy, one that was cut off and a foreign record."""
    secret = original(
        5, json.dumps({"email": SECRET}).encode(), SECRET.encode(), [("region", b"eu")], topic, 1
    )
    write(
        servers,
        f"{topic}.dead-letters",
        [
            dead(secret),
            dead(secret, partition=2),
            dead(original(6, topic=topic), Reason.REJECTED, partition=1),
            dead(original(7, topic=topic), Reason.TOO_LARGE, Cut.VALUE, partition=1),
            StoredRecord("", 3, 0, SECRET.encode(), SECRET.encode(), [("a", b"1")]),
        ],
    )


@pytest.mark.usefixtures("mixed")
def test_list_shows_each_record_once_and_counts(
    run: Run, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["PLACE", "0:0", "1:0", "1:1", "3:0"]
    assert f"{topic}:1:5" in lines[1]
    assert lines[6:] == [
        "3 dead letters: invalid 1, rejected 1, too_large 1",
        "1 copy of them, not counted: they are written at least once",
        "1 without their value, which was too large to be kept: they cannot be replayed",
        "1 foreign record: no dead letters of this connector, never replayed",
    ]


@pytest.mark.usefixtures("mixed")
def test_list_is_cut_short_but_counts_all(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--limit", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "... and 3 more (--limit)"
    assert lines[4].startswith("3 dead letters")


@pytest.mark.usefixtures("mixed")
def test_list_takes_filters(run: Run, topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    filters = ["--reason", "invalid", "--reason", "rejected", "--source-topic", topic]
    assert run("list", "--json", *filters, "--place", "1:0", "--since", "2023-11-14", "--until", "1s") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "place": "1:0",
        "written": "2023-11-14T22:13:21Z",
        "foreign": False,
        "reason": "rejected",
        "message": "`event` is missing",
        "topic": topic,
        "partition": 1,
        "offset": 6,
        "timestamp": 1_700_000_000_123,
        "attempts": 1,
        "truncated": None,
        "replayed": False,
    }


@pytest.mark.usefixtures("mixed")
def test_counts_for_a_program(run: Run, topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--counts", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "dead_letters": 3,
        "replayable": 2,
        "reasons": {"invalid": 1, "rejected": 1, "too_large": 1},
        "topics": {topic: 3},
        "copies": 1,
        "truncated": 1,
        "foreign": 1,
    }


@pytest.mark.usefixtures("mixed")
def test_peoples_data_is_shown_when_asked_for_only(
    run: Run, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == run("list", "--json") == run("show", "0:0") == run("show", "3:0") == 0
    assert run("replay") == 0
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    assert run("show", f"{topic}:1:5", "--value") == 0
    shown = capsys.readouterr().out
    assert f'value        {{"email": "{SECRET}"}}' in shown
    assert "  region: eu" in shown


@pytest.mark.parametrize("place", ["0:1", "9:0", "nowhere:0:0"])
@pytest.mark.usefixtures("mixed")
def test_dead_letter_that_is_not_there_is_told(
    place: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", place) == 69
    assert f"there is no dead letter {place}" in capsys.readouterr().err


@pytest.mark.usefixtures("mixed")
def test_replay_puts_back_what_can_be(
    run: Run, servers: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay") == 0
    captured = capsys.readouterr()
    assert captured.out == f"replayed 2 dead letters to {topic}\n"
    assert "1 without their value" in captured.err
    assert "1 foreign record" in captured.err
    assert sorted(message.key() for message in read(servers, topic)) == [b"42", SECRET.encode()]


def test_replay_of_nothing_begins_none(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay") == 0
    captured = capsys.readouterr()
    assert captured.out == "replayed 0 dead letters: there are none to replay\n"
    assert "replay cio" not in captured.err


@pytest.mark.usefixtures("mixed")
def test_place_that_is_not_there_is_told_before_anything_is_put_back(
    run: Run, servers: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mend.jsonl"
    assert run("replay", "--place", "1:0", "--place", "0:17") == 69
    assert "there is no dead letter 0:17 in topic" in capsys.readouterr().err
    for places in (["0:17", "0:017"], ["1:0", "0:17"]):
        asked = [argument for place in places for argument in ("--place", place)]
        assert run("export", *asked, "--output", str(path)) == 69
        assert "there is no dead letter 0:17 in topic" in capsys.readouterr().err
        assert not path.exists()
    assert read(servers, topic) == []
    # One that is there, and left out by another filter.
    assert run("replay", "--place", "0:0", "--reason", "too_large") == 0
    assert run("replay", "--place", f"{topic}:1:5", "--place", "1:0") == 0


def test_many_are_not_put_back_unless_somebody_agrees(
    run: Run, servers: str, topic: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(servers, f"{topic}.dead-letters", dead_letters(101, topic))
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run("replay") == 2
    told = f"nobody can be asked whether to replay 101 records to {topic}. Give --yes"
    assert told in capsys.readouterr().err
    terminal(monkeypatch, "n\n")
    assert run("replay") == 0
    captured = capsys.readouterr()
    assert captured.err.endswith(f"Replay 101 records to {topic}? [y/N] ")
    assert captured.out == "nothing was put back\n"
    assert read(servers, topic) == []
    terminal(monkeypatch, "y\n")
    assert run("replay") == 0
    assert len(read(servers, topic)) == 101


def test_scripts_say_yes_and_few_are_not_asked_for(
    run: Run, servers: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    write(servers, f"{topic}.dead-letters", dead_letters(100, topic))
    assert run("replay") == 0
    write(servers, f"{topic}.dead-letters", dead_letters(101, topic))
    assert run("replay", "--yes") == 0
    assert len(read(servers, topic)) == 201


def terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Somebody sits at one."""
    stdin = io.StringIO(typed)
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)


def test_signal_ends_a_replay_that_says_how_to_go_on(
    run: Run, servers: str, topic: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(servers, f"{topic}.dead-letters", dead_letters(50, topic))
    stop_at(11, monkeypatch)
    handler = signal.getsignal(signal.SIGTERM)
    assert run("replay") == 130
    err = capsys.readouterr().err
    assert (
        "stopped: replayed 10 of 50. Go on with: cio-connector dlq replay --resume cio-connector-replay-"
        in err
    )
    assert len(read(servers, topic)) == 10
    assert signal.getsignal(signal.SIGTERM) is handler


def stop_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes before this record."""
    turns = count(1)

    def wait(writer: Writer, stopped: object) -> None:
        if next(turns) == number:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Writer, "wait_for_turn", wait)


def test_resumed_replay_takes_no_filters(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", "--resume", "nonsense", "--since", "1h") == 2
    assert "Leave the filters out" in capsys.readouterr().err
    assert run("replay", "--resume", "nonsense") == 2
    assert "there is no replay nonsense" in capsys.readouterr().err


def test_source_topic_that_is_gone_is_told(
    run: Run, servers: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(servers, f"{topic}.dead-letters", [dead(original(topic="gone"))])
    assert run("replay") == 69
    assert "or may not be seen: gone" in capsys.readouterr().err


@pytest.mark.usefixtures("mixed")
def test_exported_file_is_mended_and_imported(
    run: Run, servers: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mend.jsonl"
    assert run("export", "--output", str(path)) == 0
    assert "exported 3 dead letters" in capsys.readouterr().err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(path.read_text().replace(SECRET, "mended@example.com"))
    assert run("import", str(path)) == 0
    captured = capsys.readouterr()
    assert captured.out == "imported 2 records\n"
    assert captured.err == "1 line without the value that was too large: passed over\n"
    (mended,) = (message for message in read(servers, topic) if message.key() == b"mended@example.com")
    assert (mended.partition(), mended.value()) == (1, b'{"email": "mended@example.com"}')
    assert [name for name, _ in mended.headers()] == ["region", "dead-letter.replay"]


def test_file_that_exists_is_not_written_over(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mend.jsonl"
    path.write_text("an afternoon's work")
    assert run("export", "--output", str(path)) == 2
    assert f"{path} exists already" in capsys.readouterr().err
    assert path.read_text() == "an afternoon's work"
    assert run("export", "--output", str(tmp_path / "nowhere" / "mend.jsonl")) == 2


def test_bad_line_is_told_before_anything_is_imported(
    run: Run, servers: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mend.jsonl"
    path.write_text(f'{{"topic":"{topic}","value":{{}}}}\n{{"topic":"{topic}"}}\n')
    assert run("import", str(path)) == 65
    assert "error: line 2: `value` is missing" in capsys.readouterr().err
    assert read(servers, topic) == []
    assert run("import", str(tmp_path / "nowhere.jsonl")) == 65


def test_standard_input_is_imported(
    run: Run, servers: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'{{"topic":"{topic}","value":{{}}}}\n' * 3
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("import", "-", "--after-line", "1") == 0
    assert len(read(servers, topic)) == 2


def test_stopped_import_names_the_line_to_go_on_after(
    run: Run,
    servers: str,
    topic: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "mend.jsonl"
    path.write_text(f'{{"topic":"{topic}","value":{{}}}}\n' * 5)
    stop_at(3, monkeypatch)
    assert run("import", str(path)) == 130
    assert "Lines up to 2 are on their topics. Go on with --after-line 2" in capsys.readouterr().err
    assert len(read(servers, topic)) == 2


def test_import_to_a_topic_that_is_missing_is_told(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mend.jsonl"
    path.write_text('{"topic":"gone","value":{}}\n')
    assert run("import", str(path)) == 69
    said = capsys.readouterr().err
    assert "gone. Create them, or mend or remove the lines of the file" in said
    assert "--source-topic" not in said


def test_settings_name_brokers_and_topic(
    servers: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"kafka: {{bootstrap_servers: '{servers}', topics: [{topic}]}}")
    assert main(["dlq", "list", "--config", str(file)]) == 0
    assert capsys.readouterr().out == "0 dead letters\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list"], 2, "no brokers are named"),
        (["list", "--bootstrap-servers", "SSL://b:1", "--topic", "t"], 2, "must be host:port, such as b:1"),
        (["list", "--bootstrap-servers", "127.0.0.1:1"], 2, "it is not clear which topic"),
        (["list", "--bootstrap-servers", "127.0.0.1:1", "--topic", "t"], 69, "no broker of Kafka"),
        (
            ["list", "--bootstrap-servers", "b:1", "--topic", "t", "--reason", "x"],
            2,
            "there is no reason 'x'",
        ),
        (["list", "--bootstrap-servers", "b:1", "--topic", "t", "--since", "x"], 2, "is no time"),
        (
            ["list", "--bootstrap-servers", "b:1", "--topic", "t", "--since", "1h", "--until", "24h"],
            2,
            "--until '24h' is not after --since '1h'",
        ),
        (["list", "--bootstrap-servers", "b:1", "--topic", "t", "-X", "nonsense=1"], 2, "librdkafka refuses"),
        (["show", "--bootstrap-servers", "b:1", "--topic", "t", "x"], 2, "no place of a dead letter"),
        (["replay", "--rate", "0"], 2, "no number of records a second"),
        (["list", "--limit", "-1"], 2, "--limit"),
        ([], 2, "usage"),
    ],
)
def test_mistakes_are_one_clear_line(
    arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dlq", *arguments]) == code
    assert told in capsys.readouterr().err


def test_missing_topic_is_told(servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dlq", "list", "--bootstrap-servers", servers, "--topic", "nowhere"]) == 69
    assert "topic nowhere does not exist" in capsys.readouterr().err
