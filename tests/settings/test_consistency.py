from pathlib import Path

import pytest

from connector.settings.consistency import SILENCE_SECONDS_MAX
from connector.telemetry.health import HEARTBEAT_SECONDS_MAX
from tests.settings.configuration import COMPLETE, loaded, problems


def only(line: str, yaml: str, **environ: str) -> None:
    """The file has this one problem."""
    found = problems(yaml, **environ)
    assert [each.split(" (connector.yaml")[0] for each in found] == [line]


def test_idle_connections_are_no_more_than_connections():
    only(
        "delivery.max_keepalive_connections: must be at most delivery.max_connections (10), not 20",
        "delivery: {max_connections: 10}",
    )


def test_requests_in_flight_are_no_more_than_connections():
    only(
        "delivery.concurrency: must be at most delivery.max_connections (100), not 101",
        "delivery: {concurrency: 101}",
    )


def test_shortest_backoff_is_no_longer_than_the_longest():
    only(
        "delivery.backoff_seconds_min: must be at most delivery.backoff_seconds_max (30), not 31.5",
        "delivery: {backoff_seconds_min: 31.5}",
    )


def test_dead_letter_share_can_be_reached():
    only(
        "dead_letters.share.min_records: must be at most dead_letters.share.window_records (50), not 100",
        "dead_letters: {share: {window_records: 50}}",
    )


@pytest.mark.parametrize(
    ("deadline", "properties", "bound"),
    [
        (25, "{max.poll.interval.ms: 20000}", "max.poll.interval.ms (20 s)"),
        (45, "{}", "session.timeout.ms (45 s)"),
        (10, "{session.timeout.ms: 6000}", "session.timeout.ms (6 s)"),
        (60, "{session.timeout.ms: 120000}", "60, after which /livez restarts the process"),
    ],
)
def test_revoke_ends_before_anybody_gives_the_waiting_member_up(deadline: int, properties: str, bound: str):
    only(
        f"kafka.revoke_deadline_seconds: must be less than {bound}, not {deadline}; lower it",
        f"kafka: {{revoke_deadline_seconds: {deadline}, properties: {properties}}}",
    )


def test_no_fetch_waits_for_more_than_a_partition_may_give():
    only(
        "kafka.properties.fetch.min.bytes: must not be more than kafka.partition_fetch_bytes (1048576), "
        "or each fetch waits for fetch.wait.max.ms; lower it",
        "kafka: {properties: {fetch.min.bytes: 1048577}}",
    )
    assert loaded("kafka: {properties: {fetch.min.bytes: 1048576}}")


def test_revoke_may_take_nearly_as_long_as_a_member_may_be_silent():
    assert loaded("kafka: {revoke_deadline_seconds: 44}")
    assert loaded("kafka: {revoke_deadline_seconds: 59, properties: {session.timeout.ms: 120000}}")
    assert SILENCE_SECONDS_MAX == HEARTBEAT_SECONDS_MAX


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("PLAINTEXT://b:9092", "b:9092"),
        ("http://b:9092/x, c:9093", "b:9092,c:9093"),
        ("kafka://planted:pl@nted@b:9092", "localhost:9092"),
        ("kafka://", "localhost:9092"),
    ],
)
def test_brokers_are_hosts_and_ports(given: str, shown: str):
    only(
        f"kafka.bootstrap_servers: must be host:port, such as {shown}, without ://;"
        " TLS is security.protocol in kafka.properties",
        f"kafka: {{bootstrap_servers: '{given}'}}",
        CIO_KAFKA__BOOTSTRAP_SERVERS="",
    )


def test_a_file_that_cannot_be_read_is_named_once_with_its_line():
    (line,) = problems(
        "regions:\n  us:\n    site_id: s\n    api_key_file: nowhere",
        base={name: value for name, value in COMPLETE.items() if "__US__" not in name},
    )
    assert line == (
        "regions.us.api_key_file: cannot read nowhere: No such file or directory."
        " Mend the path or its permissions (connector.yaml, line 4)"
    )


def test_buffer_holds_two_full_batches_for_each_group():
    (line,) = problems("buffer: {max_bytes: 1500000}")
    assert line.startswith("buffer.max_bytes: must be 1999996 or more: two full batches for each of 2 groups")
    assert loaded("buffer: {max_bytes: 1500000}", CIO_KAFKA__GROUP_PER_REGION="false")


def test_rule_names_a_configured_region():
    only(
        'routing.rules[0].region: "mars" is no configured region; configured are eu, us',
        "routing: {rules: [{region: mars, topic: t}]}",
    )


def test_rule_has_a_condition():
    only(
        "routing.rules[0]: has no condition; give topic, attribute or id_pattern, or use routing.default",
        "routing: {rules: [{region: us}]}",
    )


def test_rule_has_attribute_and_values_together():
    only(
        "routing.rules[0].values: is missing; name the values of the attribute that match",
        "routing: {rules: [{region: us, attribute: country}]}",
    )
    only(
        "routing.rules[0].attribute: is missing; name the attribute that has these values",
        "routing: {rules: [{region: us, topic: t, values: [a]}]}",
    )


def test_pattern_of_a_rule_is_a_regular_expression():
    (line,) = problems('routing: {rules: [{region: us, id_pattern: "("}]}')
    assert line.startswith("routing.rules[0].id_pattern: is no regular expression: missing )")


@pytest.mark.parametrize(
    "url",
    ["track.customer.io", "ftp://x", "https://", "https:///path", "http://[::1", "http://h:port", "//x"],
)
def test_url_is_http_with_a_host(url: str):
    (line,) = problems(CIO_REGIONS__US__URL=url)
    assert line.startswith("regions.us.url: ")
    assert "such as https://track.customer.io" in line


