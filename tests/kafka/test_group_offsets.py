"""Offsets of groups, asked for from outside."""

from concurrent.futures import Future
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException

from connector.kafka.group_offsets import group_offsets


def met(code: int) -> Mock:
    """An admin client whose coordinator of the group answers so when it is asked who is in it."""
    described: Future[object] = Future()
    described.set_exception(KafkaException(KafkaError(code)))
    admin = Mock()
    admin.describe_consumer_groups.return_value = {"group": described}
    return admin


def test_broker_that_is_not_yet_the_coordinator_is_not_asked_for_offsets() -> None:
    """That would crash the process."""
    for code in (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS):
        admin = met(code)
        with pytest.raises(KafkaException) as raised:
            group_offsets(admin, "group")
        assert raised.value.args[0].code() == code
        admin.list_consumer_group_offsets.assert_not_called()


def test_request_that_is_never_answered_is_given_up_long_before_the_client_does() -> None:
    """The client may abort the process where its own time is up."""
    never: Future[object] = Future()
    admin = met(KafkaError.GROUP_ID_NOT_FOUND)
    admin.list_consumer_group_offsets.return_value = {"group": never}
    with pytest.raises(KafkaException) as raised:
        group_offsets(admin, "group", timeout_seconds=0.01)
    assert raised.value.args[0].code() == KafkaError._TIMED_OUT
    assert admin.list_consumer_group_offsets.call_args.kwargs["request_timeout"] > 60
