import pytest

from connector.errors import ConfigurationError
from connector.settings.groups import consumer_groups, core_options
from tests.settings.configuration import loaded


def test_each_region_has_its_group():
    assert consumer_groups(loaded()) == (
        ("cio-connector-eu", ("eu",)),
        ("cio-connector-us", ("us",)),
    )


def test_one_group_serves_all_regions_where_that_is_wished():
    assert consumer_groups(loaded(CIO_KAFKA__GROUP_PER_REGION="false")) == (("cio-connector", ("eu", "us")),)


def test_group_for_a_single_region_can_be_had():
    settings = loaded(CIO_KAFKA__GROUP_ID="mine")
    assert consumer_groups(settings, "eu") == (("mine-eu", ("eu",)),)


def test_region_that_is_not_configured_has_no_group():
    with pytest.raises(ConfigurationError, match=r"^there is no region mars\. Configured are: eu, us"):
        consumer_groups(loaded(), "mars")


def test_region_without_a_group_of_its_own_cannot_be_served_alone():
    with pytest.raises(ConfigurationError, match=r"Set kafka\.group_per_region: true"):
        consumer_groups(loaded(CIO_KAFKA__GROUP_PER_REGION="false"), "eu")


def test_core_is_told_what_the_settings_say():
    settings = loaded(
        "dead_letters: {share: {max_share: 0.9}}\nkafka: {auto_offset_reset: latest}\nrouting: {strict: true}"
    )
    options = core_options(settings, ("eu",), accept_dead_letters=True)
    assert options.regions == ("eu", "us")
    assert options.serves == ("eu",)
    assert options.dead_letter_share.max_share == 0.9
    assert options.auto_offset_reset == "latest"
    assert options.routing is settings.routing
    for section in ("batch", "delivery", "dedup", "lanes", "ledger"):
        assert getattr(options, section) is getattr(settings, section)
    assert options.accept_dead_letters
    assert options.session_timeout_seconds == 45


def test_groups_of_a_process_share_its_buffer():
    options = core_options(loaded("buffer: {max_bytes: 4000000, max_records: 101}"), ("eu",), groups=2)
    assert (options.buffer.max_bytes, options.buffer.max_records) == (2_000_000, 50)


def test_session_timeout_follows_its_property():
    settings = loaded("kafka: {revoke_deadline_seconds: 5, properties: {session.timeout.ms: 10000}}")
    assert core_options(settings, ("eu",)).session_timeout_seconds == 10
