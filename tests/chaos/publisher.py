"""Publishes traffic at a rate, in a thread, and keeps what was published where."""

import threading
import time
from zlib import crc32

from confluent_kafka import KafkaError, Message, Producer

from tests.chaos.traffic import Mix, Published, Traffic
from tests.parts.provision.kafka import KafkaCluster

_TICK_SECONDS = 0.02
_FLUSH_SECONDS = 90


class Publisher:
    """One idempotent producer, keyed by person. Brokers that are away delay it and lose it nothing."""

    def __init__(
        self, cluster: KafkaCluster, topic: str, partitions: int, traffic: Traffic, rate: float
    ) -> None:
        self.published: list[Published] = []
        """All that was handed to the producer, in this order."""
        self.failures: list[str] = []
        self._topic = topic
        self._partitions = partitions
        self._traffic = traffic
        self._rate = rate
        self._ends = dict.fromkeys(range(partitions), 0)
        self._stopping = threading.Event()
        properties = {
            "enable.idempotence": True,
            "message.timeout.ms": 300_000,
            "queue.buffering.max.messages": 2_000_000,
            "linger.ms": 5,
            "log_level": 0,
        }
        self._producer = Producer(cluster.client_properties() | properties)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def publish_at_once(self, count: int) -> None:
        """A backlog, before `start`."""
        for _ in range(count):
            self._publish()
        self._flush()

    def change(self, mix: Mix) -> None:
        """What is published from now on."""
        self._traffic.mix = mix

    def stop(self) -> None:
        """Publishes no more; waits until Kafka has acknowledged everything."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._flush()

    def ends(self) -> dict[int, int]:
        """Partition -> the offset behind the last record that Kafka has acknowledged."""
        return dict(self._ends)

    def _run(self) -> None:
        began, done = time.monotonic(), 0
        while not self._stopping.wait(_TICK_SECONDS):
            due = int((time.monotonic() - began) * self._rate)
            while done < due and not self._stopping.is_set():
                self._publish()
                done += 1
            self._producer.poll(0)

    def _publish(self) -> None:
        record = self._traffic.next()
        home = crc32(record.key) % self._partitions
        partition = (home + 1) % self._partitions if record.elsewhere else home

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failures.append(error.str())
                return
            offset = message.offset()
            if offset is None:
                # Written before, by an attempt whose answer was lost: the broker does not say where. Nobody else
                # writes here, and acknowledgements come in the log's order.
                offset = self._ends[partition]
            record.partition, record.offset = partition, offset
            self._ends[partition] = offset + 1

        record.at = time.monotonic()
        self.published.append(record)
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    record.value,
                    record.key,
                    partition,
                    headers=list(record.headers),
                    on_delivery=delivered,
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def _flush(self) -> None:
        if left := self._producer.flush(_FLUSH_SECONDS):
            self.failures.append(f"{left} records were not acknowledged within {_FLUSH_SECONDS} s")
