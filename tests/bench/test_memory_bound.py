from bench.memory_bound import memory_bound
from connector.core.options import DedupOptions, EventWindowOptions, LedgerOptions
from connector.settings.model import RegionSettings, Settings

ONE = Settings(regions={"us": RegionSettings()})
TWO = Settings(regions={"us": RegionSettings(), "eu": RegionSettings()})


def test_the_bound_is_the_sum_of_what_the_page_names() -> None:
    settings = Settings(
        regions=ONE.regions,
        dedup=DedupOptions(events=EventWindowOptions(max_entries=1_000)),
        ledger=LedgerOptions(max_span=2_000),
    )
    bound = memory_bound(settings, partitions=3, records=1_000_000)
    assert bound.window == 1_000 * 320
    assert bound.ledger == 3 * 2_000 * 9
    assert bound.buffer == settings.buffer.max_bytes
    assert bound.bodies == 10 * 499_999
    assert bound.prefetch == 24 * 1024 * 1024
    assert bound.total == 110_000_000 + sum(bound[1:])


def test_what_few_records_cannot_fill_is_not_counted() -> None:
    bound = memory_bound(ONE, partitions=8, records=100)
    assert (bound.window, bound.ledger) == (100 * 320, 100 * 9)


def test_each_region_has_a_window_and_a_group_of_its_own_and_they_share_the_buffer() -> None:
    one, two = memory_bound(ONE, 8, 10**9), memory_bound(TWO, 8, 10**9)
    assert two.window == 2 * one.window
    assert two.prefetch == 2 * one.prefetch
    assert two.ledger == 2 * one.ledger
    assert two.bodies == 2 * one.bodies
    assert two.buffer == one.buffer
