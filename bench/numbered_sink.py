"""`python -m bench.numbered_sink PORT EVENTS [DELAY_MS]`: a destination that marks the numbers it has accepted, and
refuses for as long as it is told to.

    POST anything       answered DELAY_MS later, with 200, or as it was told; only with 200 are numbers marked
    PUT  /429/5         from now on every POST is answered with 429 and `Retry-After: 5`; /429 alone: without
    PUT  /200           it takes everything again
    GET  /              how many different numbers it has accepted, how many again, and how many requests it refused
"""

import asyncio
import json
import re
import sys
from typing import cast

import uvloop

_NUMBER = re.compile(rb'"number":(\d+)')


class _Sink:
    """What all connections have in common."""

    def __init__(self, events: int, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        self.status = 200
        self._retry_after = b""
        self._marked = bytearray(events)
        self._again = 0
        self._refused = 0

    def tell(self, path: str) -> None:
        status, _, seconds = path.strip("/").partition("/")
        self.status = int(status)
        self._retry_after = b"Retry-After: %b\r\n" % seconds.encode() if seconds else b""

    def take(self, body: bytes) -> bytes:
        """The answer to a POST."""
        if self.status != 200:
            self._refused += 1
            return b"HTTP/1.1 %d \r\n%bContent-Length: 0\r\n\r\n" % (self.status, self._retry_after)
        for digits in _NUMBER.findall(body):
            number = int(digits)
            self._again += self._marked[number]
            self._marked[number] = 1
        return _response(b"{}")

    def counts(self) -> bytes:
        accepted = self._marked.count(1)
        return _response(
            json.dumps({"accepted": accepted, "again": self._again, "refused": self._refused}).encode()
        )


def _response(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


class _Connection(asyncio.Protocol):
    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._received = bytearray()
        self._wanted = 0
        """Bytes of head and body together; 0: the head is not complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """One request at a time; no client here sends the next before the answer."""
        self._received += data
        if not self._wanted:
            head, ends, _ = self._received.partition(b"\r\n\r\n")
            if not ends:
                return
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            self._wanted = len(head) + len(ends) + (int(length[1]) if length else 0)
        if len(self._received) >= self._wanted:
            request = bytes(self._received)
            self._received.clear()
            self._wanted = 0
            self._serve(request)

    def _serve(self, request: bytes) -> None:
        method, path, _ = request.split(b" ", 2)
        if method == b"GET":
            self._write(self._sink.counts())
        elif method == b"PUT":
            self._sink.tell(path.decode())
            self._write(_response(b"{}"))
        else:
            answer = self._sink.take(request)
            asyncio.get_running_loop().call_later(self._sink.delay_seconds, self._write, answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(port: int, events: int, delay_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    sink = _Sink(events, delay_seconds)
    server = await loop.create_server(lambda: _Connection(sink), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(
        _serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0)
    )
