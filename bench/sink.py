"""`python -m bench.sink PORT [DELAY_MS]`: takes any POST and answers `200 {}`, faster than anything that sends to it.

It reads lengths and throws bodies away. With a delay, each answer is held back for so long without holding up others.
"""

import asyncio
import sys
from typing import cast

import uvloop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = b"content-length:"


class _Connection(asyncio.Protocol):
    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._head = b""
        self._missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        while data:
            if self._missing is None:
                self._head += data
                head, ends, data = self._head.partition(_HEAD_ENDS)
                if not ends:
                    return
                self._head = b""
                self._missing = int(head.lower().split(_LENGTH, 1)[1].split(b"\r\n", 1)[0])
            taken = min(len(data), self._missing)
            self._missing -= taken
            data = data[taken:]
            if not self._missing:
                self._missing = None
                self._answer()

    def _answer(self) -> None:
        if self._delay_seconds:
            asyncio.get_running_loop().call_later(self._delay_seconds, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def _serve(port: int, delay_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(delay_seconds), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
