"""Dead letters on a real Kafka: read, replayed exactly once however the replay ends, mended."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import IsolationLevel, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connector.cli.main import main
from connector.dead_letters.letter import read_letter
from connector.events.record import Headers, StoredRecord
from tests.dead_letters.letters import TIMESTAMP_MS, dead, original
from tests.dead_letters.mock_kafka import PARTITIONS, dead_letters, read, write
from tests.parts.conftest import CONNECTOR_PASSWORD, MakeTopic
from tests.parts.provision.kafka import KafkaCluster

pytestmark = pytest.mark.parts

DEADLINE_SECONDS = 120


class Topics(NamedTuple):
    servers: str
    source: str
    dlq: str

    def arguments(self, action: str, *more: str) -> list[str]:
        return ["dlq", action, "--bootstrap-servers", self.servers, "--topic", self.dlq, *more]

    def run(self, action: str, *more: str) -> int:
        return main(self.arguments(action, *more))

    def seen(self) -> list[Message]:
        """What of the source topic can be read already. What was committed a moment ago may not be among it."""
        return read(self.servers, self.source)

    def found(self) -> list[Message]:
        """All of the source topic, once no transaction is open."""
        return settled(self.servers, self.source)


def settled(servers: str, topic: str) -> list[Message]:
    """All of a topic, once no transaction is open."""
    admin = AdminClient({"bootstrap.servers": servers})
    partitions = range(PARTITIONS)

    def ends(isolation: IsolationLevel) -> list[int]:
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
        answers = admin.list_offsets(asked, isolation_level=isolation)
        return [answers[TopicPartition(topic, number)].result(30).offset for number in partitions]

    until(lambda: ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED))
    return read(servers, topic)


def until_more_than(number: int, topics: Topics, process: subprocess.Popen[str]) -> None:
    """Until the process has put back more than so many."""

    def come() -> bool:
        assert process.poll() is None, process.communicate()
        return len(topics.seen()) > number

    until(come)


@pytest.fixture
def topics(kafka: KafkaCluster, make_topic: MakeTopic) -> Topics:
    source = make_topic(retention_ms="-1")
    return Topics(kafka.bootstrap_servers, source, make_topic(f"{source}.dead-letters", retention_ms="-1"))


@contextmanager
def started(arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "connector.cli.main", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def replay_id(process: subprocess.Popen[str]) -> str:
    """The id that the process says it runs."""
    assert process.stderr is not None
    for line in process.stderr:
        if said := re.fullmatch(r"replay (\S+)\n", line):
            return said[1]
    raise AssertionError("no replay has begun")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"


def test_record_goes_back_exactly_as_it_was(topics: Topics) -> None:
    headers: Headers = [("twice", b"1"), ("none", None), ("twice", b"\xff\x00"), ("empty", b""), ("é", b"1")]
    originals = [
        original(0, b"\xff\xfe", b"\x00key", headers, topics.source, 3),
        original(1, None, None, None, topics.source, 2, timestamp_ms=1),
        original(2, b"", b"", [("dead-letter.replay", b"01ARZ3NDEKTSV4RRFFQ69G5FAV")], topics.source, 1),
        original(3, b'{"a" :1}', b"k", [("dead-letter.reason", b"of its own")], topics.source, 0),
    ]
    write(topics.servers, topics.dlq, [dead(record) for record in originals])
    assert topics.run("replay") == 0
    found = {message.partition(): message for message in topics.found()}
    assert len(found) == len(originals)
    for record in originals:
        message = found[record.partition()]
        assert (message.key(), message.value()) == (record.key(), record.value())
        own = [header for header in record.headers() or [] if header[0] != "dead-letter.replay"]
        assert message.headers()[:-1] == own
        assert message.headers()[-1][0] == "dead-letter.replay"
        assert message.timestamp()[1] == record.timestamp()[1]
    assert found[1].headers()[-1][1] == b"01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_exported_and_imported_records_are_exactly_what_they_were(topics: Topics, tmp_path: Path) -> None:
    headers: Headers = [("twice", b"1"), ("none", None), ("twice", b"\xff\x00"), ("empty", b"")]
    values = [b"\xff\xfe", None, b"", b'{"a" : 1,\n "a":2}', b"{broken", b'"text"', "é\u2028".encode()]
    originals = [original(n, value, value, headers, topics.source, n % 4) for n, value in enumerate(values)]
    write(topics.servers, topics.dlq, [dead(record) for record in originals])
    file = str(tmp_path / "mend.jsonl")
    assert topics.run("export", "--output", file) == 0
    assert topics.run("import", file) == 0
    found = topics.found()
    assert len(found) == len(values)
    assert {message.timestamp()[1] for message in found} == {TIMESTAMP_MS}
    by_value = {message.value(): message for message in found}
    for record in originals:
        message = by_value[record.value()]
        assert (message.partition(), message.key()) == (record.partition(), record.key())
        assert message.headers()[:-1] == headers


def test_killed_replay_goes_on_and_nothing_is_put_back_twice(topics: Topics) -> None:
    write(topics.servers, topics.dlq, dead_letters(3000, topics.source))
    write(topics.servers, topics.dlq, dead_letters(50, topics.source))
    slowly = topics.arguments("replay", "--yes", "--rate", "25")
    with started(slowly) as process:
        it = replay_id(process)
        until_more_than(0, topics, process)
        process.kill()
    for how in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        came = len(topics.seen())
        with started([*slowly, "--resume", it]) as process:
            replay_id(process)
            until_more_than(came, topics, process)
            process.send_signal(how)
            assert process.wait(DEADLINE_SECONDS) == (130 if how is signal.SIGTERM else -how)
    assert 0 < len(topics.seen()) < 3000
    # The topic and the rest are known from the id.
    assert main(["dlq", "replay", "--bootstrap-servers", topics.servers, "--resume", it, "--yes"]) == 0
    assert topics.run("replay", "--resume", it) == 0
    keys = Counter(message.key() for message in topics.found())
    assert keys == {b"person-%d" % number: 1 for number in range(3000)}


def test_replay_that_is_resumed_elsewhere_stops_here(topics: Topics) -> None:
    write(topics.servers, topics.dlq, dead_letters(200, topics.source))
    with started(topics.arguments("replay", "--yes", "--rate", "20")) as process:
        it = replay_id(process)
        until_more_than(0, topics, process)
        assert topics.run("replay", "--yes", "--resume", it) == 0
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 2
        assert f"another process has taken {it} over" in err
    assert len(topics.found()) == 200


def test_resumed_replay_keeps_to_its_filters_and_its_end(
    topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    write(topics.servers, topics.dlq, dead_letters(40, topics.source))
    with started(
        topics.arguments("replay", "--rate", "4", "--place", "0:0", "--place", "3:1", "--until", "1s")
    ) as it:
        name = replay_id(it)
        it.kill()
    write(topics.servers, topics.dlq, dead_letters(40, topics.source))
    assert topics.run("replay", "--resume", name) == 0
    assert len(topics.found()) == 2
    assert topics.run("replay", "--resume", f"{name}x") == 2


def test_record_that_the_topic_does_not_take_is_named(
    topics: Topics, make_topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    small = make_topic(max_message_bytes="20000", retention_ms="-1")
    incompressible = os.urandom(30000)
    write(
        topics.servers,
        topics.dlq,
        [dead(original(0, topic=small)), dead(original(1, incompressible, topic=small))],
    )
    assert topics.run("replay") == 69
    err = capsys.readouterr().err
    assert f"dead letter 0:1: the record is larger than topic {small} takes" in err
    assert "replayed 0 of 2. Go on with" in err
    assert settled(topics.servers, small) == []


@pytest.mark.parametrize(("choice", "milliseconds"), [("original", {TIMESTAMP_MS}), ("now", set())])
def test_records_that_retention_may_take_again_are_put_back_on_request_only(
    choice: str,
    milliseconds: set[int],
    topics: Topics,
    make_topic: MakeTopic,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = make_topic(retention_ms="3600000")
    write(topics.servers, topics.dlq, [dead(original(topic=short))])
    file = str(tmp_path / "mend.jsonl")
    assert topics.run("export", "--output", file) == 0
    for arguments in (["replay"], ["import", file]):
        assert topics.run(*arguments) == 2
        assert (
            f"topic {short} keeps records for 0.0 days, and the oldest to go there is"
            in capsys.readouterr().err
        )
        assert topics.run(*arguments, "--timestamps", choice) == 0
    found = {message.timestamp()[1] for message in settled(topics.servers, short)}
    # Those of the other choice may be gone already.
    assert found <= milliseconds if milliseconds else min(found) > TIMESTAMP_MS


def test_what_retention_took_before_is_passed_over(topics: Topics, kafka: KafkaCluster) -> None:
    write(topics.servers, topics.dlq, dead_letters(32, topics.source))
    kafka.admin().delete_records([TopicPartition(topics.dlq, 0, 5)])
    until(lambda: len(read(topics.servers, topics.dlq)) < 32)
    assert topics.run("replay") == 0
    assert len(topics.found()) == 27


def test_transactional_dead_letter_topic_is_read_to_its_end(
    topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    producer = Producer({"bootstrap.servers": topics.servers, "transactional.id": topics.dlq})
    producer.init_transactions(30)
    for record in dead_letters(8, topics.source, partitions=1):
        producer.begin_transaction()
        headers = list(record.headers() or [])
        producer.produce(topics.dlq, record.value(), record.key(), partition=0, headers=headers)
        producer.flush()
        if record.key() == b"person-7":
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    assert topics.run("list", "--counts", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dead_letters"] == 7


def test_reading_leaves_no_group_behind(topics: Topics, kafka: KafkaCluster) -> None:
    write(topics.servers, topics.dlq, dead_letters(4, topics.source))
    before = {group.group_id for group in kafka.admin().list_consumer_groups().result().valid}
    assert topics.run("list") == topics.run("show", "0:0") == topics.run("export") == 0
    after = {group.group_id for group in kafka.admin().list_consumer_groups().result().valid}
    assert after == before


def test_missing_permissions_are_told_one_by_one(
    kafka_sasl: KafkaCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    source, dlq = kafka_sasl.create_topic("acl-source"), kafka_sasl.create_topic("acl-dlq")
    admin = kafka_sasl.client_properties() | {"log_level": "0"}
    producer = Producer(admin)
    record = dead(original(topic=source))
    producer.produce(dlq, record.value(), record.key(), headers=list(record.headers() or []))
    assert producer.flush(30) == 0
    user = kafka_sasl.client_properties("connector")
    reach = ["--topic", dlq, "--bootstrap-servers", kafka_sasl.bootstrap_servers]
    for name in ("security.protocol", "sasl.mechanism", "sasl.username"):
        reach += ["-X", f"{name}={user[name]}"]

    def refused(password: str = CONNECTOR_PASSWORD) -> str:
        assert main(["dlq", "replay", *reach, "-X", f"sasl.password={password}"]) == 77
        err = capsys.readouterr().err
        assert CONNECTOR_PASSWORD not in err
        return err

    assert "refuses the credentials" in refused("wrong")
    assert f"refuses access to topic {dlq}" in refused()
    kafka_sasl.allow("connector", "topic", dlq, ["read", "describe"])
    kafka_sasl.allow("connector", "topic", source, ["describe"])
    assert "refuses the transactional id cio-connector-replay-" in refused()


def test_replayed_record_that_fails_again_is_known_as_such(
    topics: Topics, capsys: pytest.CaptureFixture[str]
) -> None:
    write(topics.servers, topics.dlq, dead_letters(1, topics.source))
    assert topics.run("replay") == 0
    (again,) = topics.found()
    stored = StoredRecord(
        topics.source, 0, again.offset() or 0, again.value(), again.key(), again.headers(), 5
    )
    write(topics.servers, topics.dlq, [dead(stored, partition=1)])
    capsys.readouterr()
    assert topics.run("list", "--json") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["replayed"] for line in listed] == [False, True]
    assert read_letter(dead(stored)).headers == again.headers()
