"""What the settings mean for the Kafka shell."""

from connector.kafka.configuration import ConsumerOptions, ProducerOptions
from connector.kafka.dead_letters import DeadLetterOptions
from connector.settings.model import Settings


def consumer_options(settings: Settings, group_id: str) -> ConsumerOptions:
    """The consumer of one group."""
    kafka = settings.kafka
    return ConsumerOptions(
        bootstrap_servers=kafka.bootstrap_servers,
        topics=kafka.topics,
        group_id=group_id,
        group_protocol=kafka.group_protocol,
        group_instance_id=kafka.group_instance_id,
        prefetch_bytes=kafka.prefetch_bytes,
        partition_fetch_bytes=kafka.partition_fetch_bytes,
        properties=kafka.properties,
    )


def dead_letter_options(settings: Settings) -> DeadLetterOptions:
    """The dead-letter producer: it reaches Kafka as the consumer does, unless told otherwise."""
    kafka, dead_letters = settings.kafka, settings.dead_letters
    return DeadLetterOptions(
        topic=dead_letters.topic,
        producer=ProducerOptions(
            bootstrap_servers=kafka.bootstrap_servers,
            properties={**kafka.properties, **dead_letters.properties},
        ),
    )
