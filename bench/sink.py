"""`python -m bench.sink PORT [DELAY_MS]`: takes any POST and answers `200 {}`, faster than anything that sends to it.

It reads lengths, counts operations of persons that name an identifier, and throws bodies away; GET tells how many they
were so far. With a delay, each answer to a POST is held back for so long without holding up others.
"""

import asyncio
import sys
from typing import cast

import uvloop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = b"content-length:"
_OPERATION = b'"identifiers":'


class _Sink:
    """What all connections have in common."""

    def __init__(self, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        self.operations = 0


class _Connection(asyncio.Protocol):
    def __init__(self, sink: _Sink) -> None:
        self._sink = sink
        self._head = b""
        self._missing: int | None = None
        self._seam = b""
        """The body's last bytes so far, in which an operation may have begun."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        while data:
            if self._missing is None:
                self._head += data
                head, ends, data = self._head.partition(_HEAD_ENDS)
                if not ends:
                    return
                self._head = self._seam = b""
                if head.startswith(b"GET"):
                    self._tell()
                    continue
                self._missing = int(head.lower().split(_LENGTH, 1)[1].split(b"\r\n", 1)[0])
            taken = min(len(data), self._missing)
            self._missing -= taken
            self._count(data[:taken])
            data = data[taken:]
            if not self._missing:
                self._missing = None
                self._answer()

    def _count(self, part: bytes) -> None:
        body = self._seam + part
        self._sink.operations += body.count(_OPERATION)
        self._seam = body[1 - len(_OPERATION) :]

    def _answer(self) -> None:
        if self._sink.delay_seconds:
            asyncio.get_running_loop().call_later(self._sink.delay_seconds, self._write, _ANSWER)
        else:
            self._write(_ANSWER)

    def _tell(self) -> None:
        number = b"%d" % self._sink.operations
        self._write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(number), number))

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _serve(port: int, delay_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    sink = _Sink(delay_seconds)
    server = await loop.create_server(lambda: _Connection(sink), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
