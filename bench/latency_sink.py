"""`python -m bench.latency_sink PORT DELAY_MS EVENTS`: a destination that writes down when each event arrived.

Events carry `"number":N`. A POST is answered DELAY_MS after it is complete; GET gives the time of arrival of every
number as doubles on the monotonic clock, 0 for those that have not arrived.
"""

import asyncio
import re
import sys
import time
from array import array
from typing import cast

import uvloop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_NUMBER = re.compile(rb'"number": ?(\d+)')


class _Connection(asyncio.Protocol):
    def __init__(self, delay_seconds: float, arrived: "array[float]") -> None:
        self._delay_seconds = delay_seconds
        self._arrived = arrived
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """One request at a time; no client here sends the next before the answer."""
        now = time.monotonic()
        self._received += data
        head, ends, body = self._received.partition(b"\r\n\r\n")
        if not ends:
            return
        if head.startswith(b"GET"):
            self._received = b""
            times = self._arrived.tobytes()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(times) + times)
            return
        if len(body) < int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]):
            return
        self._received = b""
        asyncio.get_running_loop().call_later(self._delay_seconds, self._accept)
        for digits in _NUMBER.findall(body):
            number = int(digits)
            self._arrived[number] = self._arrived[number] or now

    def _accept(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def _serve(port: int, delay_seconds: float, events: int) -> None:
    arrived = array("d", bytes(8 * events))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(delay_seconds, arrived), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000, int(sys.argv[3])))
