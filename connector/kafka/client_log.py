"""librdkafka's own log lines, kept apart from ours."""

import logging


class ClientLog:
    """Takes librdkafka's lines at debug level: whatever matters in them reaches us as an error or an event too, and
    is told once instead of with every attempt."""

    def __init__(self) -> None:
        self._log = logging.getLogger("connector.kafka.librdkafka")

    def log(self, level: int, text: str, *arguments: object) -> None:
        """Called by confluent_kafka for each line, from `poll`."""
        self._log.debug(text, *arguments)
