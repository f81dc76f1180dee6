from connector.cli.changed_settings import changed_settings
from connector.settings.load import load_settings

KAFKA = {"CIO_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092", "CIO_KAFKA__TOPICS": "[events, clicks]"}
KEYS = {"CIO_REGIONS__EU__SITE_ID": "a-site", "CIO_REGIONS__EU__API_KEY": "never-shown"}


def test_only_what_is_not_the_default_is_shown_and_no_secret() -> None:
    changed = changed_settings(
        load_settings(
            None,
            {
                **KAFKA,
                **KEYS,
                "CIO_DELIVERY__CONCURRENCY": "3",
                "CIO_KAFKA__PROPERTIES": "{sasl.username: me, sasl.password: never-shown}",
                "CIO_DEAD_LETTERS__TOPIC": "letters",
            },
        )
    )
    assert changed.pop("regions.eu.url").startswith("https://")
    assert changed.pop("routing.default") == "eu"
    assert changed == {
        "kafka.bootstrap_servers": "kafka:9092",
        "kafka.topics": "events,clicks",
        "kafka.group_per_region": "false",
        "kafka.properties.sasl.username": "me",
        "kafka.properties.sasl.password": "***",
        "regions.eu.site_id": "a-site",
        "regions.eu.api_key": "***",
        "dead_letters.topic": "letters",
        "delivery.concurrency": "3",
    }


def test_a_setting_that_is_given_and_is_the_default_is_not_shown() -> None:
    plain = load_settings(None, {**KAFKA, **KEYS, "CIO_DEAD_LETTERS__TOPIC": "letters"})
    same = {"CIO_LOG__LEVEL": plain.log.level, "CIO_DEAD_LETTERS__TOPIC": "letters"}
    assert changed_settings(load_settings(None, {**KAFKA, **KEYS, **same})) == changed_settings(plain)
