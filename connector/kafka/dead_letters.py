"""The thread that writes records which can never be delivered to the dead-letter topic, and never gives one up."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connector.core.effects import WriteDeadLetter
from connector.kafka.configuration import ProducerOptions, made, producer_properties
from connector.kafka.dead_letter_record import Cut, letter_of
from connector.kafka.errors import ErrorTrail, connector_error

logger = logging.getLogger(__name__)

Written = Callable[[int, str | None], None]
"""(letter id, None): Kafka has acknowledged it, told once for each. (letter id, error): it has not, and is tried
again; told now and then. Called on the dead-letter thread; must not raise."""

POLL_SECONDS = 0.05
IDLE_SECONDS = 0.2
BACKOFF_SECONDS_MIN = 0.5
BACKOFF_SECONDS_MAX = 30.0
REMIND_SECONDS = 60.0
MESSAGE_TIMEOUT_SECONDS = 60
"""librdkafka tries for so long by itself; then it is said that it does not work."""


class DeadLetterOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where dead letters go."""

    topic: str
    producer: ProducerOptions


class _Letter(msgspec.Struct):
    """A dead letter that is not acknowledged yet."""

    letter: WriteDeadLetter
    cut: Cut = Cut.NOTHING
    alone: bool = False
    """It was refused as too large, which may have been its company's fault: tried again by itself."""


class DeadLetterProducer:
    """Writes dead letters. Its methods may be called from any thread.

    At least once: what a producer that failed had under way is written again by the next. What waits is bounded by
    whoever calls `write`: the core counts it towards the buffer.
    """

    def __init__(self, options: DeadLetterOptions, written: Written) -> None:
        """Raises ConfigurationError for properties that librdkafka refuses."""
        self._options = options
        self._written = written
        self._trail = ErrorTrail()
        self._fatal: KafkaError | None = None
        self._producer = self._new_producer()
        self._arriving: SimpleQueue[_Letter] = SimpleQueue()
        self._waiting: deque[_Letter] = deque()
        self._under_way: dict[int, _Letter] = {}
        self._alone_under_way = False
        self._backoff_seconds = 0.0
        self._again_at = 0.0
        self._reminded_at = float("-inf")
        self._close_at: float | None = None
        self._outstanding = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="kafka-dead-letters", daemon=True)
        self._thread.start()

    def write(self, letter: WriteDeadLetter) -> None:
        """Writes it, however long that takes. Returns at once."""
        with self._lock:
            self._outstanding += 1
        self._arriving.put(_Letter(letter))

    @property
    def outstanding(self) -> int:
        """Letters that are not acknowledged yet."""
        return self._outstanding

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, deadline_seconds: float) -> int:
        """Waits until all are written, or for the deadline, and ends the thread. How many are not written: their
        records have no ending, so they are read again."""
        self._close_at = time.monotonic() + deadline_seconds
        self._thread.join(deadline_seconds + 2 * IDLE_SECONDS)
        return self._outstanding

    # The thread

    def _run(self) -> None:
        while not self._finished():
            self._take()
            try:
                self._produce()
                self._producer.poll(POLL_SECONDS if self._under_way or self._waiting else 0)
                if self._fatal is not None:
                    self._start_over(self._fatal)
            except KafkaException as exception:  # `poll` raises what is fatal, and tells no callback
                self._start_over(exception.args[0])
            except Exception:  # a letter must not be lost by a bug
                logger.exception("the dead-letter producer failed and starts over")
                self._start_over(KafkaError(KafkaError._FAIL))
        self._producer.purge()

    def _finished(self) -> bool:
        if self._close_at is None:
            return False
        return self._outstanding == 0 or time.monotonic() >= self._close_at

    def _take(self) -> None:
        """Takes what has arrived; waits a little for it when there is nothing else to do."""
        try:
            idle = not self._under_way and not self._waiting
            self._waiting.append(
                self._arriving.get(timeout=IDLE_SECONDS) if idle else self._arriving.get_nowait()
            )
            while True:
                self._waiting.append(self._arriving.get_nowait())
        except Empty:
            return

    def _produce(self) -> None:
        """Hands the client what it takes."""
        while self._waiting and time.monotonic() >= self._again_at:
            letter = self._waiting[0]
            if self._under_way and (letter.alone or self._alone_under_way):
                return
            try:
                self._hand_over(letter)
            except BufferError:
                return  # the client's queue is full
            except KafkaException as exception:
                self._waiting.popleft()
                self._refused(letter, exception.args[0])
            else:
                self._waiting.popleft()
                self._under_way[letter.letter.letter_id] = letter
                self._alone_under_way = letter.alone

    def _hand_over(self, letter: _Letter) -> None:
        key, value, headers = letter_of(letter.letter, letter.cut)

        def delivered(error: KafkaError | None, message: Message) -> None:
            # One that was given up with its producer is no longer under way, or under way again.
            if self._under_way.get(letter.letter.letter_id) is letter:
                del self._under_way[letter.letter.letter_id]
                if error is None:
                    self._acknowledged(letter)
                else:
                    self._refused(letter, error)

        self._producer.produce(self._options.topic, value, key, headers=list(headers), on_delivery=delivered)

    def _acknowledged(self, letter: _Letter) -> None:
        self._backoff_seconds = 0.0
        with self._lock:
            self._outstanding -= 1
        self._written(letter.letter.letter_id, None)

    def _refused(self, letter: _Letter, error: KafkaError) -> None:
        """Not written: it is tried again, smaller or later."""
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._fatal = error
        if error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE):
            if not letter.alone:
                letter.alone = True
            elif letter.cut < Cut.ALL:
                letter.cut = Cut(letter.cut + 1)
            else:
                self._wait_and_say(letter, error)
        else:
            self._wait_and_say(letter, error)
        self._waiting.append(letter)

    def _back_off(self) -> None:
        now = time.monotonic()
        if now >= self._again_at:
            self._backoff_seconds = min(
                BACKOFF_SECONDS_MAX, max(BACKOFF_SECONDS_MIN, 2 * self._backoff_seconds)
            )
            self._again_at = now + self._backoff_seconds

    def _wait_and_say(self, letter: _Letter, error: KafkaError) -> None:
        self._back_off()
        now = time.monotonic()
        if now - self._reminded_at >= REMIND_SECONDS:
            self._reminded_at = now
            cause = self._trail.cause(error)
            servers = self._options.producer.bootstrap_servers
            self._written(letter.letter.letter_id, str(connector_error(cause, servers, self._options.topic)))

    def _start_over(self, error: KafkaError) -> None:
        """The producer has refused to go on: another takes its place, after a while, and writes what the old one had.
        Without a permission each is refused as soon as it is there, whether it has something to write or not."""
        self._waiting.extend(self._under_way.values())
        self._under_way.clear()
        self._back_off()
        if self._waiting:
            self._wait_and_say(self._waiting[0], error)
        self._producer.purge()
        with suppress(KafkaException):
            self._producer.poll(0)
        self._fatal = None
        while not self._finished() and (left := self._again_at - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        properties: dict[str, Any] = {
            "message.max.bytes": 1_000_000_000,  # the broker decides what is too large
            "queue.buffering.max.kbytes": 2_097_151,  # the core bounds what waits
            "message.timeout.ms": MESSAGE_TIMEOUT_SECONDS * 1000,
        }
        return made(Producer, properties | producer_properties(self._options.producer, self._on_error))

    def _on_error(self, error: KafkaError) -> None:
        """Called by the client from `poll`. Must not raise."""
        self._trail(error)
        if error.fatal():
            self._fatal = error
