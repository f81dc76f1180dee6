"""A dead-letter topic that is missing is told as the groups start, and not once a record has got stuck for it."""

import asyncio
import logging

from confluent_kafka import KafkaException

from connector.errors import ConnectorError
from connector.kafka.dead_letters import DeadLetterOptions
from connector.kafka.missing_topic import missing_topic
from connector.pipeline.background import in_background

logger = logging.getLogger("connector")

_AGAIN_SECONDS = 10.0


class DeadLetterTopic:
    """Holds up nothing: what cannot be known is not told."""

    def __init__(self, options: DeadLetterOptions) -> None:
        self._options = options
        self.missing = ""
        """That it does not exist, with the fix; empty as far as is known."""

    async def watch(self) -> None:
        """Until it is there, or somebody creates it."""
        topic, producer = self._options.topic, self._options.producer
        while True:
            try:
                error = await in_background(lambda: missing_topic(producer, topic))
            except (ConnectorError, KafkaException):
                pass  # the consumer says so, and goes on trying as well
            else:
                if error is None:
                    break
                self._say(str(error))
            await asyncio.sleep(_AGAIN_SECONDS)
        if self.missing:
            self.missing = ""
            logger.info(f"the dead-letter topic {topic} is there now")

    def _say(self, missing: str) -> None:
        if not self.missing:
            logger.warning(
                f"no dead letter can be written, and a record that needs one waits: {missing}",
            )
        self.missing = missing
