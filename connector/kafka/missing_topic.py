"""Whether a topic is there that is only written to now and then: nobody else would notice before it is needed."""

from confluent_kafka import KafkaError

from connector.errors import UnavailableError
from connector.kafka.broker_configs import broker_config
from connector.kafka.configuration import ProducerOptions
from connector.kafka.errors import UNKNOWN_TOPIC
from connector.kafka.reach import Reached, reached
from connector.kafka.topic_facts import topic_facts

REACH_SECONDS = 10.0
ANSWER_SECONDS = 5.0


def missing_topic(options: ProducerOptions, topic: str) -> UnavailableError | None:
    """What to do about a topic that does not exist. None where it does, where these credentials may not know, and
    where brokers create it as it is written to. Blocks. Raises ConnectorError where no broker answers."""
    kafka = reached(options, REACH_SECONDS)
    if not kafka.has_controller:
        return None  # nobody tells what is missing from what must not be seen
    facts = topic_facts(kafka, [topic], ANSWER_SECONDS)[topic]
    if not isinstance(facts, KafkaError) or facts.code() not in UNKNOWN_TOPIC or _creates_topics(kafka):
        return None
    servers = options.bootstrap_servers
    return UnavailableError(
        f"topic {topic} does not exist at {servers}", creation(servers, topic, 3, len(kafka.metadata.brokers))
    )


def creation(servers: str, topic: str, partitions: int, brokers: int) -> str:
    """The command that creates a topic, with as many replicas as are usual where there are brokers enough."""
    return (
        f"Create it: kafka-topics.sh --bootstrap-server {servers} --create --topic {topic} "
        f"--partitions {partitions} --replication-factor {min(3, brokers)}"
    )


def _creates_topics(kafka: Reached) -> bool:
    """As far as these credentials may see it."""
    return broker_config(kafka, ANSWER_SECONDS).get("auto.create.topics.enable") == "true"
