"""Calls that may block for longer than the process lives."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


def in_background(call: Callable[[], _T]) -> "asyncio.Future[_T]":
    """Calls it in a thread that holds up no exit, as the event loop's own threads do."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def tell(tell_now: Callable[[], None]) -> None:
        def unless_done() -> None:
            if not future.done():
                tell_now()

        with suppress(RuntimeError):  # the loop is closed: the process is ending
            loop.call_soon_threadsafe(unless_done)

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - whoever awaits it gets it
            failure = error
            tell(lambda: future.set_exception(failure))
        else:
            tell(lambda: future.set_result(result))

    threading.Thread(target=run, name="background", daemon=True).start()
    return future
