import pytest
from confluent_kafka import KafkaError

from connector.errors import ConfigurationError, ConnectorError, PermissionRefusedError, UnavailableError
from connector.kafka.errors import ErrorTrail, behind_fatal, connector_error
from connector.kafka.verdict import Verdict, verdict_on


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (KafkaError._ALL_BROKERS_DOWN, UnavailableError, "b:9092"),
        (KafkaError._TRANSPORT, UnavailableError, "b:9092"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, UnavailableError, "topic events does not exist"),
        (KafkaError._UNKNOWN_TOPIC, UnavailableError, "topic events does not exist"),
        (KafkaError._AUTHENTICATION, PermissionRefusedError, "credentials"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, PermissionRefusedError, "topic events"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, PermissionRefusedError, "consumer group cio"),
        (KafkaError._SSL, UnavailableError, "TLS"),
        (KafkaError.FENCED_INSTANCE_ID, ConfigurationError, "instance id"),
        (KafkaError.UNSUPPORTED_VERSION, ConfigurationError, "group_protocol"),
        (KafkaError.TOPIC_EXCEPTION, ConfigurationError, "topic events"),
    ],
)
def test_error_says_what_is_wrong_and_what_to_do(code: int, kind: type[ConnectorError], words: str) -> None:
    error = connector_error(KafkaError(code), "b:9092", "events", "cio")
    assert type(error) is kind
    assert words in str(error)
    assert error.fix


def test_unknown_error_is_named() -> None:
    assert "POLICY_VIOLATION" in str(connector_error(KafkaError(KafkaError.POLICY_VIOLATION), "b:9092"))


def test_refused_credentials_are_the_cause_of_what_timed_out() -> None:
    trail = ErrorTrail()
    for code in (KafkaError._AUTHENTICATION, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
        trail(KafkaError(code))
    assert trail.cause(KafkaError(KafkaError._TIMED_OUT)).code() == KafkaError._AUTHENTICATION
    refused = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert trail.cause(refused) is refused


def test_error_without_a_trail_is_its_own_cause() -> None:
    error = KafkaError(KafkaError._TIMED_OUT)
    assert ErrorTrail().cause(error) is error


@pytest.mark.parametrize(
    "ended", [KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN]
)
def test_listener_that_hangs_up_is_told_however_the_operation_ended(ended: int) -> None:
    trail = ErrorTrail()
    trail(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert trail.hung_up(KafkaError(ended))


def test_listener_that_closes_a_connection_in_use_has_hung_up() -> None:
    trail = ErrorTrail()
    trail(
        KafkaError(
            KafkaError._TRANSPORT, "b:9092/bootstrap: Send failed: Broken pipe (after 0ms in state UP)"
        )
    )
    assert trail.hung_up(KafkaError(KafkaError._TIMED_OUT))


def test_listener_that_refuses_or_is_silent_has_not_hung_up() -> None:
    refusing = ErrorTrail()
    reason = "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
    refusing(KafkaError(KafkaError._TRANSPORT, reason))
    refusing(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert not refusing.hung_up(KafkaError(KafkaError._TRANSPORT))
    assert not refusing.silent(KafkaError(KafkaError._TRANSPORT))
    for ended in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
        assert not ErrorTrail().hung_up(KafkaError(ended))
        assert ErrorTrail().silent(KafkaError(ended))


@pytest.mark.parametrize(
    ("code", "of_partition", "verdict"),
    [
        (KafkaError._AUTO_OFFSET_RESET, True, Verdict.OUT_OF_RANGE),
        (KafkaError._LOG_TRUNCATION, True, Verdict.OUT_OF_RANGE),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, True, Verdict.TOPIC),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False, Verdict.TOPIC),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, False, Verdict.GROUP),
        (KafkaError._BAD_MSG, True, Verdict.DROPPED),
        (KafkaError.INVALID_MSG, True, Verdict.DROPPED),
        (KafkaError._TRANSPORT, False, Verdict.PASSING),
        (KafkaError._ALL_BROKERS_DOWN, False, Verdict.UNREACHABLE),
        (KafkaError._AUTHENTICATION, False, Verdict.CREDENTIALS),
        (KafkaError._PARTITION_EOF, True, Verdict.NOTHING),
    ],
)
def test_verdict(code: int, of_partition: bool, verdict: Verdict) -> None:
    assert verdict_on(KafkaError(code), of_partition) is verdict


def test_fatal_error_outweighs_its_code() -> None:
    assert verdict_on(KafkaError(KafkaError.FENCED_INSTANCE_ID, "", True), False) is Verdict.FATAL


def test_fatal_error_of_a_consumer_names_its_cause_in_its_text_alone() -> None:
    text = f"Fatal error: {KafkaError(KafkaError.FENCED_INSTANCE_ID).str()}: Fatal consumer error: ..."
    fatal = KafkaError(KafkaError._FATAL, text)
    assert verdict_on(fatal, False) is Verdict.FATAL
    assert behind_fatal(fatal).code() == KafkaError.FENCED_INSTANCE_ID
    unknown = KafkaError(KafkaError._FATAL, "Fatal error: something new: ...")
    assert behind_fatal(unknown) is unknown
