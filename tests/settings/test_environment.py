import pytest

from connector.settings.environment import merge, read_environment
from connector.settings.load import load_settings
from tests.settings.configuration import COMPLETE, loaded, problems


def test_list_is_separated_by_commas_or_written_as_yaml():
    for text in ("a, b,", "[a, b]"):
        assert loaded(CIO_KAFKA__TOPICS=text, CIO_DEAD_LETTERS__TOPIC="d").kafka.topics == ("a", "b")


def test_list_of_rules_is_written_as_yaml():
    settings = loaded(CIO_ROUTING__RULES="[{region: eu, attribute: country, values: [DE]}]")
    assert settings.routing.rules[0].values == ("DE",)


def test_whole_section_is_written_as_yaml_and_single_values_go_over_it():
    settings = loaded(CIO_BATCH="{max_events: 5, linger_ms: 1}", CIO_BATCH__LINGER_MS="2")
    assert (settings.batch.max_events, settings.batch.linger_ms) == (5, 2)


def test_property_of_librdkafka_has_dots_for_underscores():
    settings = loaded(CIO_KAFKA__PROPERTIES__SECURITY_PROTOCOL="SSL")
    assert settings.kafka.properties == {"security.protocol": "SSL"}


def test_region_with_a_hyphen_is_named_with_an_underscore():
    settings = loaded(
        "regions: {eu-two: {url: 'http://x', site_id: s}}",
        CIO_REGIONS__EU_TWO__API_KEY="k",
    )
    assert settings.regions["eu-two"].site_id == "s"
    assert settings.regions["eu-two"].api_key is not None


@pytest.mark.parametrize("text", ["0123", "1e5", "true", "null", "a: b", "[x", "with,comma", "#x", "*a"])
def test_text_is_taken_as_it_stands(text: str):
    api_key = loaded(CIO_REGIONS__US__API_KEY=text.replace(" ", "")).regions["us"].api_key
    assert api_key is not None
    assert api_key.reveal() == text.replace(" ", "")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", True), ("0", False)])
def test_boolean(text: str, value: bool):
    assert loaded(CIO_HTTP__VERIFY_TLS=text).http.verify_tls is value


def test_boolean_that_is_none_is_named_with_its_variable():
    (line,) = problems(CIO_HTTP__VERIFY_TLS="maybe")
    assert line == 'http.verify_tls: must be true or false, not "maybe" (CIO_HTTP__VERIFY_TLS)'


def test_empty_variable_counts_as_not_set():
    assert loaded("batch: {max_events: 4}", CIO_BATCH__MAX_EVENTS="").batch.max_events == 4


def test_variables_that_kubernetes_makes_for_our_own_service_are_ignored():
    assert loaded(CIO_CONNECTOR_PORT="tcp://10.0.0.1:8080", CIO_CONNECTOR_SERVICE_HOST="10.0.0.1") == loaded()


def test_variables_that_kubernetes_makes_for_another_service_are_explained():
    (line,) = problems(CIO_KAFKA_SERVICE_HOST="10.0.0.1")
    assert "enableServiceLinks: false" in line


def test_variables_of_others_are_no_concern():
    assert loaded(KAFKA__TOPICS="x", CIOX="y", cio_batch__max_events="0") == loaded()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("CIO_KAFKA__BOOTSTRAP_SERVER", "CIO_KAFKA__BOOTSTRAP_SERVERS"),
        ("CIO_KAFKA_TOPICS", "CIO_KAFKA__TOPICS"),
        ("CIO_API_KEY", "CIO_REGIONS__EU__API_KEY"),
        ("CIO_REGIONS__EU__APIKEY", "CIO_REGIONS__EU__API_KEY"),
        ("CIO_DELIVERY__CONCURENCY", "CIO_DELIVERY__CONCURRENCY"),
    ],
)
def test_unknown_variable_names_the_nearest(variable: str, meant: str):
    (line,) = problems("regions: {eu: {}}", **{variable: "planted-secret"})
    assert line == f"{variable}: unknown setting; did you mean {meant}?"


@pytest.mark.parametrize(
    "variable",
    ["CIO_NONSENSE", "CIO_", "CIO_BATCH__", "CIO___", "CIO_BATCH__MAX_EVENTS__X", "CIO_REGIONS____URL"],
)
def test_unknown_variable_is_an_error(variable: str):
    (line,) = problems(**{variable: "x"})
    assert line.startswith(f"{variable}: unknown setting")


def test_section_that_is_no_yaml_is_named_without_its_content():
    (line,) = problems(CIO_REGIONS__US="{api_key: planted-secret")
    assert line.startswith("CIO_REGIONS__US: must be written as YAML")
    assert "planted-secret" not in line


def test_secret_in_the_environment_replaces_the_file_that_held_it():
    merged = merge(
        {"regions": {"us": {"api_key_file": "/f", "site_id": "s"}}},
        {"regions": {"us": {"api_key": "k", "site_id_file": "/g"}}},
    )
    assert merged == {"regions": {"us": {"api_key": "k", "site_id_file": "/g"}}}


def test_lists_are_replaced_and_mappings_merged():
    assert merge({"a": {"b": [1], "c": 2}}, {"a": {"b": [3]}}) == {"a": {"b": [3], "c": 2}}


def test_each_path_remembers_its_variable():
    overlay = read_environment({"CIO_BATCH__MAX_EVENTS": "5"}, ())
    assert overlay.data == {"batch": {"max_events": 5}}
    assert overlay.variables == {("batch", "max_events"): "CIO_BATCH__MAX_EVENTS"}


def test_region_known_from_the_environment_alone():
    settings = load_settings(
        None, {**COMPLETE, "CIO_REGIONS__AU__URL": "https://x.example"}, needs=("kafka",)
    )
    assert settings.regions["au"].url == "https://x.example"