def test_url_holds_no_credentials():
    (line,) = problems(CIO_REGIONS__US__URL="https://site:planted@track.customer.io")
    assert "must hold no credentials" in line
    assert "planted" not in line


def test_url_has_no_query():
    assert "without ? and #" in problems(CIO_REGIONS__US__URL="https://x/?y=1")[0]


def test_eu_data_is_not_sent_to_the_us_host():
    (line,) = problems(CIO_REGIONS__EU__URL="https://track.customer.io")
    assert line.startswith("regions.eu.url: track.customer.io is the host of region us, not of eu")


def test_region_of_another_name_needs_a_url():
    (line,) = problems("regions: {au: {site_id: s, api_key: k}}")
    assert line.startswith("regions.au.url: is missing; only regions named us and eu have one of their own")


def test_secret_is_given_in_one_way():
    Path("key").write_text("k")
    (line,) = problems("regions: {us: {api_key: a, api_key_file: key}}", CIO_REGIONS__US__API_KEY="")
    assert line.startswith("regions.us.api_key: is given, and regions.us.api_key_file as well. Keep one")


def test_secret_file_that_is_missing_is_named():
    (line,) = problems("regions: {us: {api_key_file: nowhere}}", CIO_REGIONS__US__API_KEY="")
    assert "regions.us.api_key_file: cannot read nowhere: No such file or directory" in line


@pytest.mark.parametrize("name", ["a b", "a/b", "..", "x" * 250, "é"])
def test_topic_name_is_one_that_kafka_takes(name: str):
    (line,) = problems(CIO_KAFKA__TOPICS=f"['{name}']")
    assert line.startswith("kafka.topics[0]: ")
    (line,) = problems(CIO_DEAD_LETTERS__TOPIC=name)
    assert line.startswith("dead_letters.topic: ")


def test_topic_is_given_once():
    (line,) = problems(CIO_KAFKA__TOPICS="a,a", CIO_DEAD_LETTERS__TOPIC="d")
    assert line.startswith('kafka.topics[1]: "a" is given twice')


def test_dead_letters_do_not_come_back_as_input():
    (line,) = problems(CIO_DEAD_LETTERS__TOPIC="customer-events")
    assert line.startswith('dead_letters.topic: "customer-events" is read from as well')
    (line,) = problems(CIO_KAFKA__TOPICS="^customer-", CIO_DEAD_LETTERS__TOPIC="customer-dead")
    assert 'matches the dead-letter topic "customer-dead" too' in line


def test_topic_pattern_is_a_regular_expression():
    (line,) = problems(CIO_KAFKA__TOPICS="['^(']", CIO_DEAD_LETTERS__TOPIC="d")
    assert line.startswith('kafka.topics[0]: "^(" is no regular expression')


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bootstrap.servers", "is set by kafka.bootstrap_servers; use that"),
        ("auto.offset.reset", "is set by kafka.auto_offset_reset; use that"),
        ("enable.auto.commit", "cannot be chosen: offsets are committed once records have an ending"),
        ("acks", "cannot be chosen: what is written counts once Kafka has acknowledged it"),
    ],
)
def test_property_that_a_promise_rests_on_cannot_be_chosen(name: str, text: str):
    only(f"kafka.properties.{name}: {text}", f"kafka: {{properties: {{{name}: planted}}}}")
    only(f"dead_letters.properties.{name}: {text}", f"dead_letters: {{properties: {{{name}: planted}}}}")


@pytest.mark.parametrize(
    "name", ["partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"]
)
def test_property_that_the_consumer_protocol_refuses_is_refused(name: str):
    yaml = f"kafka: {{properties: {{{name}: 30000}}}}"
    assert loaded(yaml).kafka.properties[name] == "30000"
    (line,) = problems(yaml, CIO_KAFKA__GROUP_PROTOCOL="consumer")
    assert "the broker's to say with kafka.group_protocol: consumer" in line


def test_property_that_is_reckoned_with_is_a_number():
    (line,) = problems("kafka: {properties: {session.timeout.ms: soon}}")
    assert "must be a whole number of milliseconds" in line


@pytest.mark.parametrize(
    "proxy", ["proxy", "proxy:3128", "socks5://p:1", "http://u:planted@", "http://[x", "http://p:x"]
)
def test_proxy_is_a_url(proxy: str):
    (line,) = problems(CIO_HTTP__PROXY=proxy)
    assert line == "http.proxy: must be an http or https URL, such as http://proxy:3128 (CIO_HTTP__PROXY)"


@pytest.mark.parametrize("rest", ["/planted@proxy:3128", "?planted@proxy", "#planted@proxy"])
def test_proxy_whose_password_is_not_encoded_is_not_taken_for_a_shorter_one(rest: str):
    (line,) = problems(CIO_HTTP__PROXY=f"http://user:p@host{rest}")
    assert line.startswith("http.proxy: must end with host and port; in a password write %2F for /")
    assert "planted" not in line


def test_empty_proxy_means_none_at_all():
    settings = loaded("http: {proxy: ''}")
    assert settings.http.proxy is not None
    assert settings.http.proxy.reveal() == ""
    assert loaded().http.proxy is None


def test_file_of_authorities_can_be_read():
    (line,) = problems(CIO_HTTP__CA_FILE="nowhere.pem")
    assert "http.ca_file: cannot read nowhere.pem: No such file or directory" in line


def test_complete_configuration_has_no_problem():
    assert loaded().regions.keys() == {"us", "eu"}


def test_identify_cache_does_not_go_with_order_by_record_key():
    only(
        "dedup.identifies.max_entries: must be 0 with lanes.key: record_key, "
        "by which a person's states may overtake each other",
        "lanes: {key: record_key}\ndedup: {identifies: {max_entries: 10}}",
    )
