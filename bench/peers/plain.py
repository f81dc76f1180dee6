"""A plain consumer as many would write it: batches of 100, one after the other, a commit after each.

Each event is decoded, turned into Customer.io's operation and encoded, all with the standard library. It neither
deduplicates nor keeps order nor routes nor survives a refusal. `BROKERS TOPIC GROUP URL EVENTS`
"""

import json
import sys

import httpx
from confluent_kafka import Consumer

from bench.peers.operation import operation_of

BATCH_EVENTS = 100


def main(brokers: str, topic: str, group: str, url: str, events: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    client = httpx.Client(auth=("site", "key"), headers={"Content-Type": "application/json"})
    done = 0
    while done < events:
        messages = [message for message in consumer.consume(BATCH_EVENTS, 0.5) if message.error() is None]
        if not messages:
            continue
        batch = [operation_of(message.value() or b"") for message in messages]
        client.post(f"{url}/api/v2/batch", content=json.dumps({"batch": batch})).raise_for_status()
        consumer.commit(asynchronous=False)
        done += len(messages)
    print(done, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    brokers, topic, group, url, events = sys.argv[1:]
    main(brokers, topic, group, url, int(events))
