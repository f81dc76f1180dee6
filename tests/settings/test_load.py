import os
from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.settings.load import load_settings
from connector.settings.model import Settings
from connector.settings.secret import Secret
from tests.settings.configuration import COMPLETE, loaded, problems

ROOT = Path(__file__).parents[2]


def test_defaults_stand_where_nothing_is_given():
    settings = loaded()
    assert settings.batch == Settings().batch
    assert settings.delivery == Settings().delivery
    assert settings.server.port == 8080


def test_environment_goes_over_file_and_file_over_defaults():
    settings = loaded(
        "delivery: {concurrency: 7, timeout_seconds: 12}\nbatch: {max_events: 50}",
        CIO_DELIVERY__CONCURRENCY="9",
    )
    assert settings.delivery.concurrency == 9
    assert settings.delivery.timeout_seconds == 12
    assert settings.delivery.max_connections == 100
    assert settings.batch.max_events == 50


def test_environment_names_the_file():
    Path("named.yaml").write_text("batch: {max_events: 3}")
    assert load_settings(None, {**COMPLETE, "CIO_CONFIG": "named.yaml"}).batch.max_events == 3


def test_given_path_goes_before_the_one_in_the_environment():
    Path("one.yaml").write_text("batch: {max_events: 1}")
    Path("two.yaml").write_text("batch: {max_events: 2}")
    assert load_settings("two.yaml", {**COMPLETE, "CIO_CONFIG": "one.yaml"}).batch.max_events == 2


def test_example_file_loads():
    settings = load_settings(ROOT / "config/example.yaml", {})
    assert tuple(settings.regions) == ("us", "eu")
    assert settings.routing.rules[0].region == "eu"


def test_example_file_shows_the_defaults():
    """What the example gives a value to without need is given its default, so that it can be left out again."""
    settings = load_settings(ROOT / "config/example.yaml", {})
    for section in ("batch", "delivery", "dedup", "buffer", "server", "log", "drain_deadline_seconds"):
        assert getattr(settings, section) == getattr(Settings(), section)


def test_missing_file_is_one_clear_line():
    with pytest.raises(ConfigurationError, match=r"^there is no configuration file nowhere\.yaml\. "):
        load_settings("nowhere.yaml", COMPLETE)


def test_directory_instead_of_a_file_is_one_clear_line():
    Path("folder").mkdir()
    with pytest.raises(
        ConfigurationError, match=r"^cannot read the configuration file folder: Is a directory"
    ):
        load_settings("folder", COMPLETE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_one_clear_line():
    Path("secret.yaml").write_text("{}")
    Path("secret.yaml").chmod(0)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        load_settings("secret.yaml", COMPLETE)


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n"])
def test_empty_file_is_one_clear_line(text: str):
    assert "connector.yaml is empty" in problems(text)[0]


def test_file_that_is_no_text_is_one_clear_line():
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"^binary\.yaml is not text in UTF-8"):
        load_settings("binary.yaml", COMPLETE)


def test_broken_yaml_is_named_with_its_line():
    (line,) = problems("kafka:\n  topics: [a, b\nbatch: {}\n")
    assert line.startswith("connector.yaml: line 3, column 6: not valid YAML")


def test_list_instead_of_a_mapping_is_one_clear_line():
    assert problems("- a\n- b")[0].startswith("connector.yaml: must hold names and values")


def test_every_problem_is_reported_each_on_its_line():
    lines = problems(
        "delivery:\n  concurency: 5\n  timeout_seconds: ten\nbatch: {max_events: 0}\n",
        CIO_LOG__LEVEL="loud",
        CIO_KAFKA__BOOTSTRAP_SERVER="a:1",
        CIO_ROUTING__DEFAULT="mars",
    )
    assert lines == [
        "CIO_KAFKA__BOOTSTRAP_SERVER: unknown setting; did you mean CIO_KAFKA__BOOTSTRAP_SERVERS?",
        "delivery.concurency: unknown setting; did you mean delivery.concurrency? (connector.yaml, line 2)",
        'delivery.timeout_seconds: must be a number above 0, at most 600, not "ten" (connector.yaml, line 3)',
        "batch.max_events: must be a whole number from 1 to 100000, not 0 (connector.yaml, line 4)",
        'log.level: must be one of debug, info, warning, error, not "loud" (CIO_LOG__LEVEL)',
        'routing.default: "mars" is no configured region; configured are eu, us (CIO_ROUTING__DEFAULT)',
    ]


