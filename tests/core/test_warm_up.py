"""On assignment, records before the committed offset are read again to feed their ids to the dedup window."""

import pytest

from connector.core.answers import Accepted
from connector.core.effects import Outcome
from connector.core.options import (
    BatchOptions,
    CoreOptions,
    DedupOptions,
    DeliveryOptions,
    IdentifyCacheOptions,
)
from connector.events.event import Reason
from connector.events.record import StoredRecord
from connector.events.ulid import ulid_from_id
from tests.core.harness import Harness, at, event, identify, names, ulids, unsendable, window


def _finished(*records: StoredRecord, reject: tuple[str, ...] = (), **options: object) -> Harness:
    """An earlier owner that ended these records and committed."""
    core = Harness(**options)  # type: ignore[arg-type]
    core.receive(*records)
    for send in core.sends():
        core.reject(send, *reject) if reject else core.accept(send)
    core.advance()
    core.written()
    core.settle()
    assert core.broker[at(0)].offset == (records[-1].offset() or 0) + 1
    return core


def _next(core: Harness, **options: object) -> Harness:
    other = Harness(partitions=(), **options)  # type: ignore[arg-type]
    other.broker = core.broker
    return other


def _takes_mended(core: Harness, offset: int, id_: str) -> bool:
    """Is an event that a person mended by hand sent under its id, as if nothing had come before it?"""
    (send,) = core.take(event(offset, "mended", id=id_))
    return ulids(send) == [ulid_from_id(id_)] and core.core.snapshot(core.now).conflicts == 0


def test_a_duplicate_across_a_restart_is_caught() -> None:
    records = [event(0, "first", id="1"), event(1, "second", id="2")]
    core = _next(_finished(*records))
    assert core.assign(0).offset == 0
    core.receive(*records)
    assert core.take(event(2, "second", id="2")) == []
    assert core.endings() == {Outcome.DUPLICATE: 1} and core.watermark() == 3


def test_warm_up_reads_so_many_records_before_the_committed_offset_and_never_before_the_log() -> None:
    finished = _finished(*(event(offset) for offset in range(100)))
    assert _next(finished, dedup=window(warm_up_records=30)).assign(0).offset == 70
    assert _next(finished, dedup=window(warm_up_records=30)).assign(0, low=90).offset == 90
    assert _next(finished, dedup=window(warm_up_records=0)).assign(0).offset == 100
    assert _next(finished, dedup=window(max_entries=0)).assign(0).offset == 100


def test_warm_up_sends_counts_and_commits_nothing() -> None:
    records = [event(0, "first", id="1"), unsendable(1), event(2, "second", id="2")]
    core = _next(_finished(*records))
    core.assign(0)
    assert core.take(*records) == []
    assert core.letters == [] and core.endings() == {} and core.is_empty() and core.watermark() == 3
    assert core.core.snapshot(core.now).window_entries == 2


def test_warm_up_feeds_digests_so_that_a_conflict_is_seen() -> None:
    records = [event(0, "first", id="1")]
    core = _next(_finished(*records))
    core.assign(0)
    core.receive(*records)
    core.take(event(1, "other", id="1"))
    assert core.core.snapshot(core.now).conflicts == 1


def test_warm_up_feeds_no_id_of_a_region_that_others_serve() -> None:
    regions = {"regions": ("us", "eu"), "serves": ("us",)}
    records = [event(0, "first", id="1", region="eu")]
    core = _next(_finished(*records, **regions), **regions)
    core.assign(0)
    core.receive(*records)
    assert core.core.snapshot(core.now).window_entries == 0


def test_warm_up_passes_over_dead_letters_so_that_a_mended_event_may_follow() -> None:
    records = [event(0, "good", id="0"), event(1, "bad", id="1"), event(2, "good too", id="2")]
    core = _next(_finished(*records, reject=("bad",)))
    core.assign(0)
    core.receive(*records)
    assert _takes_mended(core, 3, "1")


