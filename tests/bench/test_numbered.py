import urllib.error
import urllib.request

import msgspec
import pytest

from bench.destination import Counts, Destination, destination
from bench.numbered import HOT, chunks, numbered_events
from bench.outage import Outage


def post(sink: Destination, *numbers: int) -> None:
    values = [numbered_events(number, number + 1)[0][1] for number in numbers]
    urllib.request.urlopen(sink.url, b'{"batch":[' + b",".join(values) + b"]}", timeout=10).close()


def test_every_event_has_an_id_and_a_number_of_its_own() -> None:
    values = [msgspec.json.decode(value) for chunk in chunks(0, 60_000) for _, value in chunk]
    assert len({value.get("event_id") or value["messageId"] for value in values}) == 60_000
    numbers = [(value.get("attributes") or value["properties"])["number"] for value in values]
    assert numbers == list(range(60_000))
    assert {value["type"] for value in values} == {"person", "track"}


def test_a_hot_person_has_the_share_that_is_asked_for() -> None:
    keys = [key for key, _ in numbered_events(0, 1_000, hot_share=0.9)]
    assert keys.count(HOT) == 900


def test_the_sink_tells_what_it_accepted_once_again_and_not_at_all() -> None:
    with destination(10) as sink:
        post(sink, 1, 2, 3)
        post(sink, 3, 4)
        assert sink.counts() == Counts(accepted=4, again=1, refused=0)


def test_the_sink_refuses_for_as_long_as_it_is_told_to() -> None:
    with destination(10) as sink:
        sink.refuse(429, 5)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            post(sink, 1)
        assert (refusal.value.code, refusal.value.headers["Retry-After"]) == (429, "5")
        sink.refuse(429, None)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            post(sink, 1)
        assert refusal.value.headers["Retry-After"] is None
        assert sink.counts() == Counts(accepted=0, again=0, refused=2)
        sink.accept()
        post(sink, 1)
        assert sink.counts().accepted == 1


def test_memory_that_grows_and_records_that_are_taken_meanwhile_miss_their_bars() -> None:
    settling = [50.0] * 15
    flat = Outage(60, 0, 0, [*settling, *[80.0] * 45], [*[0] * 15, *[7] * 45], 0, [])
    assert (flat.grew_mb, flat.taken) == (0, 0)
    assert all(bar.met for bar in flat.bars(""))
    rising = flat._replace(resident_mb=[*settling, *map(float, range(80, 125))], held=list(range(60)))
    assert (rising.grew_mb, rising.taken) == (30, 44)
    assert not any(bar.met for bar in rising.bars(""))
