import pytest

from tests.settings.configuration import loaded, problems


def test_unknown_setting_names_the_one_beside_it():
    (line,) = problems("batch: {max_event: 5}")
    assert line == "batch.max_event: unknown setting; did you mean batch.max_events? (connector.yaml, line 1)"


def test_unknown_setting_names_the_section_where_it_belongs():
    (line,) = problems("delivery: {linger_ms: 5}")
    assert "did you mean batch.linger_ms?" in line


def test_unknown_section_names_the_nearest():
    (line,) = problems("deliveries: {concurrency: 5}")
    assert line.startswith("deliveries: unknown setting; did you mean delivery?")


def test_unknown_setting_of_a_region_names_the_one_beside_it():
    assert "did you mean regions.us.api_key?" in problems("regions: {us: {apikey: x}}")[0]


def test_setting_like_no_other_points_at_the_reference():
    assert "docs/configuration.md" in problems("zzz: 1")[0]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("batch: {max_events: ten}", 'batch.max_events: must be a whole number from 1 to 100000, not "ten"'),
        ("batch: {max_events: 1.5}", "batch.max_events: must be a whole number from 1 to 100000, not 1.5"),
        ("batch: {max_events: true}", "batch.max_events: must be a whole number from 1 to 100000, not true"),
        ("batch: {max_events: [1]}", "batch.max_events: must be a whole number from 1 to 100000, not a list"),
        ("batch: {max_events: }", "batch.max_events: must be a whole number from 1 to 100000, not nothing"),
        (
            "delivery: {timeout_seconds: 0}",
            "delivery.timeout_seconds: must be a number above 0, at most 600, not 0",
        ),
        (
            "delivery: {keepalive_seconds: .inf}",
            "delivery.keepalive_seconds: must be a number above 0, not inf",
        ),
        (
            "delivery: {keepalive_seconds: .nan}",
            "delivery.keepalive_seconds: must be a number above 0, not nan",
        ),
        (
            "delivery: {breaker_failures: 0}",
            "delivery.breaker_failures: must be a whole number of 1 or more, not 0",
        ),
        ("http: {verify_tls: off}", 'http.verify_tls: must be true or false, not "off"'),
        (
            "kafka: {topics: customer-events}",
            'kafka.topics: must be a list of text, not "customer-events"; write [customer-events]',
        ),
        (
            "kafka: {topics: 'events, more'}",
            'kafka.topics: must be a list of text, not "events, more"; write [events, more]',
        ),
        ("kafka: {topics: '^e|f'}", 'kafka.topics: must be a list of text, not "^e|f"; write [a, b]'),
        ("kafka: {topics: [1]}", "kafka.topics[0]: must be text, not 1; put it in quotes"),
        ("kafka: {group_id: ''}", "kafka.group_id: must be text that is not empty, not an empty text"),
        ("kafka: {group_id: 12}", "kafka.group_id: must be text that is not empty, not 12; put it in quotes"),
        (
            "kafka: {group_protocol: new}",
            'kafka.group_protocol: must be one of classic, consumer, not "new"',
        ),
        ("batch: 5", "batch: must be a mapping of names to values, not a number"),
        ("regions: [us]", "regions: must be a mapping of names to values, not a list"),
        ("server: {port: 65536}", "server.port: must be a whole number from 0 to 65535, not 65536"),
        (
            "events: {segment: {object_type_id: x}}",
            'events.segment.object_type_id: must be text that matches ^[1-9][0-9]*$, not "x"',
        ),
        ("routing: {rules: {region: us}}", "routing.rules: must be a list, not a mapping"),
        ("routing: {rules: [{topic: t}]}", "routing.rules[0].region: is missing; text is needed"),
        (
            "routing: {rules: [{region: us, topik: t}]}",
            "routing.rules[0].topik: unknown setting; did you mean routing.rules[0].topic?",
        ),
        (
            "kafka: {properties: {sasl: {password: planted}}}",
            "kafka.properties.sasl: must be one value; write the property's whole name, with its dots, as the key",
        ),
        (
            "kafka: {properties: {a.b: [planted]}}",
            "kafka.properties.a.b: must be text, a number or true or false, not a list",
        ),
    ],
)
def test_wrong_value_says_what_is_allowed_and_what_was_given(yaml: str, line: str):
    found = problems(yaml, base={})[0]
    assert found.removesuffix(" (connector.yaml, line 1)") == line


def test_an_item_keeps_its_place_and_line_beside_one_that_does_not_fit():
    rules = """
routing:
  rules:
    - topic: x
    - region: eu
      id_pattern: "("
    - {region: us, topic: 5}
    - {region: mars, topic: y}
"""
    assert problems(rules) == [
        "routing.rules[0].region: is missing; text is needed (connector.yaml, line 4)",
        "routing.rules[2].topic: must be text, not 5; put it in quotes (connector.yaml, line 7)",
        "routing.rules[1].id_pattern: is no regular expression: missing ), unterminated subpattern"
        " (connector.yaml, line 6)",
        'routing.rules[3].region: "mars" is no configured region; configured are eu, us (connector.yaml, line 8)',
    ]


def test_a_list_whose_items_do_not_fit_is_not_missing():
    (line,) = problems("kafka: {topics: [1]}", CIO_KAFKA__TOPICS="")
    assert line.startswith("kafka.topics[0]: must be text")


@pytest.mark.parametrize("name", ["US", "us_west", "-us", "1", "us--x", "us.x"])
def test_name_of_a_region_is_lower_case_letters_digits_and_hyphens(name: str):
    (line,) = problems(f"regions: {{{name}: {{url: 'http://x'}}}}")
    assert line.startswith(f"regions.{name}: the name must be lower-case letters, digits and single hyphens")


def test_secret_that_yaml_takes_for_a_number_is_not_shown():
    (line,) = problems("regions: {us: {api_key: 123456789}}", CIO_REGIONS__US__API_KEY="")
    assert "regions.us.api_key: must be text, not a number; put it in quotes" in line
    assert "123456789" not in line


def test_long_text_is_cut():
    (line,) = problems(f"log: {{level: {'x' * 500}}}")
    assert len(line) < 200


def test_whole_number_may_stand_where_a_number_is_wanted():
    assert loaded("delivery: {timeout_seconds: 5}").delivery.timeout_seconds == 5.0


@pytest.mark.parametrize(
    "yaml",
    [
        "regions: {us: planted}",
        "regions: {us: [planted]}",
        "regions: {us: {api_key: [planted]}}",
        "regions: {us: {api_key: {planted: planted}}}",
        "regions: {us: {api_keys: planted}}",
        "regions: {us: {api_key:planted}}",
        "regions: {us: {api_key planted}}",
        "regions: {api_key:planted}",
        "http: {proxy: [planted]}",
        "http: {proxie: planted}",
        "http: {ca_file: [planted]}",
        "delivery: {concurrency: 'http://me:planted@host'}",
        "kafka: {properties: planted}",
        "kafka: {properties: [planted]}",
        "kafka: {properties: {sasl.password: [planted]}}",
        "kafka: {properties: {sasl.password:planted}}",
        "kafka: {properties: {acks: planted, session.timeout.ms: planted}}",
        "api_key: planted",
        "planted",
    ],
)
def test_misplaced_secret_is_not_shown(yaml: str):
    assert "planted" not in "".join(problems(yaml, base={}))


def test_missing_space_after_a_colon_is_named():
    (line,) = problems("regions: {us: {api_key:planted}}")
    assert line == (
        "regions.us.api_key...: unknown setting; a space is missing after the colon (connector.yaml, line 1)"
    )
