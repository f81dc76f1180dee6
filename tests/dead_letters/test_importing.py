from collections import Counter
from io import BytesIO
from threading import Event

import pytest

from connector.dead_letters import writer as writer_module
from connector.dead_letters.importing import Contents, contents, put_on_topics
from connector.dead_letters.json_lines import read_lines
from connector.dead_letters.writer import Writer
from connector.errors import InputFileError
from connector.kafka.configuration import ProducerOptions
from tests.dead_letters.mock_kafka import read

CUT = b'{"topic":"t","value":null,"truncated":5}\n'


def lines(topic: str, count: int) -> bytes:
    return b"".join(
        b'{"topic":"%s","partition":%d,"value":{"n":%d}}\n' % (topic.encode(), number % 4, number)
        for number in range(1, count + 1)
    )


def test_contents_are_counted_by_topic() -> None:
    file = BytesIO(lines("a", 2) + CUT + lines("b", 1))
    assert contents(file, "c", 0) == Contents(Counter(a=2, b=1), {}, 1)
    file.seek(0)
    assert contents(file, "c", 3) == Contents(Counter(b=1), {}, 0)


def test_bad_line_is_found_wherever_it_is() -> None:
    with pytest.raises(InputFileError, match="line 3"):
        contents(BytesIO(lines("a", 2) + b"nonsense\n"), "c", 0)


def test_stopped_import_goes_on_after_the_line_it_names(
    servers: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TRANSACTION_RECORDS", 3)
    text = lines(topic, 10) + CUT + lines(topic, 1)
    last = 0
    stopped = Event()

    def committed(line: int) -> None:
        nonlocal last
        last = line
        stopped.set()

    def put(after_line: int) -> bool:
        writer = Writer(
            ProducerOptions(bootstrap_servers=servers), f"import-{topic}-{after_line}", {topic: 4}
        )
        return put_on_topics(read_lines(BytesIO(text), "c"), after_line, writer, stopped, committed)

    assert put(0) is False
    assert last == 3
    rounds = 1
    while not put(last):
        stopped.clear()
        rounds += 1
        assert rounds < 20
    assert last == 12
    values = [message.value() for message in read(servers, topic)]
    assert Counter(values) == Counter(b'{"n":%d}' % number for number in [*range(1, 11), 1])
