"""`publish` against librdkafka's mock cluster."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from connector.cli.main import main

_topics = count(1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{b.host}:{b.port}" for b in client.list_topics(timeout=10).brokers.values())
    client.flush(0)


@pytest.fixture
def topic() -> str:
    return f"published-{next(_topics)}"


def records(cluster: str, topic: str, wanted: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": cluster, "group.id": "reader"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
    read: list[Message] = []
    while len(read) < wanted:
        read += consumer.consume(wanted - len(read), 10.0)
    consumer.close()
    return read


def test_file_is_published_with_key_and_trace(
    cluster: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"type":"track","event":"a","userId":"42"}\n{"value":{"b":1},"key":"own"}\n')
    code = main(["publish", "--bootstrap-servers", cluster, "--topic", topic, "--file", str(path)])
    assert code == 0
    assert capsys.readouterr().out == f"2 records acknowledged on topic {topic}\n"
    by_key = {record.key(): record for record in records(cluster, topic, 2)}
    assert by_key[b"42"].value() == b'{"type":"track","event":"a","userId":"42"}'
    assert by_key[b"own"].value() == b'{"b":1}'
    traces = {dict(record.headers() or ())["traceparent"] for record in by_key.values()}
    assert len(traces) == 2
    for trace in traces:
        assert re.fullmatch(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[13]", trace)


def test_configuration_says_where_to(
    cluster: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"kafka:\n  bootstrap_servers: '{cluster}'\n  topics: [{topic}]\n")
    stdin = io.TextIOWrapper(io.BytesIO(b'{"userId":"1"}\n'))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["publish", "--config", str(config), "--rate", "1000", "-X", "linger.ms=1"]) == 0
    assert len(records(cluster, topic, 1)) == 1


def test_bad_line_stops_it_with_its_number_after_what_was_sent(
    cluster: str, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"userId":"1"}\n{"userId":\n{"userId":"3"}\n')
    code = main(["publish", "--bootstrap-servers", cluster, "--topic", topic, "--file", str(path)])
    captured = capsys.readouterr()
    assert code == 65
    assert "line 2" in captured.err
    assert captured.out == f"1 record acknowledged on topic {topic}\n"


def test_missing_file(cluster: str, topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["publish", "--bootstrap-servers", cluster, "--topic", topic, "--file", "/no/such/file"])
    assert code == 65
    assert "/no/such/file" in capsys.readouterr().err


def test_unreachable_broker(topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"userId":"1"}\n')
    code = main(["publish", "--bootstrap-servers", "127.0.0.1:1", "--topic", topic, "--file", str(path)])
    captured = capsys.readouterr()
    assert code == 69
    assert "127.0.0.1:1" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--topic", "t"], "--bootstrap-servers"),
        (["--bootstrap-servers", "kafka://b:1", "--topic", "t"], "must be host:port, such as b:1"),
        (["--bootstrap-servers", "b:1"], "--topic"),
        (["--bootstrap-servers", "b:1", "--topic", "t", "--rate", "none"], "records a second"),
        (["--bootstrap-servers", "b:1", "--topic", "t", "-X", "acks=0"], "acks"),
        (["--bootstrap-servers", "b:1", "--topic", "t", "-X", "linger.ms"], "PROPERTY=VALUE"),
        (["--bootstrap-servers", "b:1", "--topic", "t", "-X", "no.such=1"], "no.such"),
    ],
)
def test_wrong_usage(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CIO_CONFIG", raising=False)
    assert main(["publish", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_an_unreachable_collector_is_one_line_in_our_words(cluster: str, topic: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"userId":"1"}\n')
    arguments = ["publish", "--bootstrap-servers", cluster, "--topic", topic, "--file", str(path)]
    ended = subprocess.run(
        [sys.executable, "-m", "connector.cli.main", *arguments],
        env=os.environ
        | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_METRICS_EXPORTER": "none"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0
    assert ended.stdout == f"1 record acknowledged on topic {topic}\n"
    assert ended.stderr.count("the collector at 127.0.0.1:9 does not take spans: Connection refused") == 1
    assert "HTTPConnectionPool" not in ended.stderr


def test_ctrl_c_while_it_waits_for_a_line_is_answered_with_what_was_acknowledged(
    cluster: str, topic: str
) -> None:
    arguments = ["publish", "--bootstrap-servers", cluster, "--topic", topic]
    with subprocess.Popen(
        [sys.executable, "-m", "connector.cli.main", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(b'{"type":"track","event":"a","userId":"42"}\n')
        process.stdin.flush()
        records(cluster, topic, 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stdout.read().decode() == f"1 record acknowledged on topic {topic}\n"
        assert process.stderr.read() == b""


def test_ctrl_c_while_it_waits_for_a_broker_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"type":"track","event":"a","userId":"42"}\n')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"127.0.0.1:{silent.getsockname()[1]}"
        arguments = ["publish", "--bootstrap-servers", broker, "--topic", "t", "--file", str(file)]
        with subprocess.Popen(
            [sys.executable, "-m", "connector.cli.main", *arguments], stderr=subprocess.PIPE
        ) as process:
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 130, "and not 69, as where it waits to the end"
