"""What a region's client makes of a server, good or bad, over real sockets and on both event loops."""

import asyncio
import base64
import gzip
import random
import socket
from collections.abc import Callable

import pytest

from connector import __version__
from connector.core.answers import Accepted, Misconfigured, PartlyRejected, Refused, Unauthorised, Unavailable
from connector.core.options import DeliveryOptions
from connector.customerio import connections
from connector.customerio.region_client import RegionClient
from connector.errors import ConfigurationError, InputFileError
from tests.customerio.conftest import API_KEY, SITE_ID, ClientMaker, EndpointMaker
from tests.customerio.misbehaving_server import (
    Behaviour,
    Received,
    answering,
    hang,
    http,
    reset,
    serving,
    until,
)
from tests.customerio.sends import a_send

pytestmark = pytest.mark.anyio


async def test_a_request_is_what_customer_io_expects(client: ClientMaker) -> None:
    body = b'{"batch":[{"type":"person"}]}'
    async with serving(answering(http(200))) as server, client(server.url + "/") as region:
        assert await region.send(a_send(body)) == Accepted()
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/api/v2/batch", body)
    token = base64.b64encode(f"{SITE_ID}:{API_KEY}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {token}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"cio-connector/{__version__}"
    assert request.headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in request.headers


async def test_every_request_starts_from_the_regions_one_url(client: ClientMaker) -> None:
    async with serving(answering(http(200))) as server, client(server.url + "/prefix") as region:
        for path in ("/api/v2/batch", "/api/v2/entity", "/api/v1/events"):
            await region.send(a_send(path=path))
    assert [request.target for request in server.requests] == [
        "/prefix/api/v2/batch",
        "/prefix/api/v2/entity",
        "/prefix/api/v1/events",
    ]


async def test_a_body_of_customer_ios_limit_arrives_whole(client: ClientMaker) -> None:
    body = random.Random(1).randbytes(499_999)
    async with serving(answering(http(200))) as server, client(server.url) as region:
        assert await region.send(a_send(body)) == Accepted()
    assert server.requests[0].body == body


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (http(207, b'{"errors":[{"batch_index":0}]}'), PartlyRejected),
        (http(400, b'{"errors":[{"reason":"invalid"}]}'), Refused),
        (http(401), Unauthorised),
        (http(404), Misconfigured),
        (http(429, Retry_After="7"), Unavailable),
    ],
)
async def test_each_answer_gets_its_meaning(client: ClientMaker, raw: bytes, answer: type) -> None:
    async with serving(answering(raw)) as server, client(server.url) as region:
        result = await region.send(a_send())
    assert type(result) is answer
    assert not isinstance(result, Unavailable) or result.retry_after_seconds == 7.0


async def test_a_redirect_is_not_followed(client: ClientMaker) -> None:
    async with serving(answering(http(200))) as target:
        redirect = answering(http(307, Location=target.url + "/api/v2/batch"))
        async with serving(redirect) as server, client(server.url) as region:
            result = await region.send(a_send())
    assert isinstance(result, Misconfigured)
    assert result.detail.endswith(f"points to {target.url}/api/v2/batch")
    assert target.requests == []


async def test_cookies_are_not_kept(client: ClientMaker) -> None:
    async with (
        serving(answering(http(200, Set_Cookie="session=1; Path=/"))) as server,
        client(server.url) as region,
    ):
        await region.send(a_send())
        await region.send(a_send())
    assert ["cookie" in request.headers for request in server.requests] == [False, False]


async def test_a_compressed_answer_is_read(client: ClientMaker) -> None:
    raw = http(200, gzip.compress(b"{}"), Content_Encoding="gzip")
    async with serving(answering(raw)) as server, client(server.url) as region:
        assert await region.send(a_send()) == Accepted()


async def test_a_badly_compressed_answer_is_unreadable(client: ClientMaker) -> None:
    async with serving(answering(http(200, Content_Encoding="gzip"))) as server, client(server.url) as region:
        result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.kind == "unreadable"


async def test_a_kept_alive_connection_is_used_again(client: ClientMaker) -> None:
    async with serving(answering(http(200))) as server, client(server.url) as region:
        for _ in range(5):
            assert await region.send(a_send()) == Accepted()
    assert server.connections == 1


async def test_an_idle_connection_is_closed_after_its_time(client: ClientMaker) -> None:
    options = DeliveryOptions(keepalive_seconds=0.05)
    async with serving(answering(http(200))) as server, client(server.url, options) as region:
        await region.send(a_send())
        await until(lambda: server.open_connections == 0)
        assert await region.send(a_send()) == Accepted()
    assert server.connections == 2


