"""The performance recipe's own pattern: one request an event, 10 at a time, pooled; duplicates by a TTL cache.

On httpx's own transport. `BROKERS TOPIC GROUP URL EVENTS`
"""

import asyncio
import json
import sys

import httpx
from cachetools import TTLCache
from confluent_kafka import Consumer

from bench.peers.operation import operation_of

CONCURRENCY = 10


async def main(brokers: str, topic: str, group: str, url: str, events: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    seen: TTLCache[str, bool] = TTLCache(50_000, 5)
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
    async with httpx.AsyncClient(auth=("site", "key"), limits=limits, timeout=30) as client:
        places = asyncio.Semaphore(CONCURRENCY)

        async def send(value: bytes) -> None:
            async with places:
                (await client.post(f"{url}/api/v2/entity", json=operation_of(value))).raise_for_status()

        done = 0
        while done < events:
            messages = [m for m in consumer.consume(500, 0.2) if m.error() is None]
            fresh = []
            for message in messages:
                value = message.value() or b""
                event = json.loads(value)
                event_id = event.get("event_id") or event.get("messageId")
                if event_id not in seen:
                    seen[event_id] = True
                    fresh.append(value)
            await asyncio.gather(*map(send, fresh))
            if messages:
                consumer.commit(asynchronous=False)
                done += len(messages)
    print(done, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    brokers, topic, group, url, events = sys.argv[1:]
    asyncio.run(main(brokers, topic, group, url, int(events)))
