"""Offsets of groups, asked for from outside."""

from concurrent.futures import Future
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException

from connector.kafka.group_offsets import group_offsets


def test_request_that_is_never_answered_is_given_up_long_before_the_client_does() -> None:
    """The client may abort the process where its own time is up."""
    never: Future[object] = Future()
    admin = Mock()
    admin.list_consumer_group_offsets.return_value = {"group": never}
    with pytest.raises(KafkaException) as raised:
        group_offsets(admin, "group", timeout_seconds=0.01)
    assert raised.value.args[0].code() == KafkaError._TIMED_OUT
    assert admin.list_consumer_group_offsets.call_args.kwargs["request_timeout"] > 60
