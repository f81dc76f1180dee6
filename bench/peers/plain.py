"""A plain consumer as many would write it: batches of 100, one after the other, a commit after each.

It neither deduplicates nor keeps order nor routes nor survives a refusal. `BROKERS TOPIC GROUP URL EVENTS`
"""

import sys

import httpx
from confluent_kafka import Consumer

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
    client = httpx.Client(auth=("site", "key"))
    done = 0
    while done < events:
        messages = [message for message in consumer.consume(BATCH_EVENTS, 0.5) if message.error() is None]
        if not messages:
            continue
        body = b'{"batch":[' + b",".join([message.value() or b"" for message in messages]) + b"]}"
        client.post(f"{url}/api/v2/batch", content=body).raise_for_status()
        consumer.commit(asynchronous=False)
        done += len(messages)
    print(done, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