def test_dead_letters_are_passed_over_after_a_second_restart_too() -> None:
    records = [event(0, "good", id="0"), event(1, "bad", id="1")]
    second = _next(_finished(*records, reject=("bad",)))
    second.assign(0)
    second.receive(*records, event(2, "more", id="3"))
    second.settle()
    third = _next(second)
    third.assign(0)
    third.receive(*records, event(2, "more", id="3"))
    assert _takes_mended(third, 3, "1")


def test_duplicates_that_shared_a_dead_letter_are_passed_over_too() -> None:
    records = [event(0, "bad", id="1"), event(1, "bad", id="1"), event(2, "good", id="2")]
    core = _next(_finished(*records, reject=("bad",)))
    core.assign(0)
    core.receive(*records)
    assert _takes_mended(core, 3, "1")


def test_conflicts_that_were_dead_lettered_are_passed_over() -> None:
    options = {"dedup": window(on_conflict="dead_letter")}
    records = [event(0, "first", id="1"), event(1, "other", id="1")]
    core = _next(_finished(*records, **options), **options)
    core.assign(0)
    core.receive(*records)
    assert core.take(event(2, "first", id="1")) == []
    assert core.endings() == {Outcome.DUPLICATE: 1}


def test_conflicts_that_were_dropped_while_the_other_was_on_its_way_are_passed_over() -> None:
    options = {"dedup": window(on_conflict="drop")}
    first, other = event(0, "first", id="1"), event(0, "other", id="1", partition=1)
    core = Harness(partitions=(0, 1), **options)
    core.take(first)
    core.receive(other)
    core.wait(1.0)
    assert core.broker[at(0)].offset == 0
    assert core.broker[at(1)].offset == 1, "the other has ended"
    core = _next(core, **options)
    core.assign(0)
    core.assign(1)
    core.receive(other)
    assert len(core.take(first)) == 1, "nobody has accepted it yet"


def test_dead_letters_that_no_longer_fit_move_warm_up_behind_them() -> None:
    count = 3_000
    records = [event(offset, f"e{offset}", id=f"i{offset}", who=f"p{offset}") for offset in range(count)]
    bad = tuple(f"e{offset}" for offset in range(0, count, 3))
    core = _next(_finished(*records, reject=bad, accept_dead_letters=True), accept_dead_letters=True)
    start = core.assign(0)
    assert 0 < start.offset < count, "not all of them fit"
    core.receive(*records[start.offset :])
    mended = [
        event(count + place, "mended", id=f"i{offset}") for place, offset in enumerate(range(0, count, 3))
    ]
    core.receive(*mended)
    core.settle()
    assert core.delivered() == ["mended"] * len(mended)
    assert core.core.snapshot(core.now).conflicts == 0


def test_what_was_finished_beyond_the_watermark_feeds_the_window_too() -> None:
    core = Harness(batch=BatchOptions(linger_ms=0, max_events=1))
    records = [event(0, who="ann"), event(1, "second", id="2", who="bob")]
    _, second = core.take(*records)
    core.accept(second)
    core.wait(1.0)
    other = _next(core)
    other.assign(0)
    other.receive(*records)
    other.settle()
    assert other.take(event(2, "second", id="2", who="bob")) == []
    assert other.endings() == {Outcome.ACCEPTED: 1, Outcome.DUPLICATE: 1}


def test_an_id_s_time_starts_at_warm_up() -> None:
    records = [event(0, "first", id="1")]
    core = _next(_finished(*records), dedup=window(ttl_seconds=10))
    core.assign(0)
    core.receive(*records)
    core.wait(10.5)
    assert len(core.take(event(1, "first", id="1"))) == 1


def test_a_restart_of_the_client_during_warm_up_skips_the_rest_of_it_and_nothing_else() -> None:
    records = [event(offset, id=f"i{offset}") for offset in range(10)]
    core = _next(_finished(*records))
    core.assign(0)
    core.receive(*records[:3])
    (start,) = core.core.restart([at(0)], core.now)
    assert start.offset == 10
    core.receive(event(10))
    core.settle()
    assert core.delivered() == ["0/10"] and core.watermark() == 11