def test_wrong_value_is_not_reported_twice():
    assert (
        len(problems("kafka: {topics: 5}", base={k: v for k, v in COMPLETE.items() if "TOPICS" not in k}))
        == 1
    )


def test_nothing_configured_names_what_is_missing_and_the_variable_for_it():
    lines = problems(base={})
    assert [line.split(":")[0] for line in lines] == ["kafka.bootstrap_servers", "kafka.topics", "regions"]
    assert "(CIO_KAFKA__BOOTSTRAP_SERVERS in the environment)" in lines[0]


def test_missing_secret_names_setting_and_file_alternative():
    (line,) = problems(CIO_REGIONS__US__API_KEY="")
    assert line.startswith("regions.us.api_key: is missing; set it, or api_key_file to a file that holds it")
    assert "CIO_REGIONS__US__API_KEY" in line


def test_command_that_talks_to_kafka_alone_needs_no_credentials():
    environ = {"CIO_KAFKA__BOOTSTRAP_SERVERS": "a:1", "CIO_KAFKA__TOPICS": "t"}
    settings = load_settings(None, environ, needs=("kafka",))
    assert tuple(settings.regions) == ("us", "eu")
    assert problems(base=environ)[0].startswith("regions: is missing")


def test_command_that_talks_to_nobody_needs_no_configuration():
    settings = load_settings(None, {}, needs=())
    assert settings.regions["eu"].url == "https://track-eu.customer.io"


def test_wrong_value_is_an_error_even_where_the_command_does_not_need_it():
    assert problems(base={}, needs=(), CIO_KAFKA__GROUP_ID="x", CIO_BATCH__MAX_EVENTS="0")


def test_known_regions_have_their_url():
    settings = loaded()
    assert settings.regions["us"].url == "https://track.customer.io"
    assert settings.regions["eu"].url == "https://track-eu.customer.io"


def test_given_url_stands_and_loses_its_last_slash():
    assert loaded(CIO_REGIONS__US__URL="http://localhost:9001/").regions["us"].url == "http://localhost:9001"


def test_single_region_is_the_default_of_routing():
    environ = {name: value for name, value in COMPLETE.items() if "__US__" not in name}
    assert load_settings(None, environ).routing.default == "eu"


def test_single_region_does_not_replace_a_given_default():
    environ = {name: value for name, value in COMPLETE.items() if "__US__" not in name}
    (line,) = problems(base=environ, CIO_ROUTING__DEFAULT="us")
    assert line.startswith('routing.default: "us" is no configured region; configured are eu')


def test_group_for_each_region_follows_the_number_of_regions():
    one = {name: value for name, value in COMPLETE.items() if "__US__" not in name}
    assert load_settings(None, one).kafka.group_per_region is False
    assert loaded().kafka.group_per_region is True
    assert loaded(CIO_KAFKA__GROUP_PER_REGION="false").kafka.group_per_region is False


def test_dead_letter_topic_follows_the_only_topic():
    assert loaded().dead_letters.topic == "customer-events.dead-letters"
    assert loaded(CIO_DEAD_LETTERS__TOPIC="elsewhere").dead_letters.topic == "elsewhere"


@pytest.mark.parametrize("topics", ["a,b", "^customer-"])
def test_dead_letter_topic_must_be_named_for_several_topics_or_a_pattern(topics: str):
    (line,) = problems(CIO_KAFKA__TOPICS=topics)
    assert line.startswith("dead_letters.topic: is missing")
    assert loaded(CIO_KAFKA__TOPICS=topics, CIO_DEAD_LETTERS__TOPIC="bad").dead_letters.topic == "bad"


def test_properties_become_text_as_librdkafka_takes_it():
    settings = loaded(
        "kafka: {properties: {socket.keepalive.enable: true, fetch.wait.max.ms: 10, client.id: me}}"
    )
    assert settings.kafka.properties == {
        "socket.keepalive.enable": "true",
        "fetch.wait.max.ms": "10",
        "client.id": "me",
    }


def test_empty_section_means_its_defaults():
    assert loaded("batch:\nkafka:\n  properties:\n").batch == Settings().batch


def test_secret_of_a_file_is_loaded_as_secret():
    settings = loaded("regions: {us: {api_key: from-file}}", CIO_REGIONS__US__API_KEY="")
    assert settings.regions["us"].api_key == Secret("from-file")