async def test_no_more_connections_stay_idle_than_allowed(client: ClientMaker) -> None:
    everybody_is_here = asyncio.Event()

    async def together(_request: Received, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 10:
            everybody_is_here.set()
        await everybody_is_here.wait()
        writer.write(http(200))

    options = DeliveryOptions(max_keepalive_connections=3)
    async with serving(together) as server, client(server.url, options) as region:
        answers = await asyncio.gather(*[region.send(a_send()) for _ in range(10)])
        assert answers == [Accepted()] * 10
        await until(lambda: server.open_connections == 3)
        # And those that stay are used.
        await asyncio.gather(*[region.send(a_send()) for _ in range(3)])
        assert server.connections == 10


async def test_a_connection_that_the_server_closed_while_idle_is_not_reused(client: ClientMaker) -> None:
    async def once(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200))
        writer.close()
        await writer.wait_closed()

    async with serving(once) as server, client(server.url) as region:
        assert await region.send(a_send()) == Accepted()
        await until(lambda: server.open_connections == 0)
        # The end of the stream is there; the event loop takes note of it as it turns.
        for _ in range(3):
            await asyncio.sleep(0)
        assert await region.send(a_send()) == Accepted()


def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("end", [close, reset])
async def test_a_kept_alive_connection_that_breaks_as_it_is_reused_is_told_apart(
    client: ClientMaker, end: Callable[[asyncio.StreamWriter], None]
) -> None:
    async def once(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.nth == 0:
            writer.write(http(200))
        else:
            end(writer)

    async with serving(once) as server, client(server.url) as region:
        assert await region.send(a_send()) == Accepted()
        result = await region.send(a_send(b"x" * 400_000))
        assert isinstance(result, Unavailable)
        assert (result.kind, result.reused_connection_broke) == ("reset", True)
        # The retry meets a fresh connection.
        assert await region.send(a_send()) == Accepted()
    assert server.connections == 2


@pytest.mark.parametrize("end", [close, reset])
async def test_a_fresh_connection_that_breaks_is_a_failure_like_any_other(
    client: ClientMaker, end: Callable[[asyncio.StreamWriter], None]
) -> None:
    async def hang_up(_request: Received, writer: asyncio.StreamWriter) -> None:
        end(writer)

    async with serving(hang_up) as server, client(server.url) as region:
        for _ in range(2):
            result = await region.send(a_send())
            assert result == Unavailable("reset", detail="the connection broke before an answer")


@pytest.mark.parametrize("nth", [0, 1])
async def test_a_connection_that_breaks_within_the_answer_was_no_stale_one(
    client: ClientMaker, nth: int
) -> None:
    async def half(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.nth < nth:
            writer.write(http(200))
        else:
            writer.write(http(200, b"{" + b" " * 1000)[:-500])
            await writer.drain()
            writer.close()

    async with serving(half) as server, client(server.url) as region:
        for _ in range(nth):
            await region.send(a_send())
        result = await region.send(a_send())
    assert result == Unavailable("reset", detail="the connection broke within the answer")


async def test_a_server_that_never_answers_runs_into_the_deadline(client: ClientMaker) -> None:
    async with serving(hang) as server, client(server.url) as region:
        result = await region.send(a_send(deadline_seconds=0.2))
    assert result == Unavailable("timeout", detail="no complete answer in 0.2 s")


async def test_a_trickled_answer_runs_into_the_deadline(client: ClientMaker) -> None:
    async def trickle(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(trickle) as server, client(server.url) as region:
        result = await region.send(a_send(deadline_seconds=0.3))
    assert isinstance(result, Unavailable)
    assert result.kind == "timeout"


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_a_server_that_does_not_read_runs_into_the_deadline(client: ClientMaker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        async with client(f"http://localhost:{listener.getsockname()[1]}") as region:
            result = await region.send(a_send(b"x" * 30_000_000, deadline_seconds=0.3))
    assert isinstance(result, Unavailable)
    assert result.kind == "timeout"


async def test_a_connection_that_is_never_accepted_is_given_up(
    client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS_MAX", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        # The kernel accepts as many as the backlog holds and drops what asks for more.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            async with client(f"http://127.0.0.1:{port}") as region:
                result = await region.send(a_send())
        finally:
            for filler in fillers:
                filler.close()
    assert result == Unavailable("connect", detail="no connection in time")


async def test_a_refused_connection_is_told(client: ClientMaker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with client(f"http://127.0.0.1:{port}") as region:
            result = await region.send(a_send())
    assert result == Unavailable("connect", detail=f"cannot connect to 127.0.0.1:{port} (connection refused)")


async def test_a_name_that_does_not_resolve_is_told(client: ClientMaker) -> None:
    async with client("https://track.invalid") as region:
        result = await region.send(a_send())
    assert result == Unavailable("connect", detail="cannot resolve track.invalid")


async def test_garbage_is_unreadable(client: ClientMaker) -> None:
    async with serving(answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as server, client(server.url) as region:
        result = await region.send(a_send())
    assert isinstance(result, Unavailable)
    assert result.kind == "unreadable"
    assert "SSH" not in result.detail


async def test_whatever_bytes_come_back_the_client_answers_and_lives_on(client: ClientMaker) -> None:
    chance = random.Random(4)
    good = http(200, b'{"a": "bcdef"}', Content_Type="application/json")

    async def mangled(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.body == b"honest":
            writer.write(good)
            return
        raw = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        writer.write(raw[: chance.randint(0, len(raw))])
        writer.close()

    async with serving(mangled) as server, client(server.url) as region:
        for _ in range(200):
            await region.send(a_send(deadline_seconds=5))
        assert await region.send(a_send(b"honest")) == Accepted()


async def test_a_huge_answer_is_read_up_to_a_limit_and_no_further(client: ClientMaker) -> None:
    async def endless(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.body == b"honest":
            writer.write(http(200))
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{")
        while not writer.is_closing():
            writer.write(b" " * 100_000)
            await writer.drain()

    async with serving(endless) as server, client(server.url) as region:
        result = await region.send(a_send())
        assert isinstance(result, Unavailable)
        assert result.kind == "unreadable"
        await until(lambda: server.open_connections == 0)
        assert await region.send(a_send(b"honest")) == Accepted()


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_an_answer_before_the_body_is_read_counts(client: ClientMaker) -> None:
    async def too_large(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(413, Connection="close"))
        await writer.drain()
        await asyncio.Event().wait()

    async with serving(too_large, read_bodies=False) as server, client(server.url) as region:
        result = await region.send(a_send(b"x" * 30_000_000))
    assert isinstance(result, Refused)
    assert result.status == 413


async def test_credentials_are_read_again_when_asked(client: ClientMaker) -> None:
    stored = [("old", "1"), ("new", "2")]
    options = DeliveryOptions()
    async with (
        serving(answering(http(200))) as server,
        client(server.url, options, credentials=lambda: stored.pop(0)) as region,
    ):
        await region.send(a_send())
        await region.send(a_send())
        await region.send(a_send(refresh_credentials=True))
        await region.send(a_send())
    sent = [
        base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
        for request in server.requests
    ]
    assert sent == [b"old:1", b"old:1", b"new:2", b"new:2"]


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), InputFileError("gone")])
async def test_unreadable_credentials_leave_the_old_ones_in_use(
    client: ClientMaker, error: Exception
) -> None:
    readings = 0

    def credentials() -> tuple[str, str]:
        nonlocal readings
        readings += 1
        if readings > 1:
            raise error
        return SITE_ID, API_KEY

    async with (
        serving(answering(http(401))) as server,
        client(server.url, credentials=credentials) as region,
    ):
        assert await region.send(a_send(refresh_credentials=True)) == Unauthorised(401)
    assert readings == 2


async def test_more_concurrency_than_connections_is_a_configuration_error(endpoint: EndpointMaker) -> None:
    with pytest.raises(ConfigurationError, match="max_connections"):
        RegionClient(endpoint("http://localhost:1"), DeliveryOptions(concurrency=11, max_connections=10))


def slow_for(body: bytes) -> tuple[Behaviour, asyncio.Event]:
    """A server that holds back its answers to that body until the event is set."""
    release = asyncio.Event()

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.body == body:
            await release.wait()
        writer.write(http(200))

    return behave, release


async def test_a_cancelled_request_does_not_disturb_the_others(client: ClientMaker) -> None:
    behave, release = slow_for(b"slow")
    async with serving(behave) as server, client(server.url) as region:
        slow = asyncio.create_task(region.send(a_send(b"slow")))
        unwanted = asyncio.create_task(region.send(a_send(b"slow")))
        await until(lambda: len(server.requests) == 2)
        unwanted.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unwanted
        assert await region.send(a_send()) == Accepted()
        release.set()
        assert await slow == Accepted()


async def test_after_a_cancellation_the_pool_is_replaced_and_the_old_one_closed_once_drained(
    client: ClientMaker,
) -> None:
    behave, release = slow_for(b"slow")
    async with serving(behave) as server, client(server.url) as region:
        slow = asyncio.create_task(region.send(a_send(b"slow")))
        unwanted = asyncio.create_task(region.send(a_send(b"slow")))
        await until(lambda: len(server.requests) == 2)
        unwanted.cancel()
        await asyncio.gather(unwanted, return_exceptions=True)
        # A new connection, though the old pool would have room.
        assert await region.send(a_send()) == Accepted()
        assert server.connections == 3
        release.set()
        assert await slow == Accepted()
        # The old pool's two are closed, the new pool's one stays.
        await until(lambda: server.open_connections == 1)
        assert await region.send(a_send()) == Accepted()
        assert server.connections == 3


async def test_many_requests_cut_short_at_once_replace_the_pool_once(client: ClientMaker) -> None:
    behave, _ = slow_for(b"slow")
    async with serving(behave) as server, client(server.url) as region:
        await asyncio.gather(*[region.send(a_send(b"slow", deadline_seconds=0.3)) for _ in range(10)])
        first = asyncio.create_task(region.send(a_send()))
        assert await first == Accepted()
        before = server.connections
        for _ in range(5):
            assert await region.send(a_send()) == Accepted()
        assert server.connections == before


async def test_a_pool_that_has_no_connection_to_give_is_replaced(
    client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    behave, release = slow_for(b"slow")
    one = DeliveryOptions(concurrency=1, max_connections=1, max_keepalive_connections=1)
    async with serving(behave) as server, client(server.url, one) as region:
        slow = asyncio.create_task(region.send(a_send(b"slow")))
        await until(lambda: len(server.requests) == 1)
        with monkeypatch.context() as hurried:
            hurried.setattr(connections, "CONNECT_SECONDS_MAX", 0.1)
            assert await region.send(a_send()) == Unavailable("connect", detail="no connection in time")
        assert await region.send(a_send()) == Accepted()
        release.set()
        assert await slow == Accepted()


async def test_a_storm_of_cancelled_requests_leaks_nothing(client: ClientMaker) -> None:
    chance = random.Random(7)

    async def dawdle(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.body != b"honest":
            await asyncio.sleep(chance.random() * 0.01)
        writer.write(http(200))

    options = DeliveryOptions(concurrency=10, max_connections=10)
    async with serving(dawdle) as server:
        async with client(server.url, options) as region:
            for _ in range(60):
                # More than the pool holds, cancelled while they wait, connect, send and read, some of them at
                # the very moment in which another one ends and passes its connection on.
                tasks = [asyncio.create_task(region.send(a_send())) for _ in range(20)]
                for task in tasks[:10]:
                    asyncio.get_running_loop().call_later(chance.random() * 0.012, task.cancel)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)
                for task in tasks[10:]:
                    task.cancel()
                for result in await asyncio.gather(*tasks, return_exceptions=True):
                    assert result == Accepted() or isinstance(result, asyncio.CancelledError)
            for _ in range(5):
                answers = await asyncio.gather(*[region.send(a_send(b"honest")) for _ in range(10)])
                assert answers == [Accepted()] * 10
            await until(lambda: server.open_connections <= 10)
        await until(lambda: server.open_connections == 0)


async def test_closing_while_requests_are_under_way_ends_them(client: ClientMaker) -> None:
    async with serving(hang) as server, client(server.url) as region:
        task = asyncio.create_task(region.send(a_send()))
        await until(lambda: len(server.requests) == 1)
        await region.aclose()
        assert isinstance(await task, Unavailable)


async def test_no_secret_is_in_what_the_client_says(
    endpoint: EndpointMaker, client: ClientMaker, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = [repr(endpoint("http://localhost:1", proxy=f"http://u:{API_KEY}@localhost:1"))]
    behaviours = [answering(http(status, b"{}", Location="/x")) for status in (302, 400, 401, 404, 500)]
    for behave in [*behaviours, answering(b"garbage\r\n\r\n")]:
        async with serving(behave) as server, client(server.url) as region:
            said.append(repr(await region.send(a_send(b'{"batch":["attribute"]}'))))
    async with client("http://127.0.0.1:1") as region:
        said.append(repr(await region.send(a_send(b'{"batch":["attribute"]}'))))
    everything = "\n".join(said) + caplog.text
    token = base64.b64encode(f"{SITE_ID}:{API_KEY}".encode()).decode()
    for secret in (API_KEY, token, "attribute"):
        assert secret not in everything
