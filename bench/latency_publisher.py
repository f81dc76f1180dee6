"""`python -m bench.latency_publisher BROKERS TOPIC RATE FIRST END`: numbered events at a fixed rate, whatever happens.

Number N is due (N - FIRST) / RATE seconds after the start, which is printed (monotonic clock). What is late is sent at
once and stays due when it was: waiting is never hidden. RATE 0: all at once.
"""

import sys
import time

from confluent_kafka import Producer

PEOPLE = 5_000


def main(brokers: str, topic: str, rate: float, first: int, end: int) -> None:
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 1})
    producer.list_topics(topic, 10)
    start = time.monotonic() + 0.2
    print(start, flush=True)
    for number in range(first, end):
        if rate:
            due = start + (number - first) / rate
            while (missing := due - time.monotonic()) > 0:
                producer.poll(0)
                time.sleep(min(missing, 0.002))
        producer.produce(topic, _event(number), f"person-{number % PEOPLE}".encode())
    assert producer.flush(30) == 0, "everything is on the topic"


def _event(number: int) -> bytes:
    return (
        b'{"event_id":"event-%d","type":"person","action":"event","identifiers":{"id":"person-%d"},'
        b'"name":"order_completed","timestamp":1760000000,"attributes":{"plan":"team","amount":42.5,'
        b'"currency":"EUR","source":"checkout","items":3,"number":%d}}' % (number, number % PEOPLE, number)
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