def test_a_foreign_offset_begins_without_warm_up() -> None:
    """Where the offset was put by somebody else, it is not known whether what lies before it was ever sent."""
    core = Harness(partitions=())
    assert core.assign(0, committed=500, metadata="").offset == 500


def test_warm_up_does_not_count_towards_the_buffer_or_the_span() -> None:
    records = [event(offset, id=f"i{offset}") for offset in range(10)]
    core = _next(_finished(*records))
    core.assign(0)
    core.receive(*records)
    assert core.is_empty() and core.partition().outstanding == 0
    assert core.partition().waiting == "nothing_to_read"


def test_warm_up_never_feeds_the_identify_cache() -> None:
    options = {"dedup": DedupOptions(identifies=IdentifyCacheOptions(max_entries=10))}
    records = [identify(0, "A")]
    core = _next(_finished(*records, **options), **options)
    core.assign(0)
    core.receive(*records)
    assert len(core.take(identify(1, "A"))) == 1


def test_the_default_warms_5000_records_up() -> None:
    assert CoreOptions(regions=("us",), serves=("us",)).dedup.events.warm_up_records == 5_000


def test_dead_letters_that_decoding_finds_by_itself_need_no_place_in_the_metadata() -> None:
    records = [unsendable(offset, Reason.UNDECODABLE) for offset in range(60)]
    plain = _finished(event(59)).broker[at(0)].metadata
    assert len(_finished(*records).broker[at(0)].metadata) == len(plain)


def test_an_id_that_is_on_its_way_is_left_alone_by_warm_up() -> None:
    records = [event(0, "first", id="1")]
    core = _next(_finished(*records))
    core.assign(1)
    (send,) = core.take(event(0, "first", id="1", partition=1))
    core.assign(0)
    core.receive(*records)
    assert core.core.snapshot(core.now).window_entries == 0
    core.accept(send)
    core.run(lambda send: Accepted())
    assert core.watermark(1) == 1


def test_a_conflict_that_is_read_again_does_not_take_the_first_one_s_place() -> None:
    records = [event(0, "first", id="1"), event(1, "other", id="1")]
    core = _next(_finished(*records))
    core.assign(0)
    core.receive(*records)
    assert core.take(event(2, "first", id="1"), event(3, "other", id="1")) == []
    assert core.endings() == {Outcome.DUPLICATE: 2}


def test_a_conflict_that_is_read_again_does_not_take_the_place_of_what_the_window_still_knows() -> None:
    records = [event(0, "first", id="1"), event(1, "other", id="1")]
    core = _finished(*records)
    core.core.lose([at(0)], core.now)
    core.assign(0)
    core.receive(*records)
    assert core.take(event(2, "first", id="1"), event(3, "other", id="1")) == []


@pytest.mark.parametrize("on_conflict", ["drop", "dead_letter"])
def test_conflicts_that_were_not_sent_leave_the_first_one_in_the_window(on_conflict: str) -> None:
    options = {"dedup": window(on_conflict=on_conflict)}
    records = [event(0, "first", id="1"), event(1, "other", id="1")]
    core = _next(_finished(*records, **options), **options)
    core.assign(0)
    core.receive(*records)
    core.receive(event(2, "first", id="1"))
    assert core.endings() == {Outcome.DUPLICATE: 1} and core.core.snapshot(core.now).conflicts == 0


def test_dead_letters_beyond_the_watermark_that_did_not_fit_are_not_fed_to_the_window() -> None:
    options = {"accept_dead_letters": True}
    core = Harness(delivery=DeliveryOptions(concurrency=100), **options)  # type: ignore[arg-type]
    core.take(event(0, "waits", who="ann"))
    records = [
        event(offset, f"bad {offset}", id=f"i{offset}", who=f"p{offset}") for offset in range(1, 3_000)
    ]
    core.receive(*records)
    for send in core.sends():
        core.reject(send, *names(send))
    core.advance()
    core.written()
    core.wait(2.0)
    other = _next(core, **options)
    assert other.assign(0).offset == 0
    other.receive(event(0, "waits", who="ann"), *records)
    other.settle()
    assert other.watermark() == 3_000
    assert _takes_mended(other, 3_000, "i1")
