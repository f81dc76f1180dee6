"""librdkafka properties that are not passed through, because a setting stands for them or a promise rests on them.

Data alone: the settings are held against it as they are loaded, and whatever reaches a client, a command's arguments
included, once more in connector/kafka.
"""

ELSEWHERE = {
    "bootstrap.servers": "kafka.bootstrap_servers",
    "metadata.broker.list": "kafka.bootstrap_servers",
    "group.id": "kafka.group_id",
    "group.instance.id": "kafka.group_instance_id",
    "group.protocol": "kafka.group_protocol",
    "auto.offset.reset": "kafka.auto_offset_reset",
    "queued.max.messages.kbytes": "kafka.prefetch_bytes",
    "fetch.message.max.bytes": "kafka.partition_fetch_bytes",
    "max.partition.fetch.bytes": "kafka.partition_fetch_bytes",
}
"""Property -> the setting that stands for it."""
FIXED = {
    "enable.auto.commit": "offsets are committed once records have an ending",
    "auto.commit.enable": "offsets are committed once records have an ending",
    "enable.auto.offset.store": "offsets are committed once records have an ending",
    "enable.idempotence": "dead letters must not be lost or reordered",
    "acks": "what is written counts once Kafka has acknowledged it",
    "request.required.acks": "what is written counts once Kafka has acknowledged it",
    "transactional.id": "dead letters are written outside of transactions",
}
"""Property -> the promise that rests on it."""
NOT_WITH_CONSUMER_PROTOCOL = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms")
"""The broker says these."""
