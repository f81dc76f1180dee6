"""`make bench-recipe`: what each call takes, as the performance recipe has it in its table.

An identify, a track, a batch of 100, to `cio-connector simulate` in a process of its own: through the connector's own
client, and beside it through `httpx.AsyncClient` on httpx's transport with the recipe's pool, one request at a time and
ten at a time. The same bodies for both; the stand-in checks them and remembers, so its time is in the figures too.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvloop

from bench.bars import Bar, lines
from bench.process import free_port, listens, running, wait_until
from connector.core.answers import Accepted
from connector.core.effects import Send
from connector.core.options import DeliveryOptions
from connector.customerio.endpoint import RegionEndpoint
from connector.customerio.region_client import RegionClient
from connector.events.ulid import ulid_from_id

PERCENTILES = (50, 95, 99)
AT_A_TIME = (1, 10)
WARM_UP_REQUESTS = 20
BATCH_EVENTS = 100

Post = Callable[[str, bytes, int], Awaitable[None]]
"""(path, body, operations in it)"""


class Call(NamedTuple):
    """One row of the recipe's table."""

    name: str
    path: str
    operations: int
    make: Callable[[int], dict[str, Any]]
    """Number of the request -> its body."""
    ms_max: float


class Result(NamedTuple):
    """One call through one client; milliseconds."""

    call: str
    client: str
    at_a_time: int
    requests: int
    percentiles_ms: dict[str, float]


def identify(number: int) -> dict[str, Any]:
    return _of_person("identify", number) | {
        "attributes": {"plan": "team", "email_confirmed": True, "seats": 12}
    }


def track(number: int) -> dict[str, Any]:
    return _of_person("event", number) | {
        "id": ulid_from_id(f"recipe-{number}"),
        "name": "order_completed",
        "attributes": {"plan": "team", "amount": 42.5, "currency": "EUR", "source": "checkout", "items": 3},
    }


def batch(number: int) -> dict[str, Any]:
    first = number * BATCH_EVENTS
    return {"batch": [track(each) for each in range(first, first + BATCH_EVENTS)]}


def _of_person(action: str, number: int) -> dict[str, Any]:
    return {
        "type": "person",
        "action": action,
        "identifiers": {"id": f"person-{number % 5_000}"},
        "timestamp": 1_760_000_000 + number,
    }


CALLS = (
    Call("identify", "/api/v2/entity", 1, identify, 100),
    Call("track", "/api/v2/entity", 1, track, 100),
    Call(f"batch of {BATCH_EVENTS}", "/api/v2/batch", BATCH_EVENTS, batch, 500),
)


@asynccontextmanager
async def own_client(url: str) -> AsyncIterator[Post]:
    """As the connector sends: an answer counts once its meaning is read."""
    endpoint = RegionEndpoint(name="us", url=url, credentials=lambda: ("site", "key"), proxy="")
    client = RegionClient(endpoint, DeliveryOptions())

    async def post(path: str, body: bytes, operations: int) -> None:
        answer = await client.send(Send(1, "us", "batch", path, body, operations, 1, 30.0))
        assert answer == Accepted(), answer

    yield post
    await client.aclose()


@asynccontextmanager
async def httpx_client(url: str) -> AsyncIterator[Post]:
    """As the recipe sends: a pool of 100 connections, 20 of them kept alive for 30 s."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(
        auth=("site", "key"), limits=limits, timeout=30, headers=headers, trust_env=False
    ) as client:

        async def post(path: str, body: bytes, operations: int) -> None:
            (await client.post(url + path, content=body)).raise_for_status()

        yield post


OURS = "cio-connector"
CLIENTS: dict[str, Callable[[str], AbstractAsyncContextManager[Post]]] = {
    OURS: own_client,
    "httpx's own transport": httpx_client,
}


async def measure(call: Call, client: str, url: str, at_a_time: int, bodies: Sequence[bytes]) -> Result:
    """Each request's time from being sent to its answer; `at_a_time` of them are under way."""
    milliseconds: list[float] = []
    async with CLIENTS[client](url) as post:

        async def worker(waiting: Iterator[bytes], times: list[float]) -> None:
            for body in waiting:
                started = time.perf_counter()
                await post(call.path, body, call.operations)
                times.append((time.perf_counter() - started) * 1000)

        async def send(some: Sequence[bytes], times: list[float]) -> None:
            waiting = iter(some)
            await asyncio.gather(*[worker(waiting, times) for _ in range(at_a_time)])

        await send(bodies[:WARM_UP_REQUESTS], [])
        await send(bodies[WARM_UP_REQUESTS:], milliseconds)
    return Result(call.name, client, at_a_time, len(milliseconds), percentiles(milliseconds))


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Nearest rank."""
    ordered = sorted(values)
    return {str(each): round(ordered[math.ceil(len(ordered) * each / 100) - 1], 2) for each in PERCENTILES}


def run(url: str, requests: int) -> list[Result]:
    """Everything, one after the other."""
    numbers = count()  # never again the same event, which the stand-in would ignore
    results = []
    for call in CALLS:
        for at_a_time in AT_A_TIME:
            for client in CLIENTS:
                share = requests if call.operations == 1 else requests // 4
                bodies = [
                    json.dumps(call.make(next(numbers))).encode() for _ in range(WARM_UP_REQUESTS + share)
                ]
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    results.append(runner.run(measure(call, client, url, at_a_time, bodies)))
                print(_row(results[-1]), flush=True)
    return results


def bars(results: Sequence[Result]) -> list[Bar]:
    """The recipe's, at our 99th percentile."""
    bounds = {call.name: call.ms_max for call in CALLS}
    return [
        Bar(
            f"p99 in ms of {result.call}, {result.at_a_time} at a time",
            result.percentiles_ms["99"],
            bounds[result.call],
            at_most=True,
        )
        for result in results
        if result.client == OURS
    ]


def _row(result: Result) -> str:
    cells = " ".join(f"{value:>8,.2f}" for value in result.percentiles_ms.values())
    return f"{result.call:<14} {result.at_a_time:>9} {result.client:<24} {cells}"


def main() -> None:
    """Print the table and the bars, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000, help="of each call; of batches a quarter")
    parser.add_argument("--json", type=Path, default=Path("bench/results/recipe.json"))
    arguments = parser.parse_args()
    port = free_port()
    ports = ["--us-port", str(port), "--eu-port", "0", "--us-credentials", "site:key"]
    heading = " ".join(f"{f'p{each}':>8}" for each in PERCENTILES)
    print(f"{'ms':<14} {'at a time':>9} {'':<24} {heading}")
    with running([sys.executable, "-m", "connector.cli.main", "simulate", *ports]):
        wait_until(lambda: listens(port), 20, "the stand-in listens")
        results = run(f"http://127.0.0.1:{port}", arguments.requests)
    print("\n".join(["", *lines(bars(results))]))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([result._asdict() for result in results], indent=1) + "\n")


if __name__ == "__main__":
    main()
