"""The stand-in in a thread of its own, for tests that have no event loop.

Reading `workspaces` and `violations` from another thread is safe, and so are `inject` and `clear_faults`.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from connector.simulator.options import SimulatorOptions
from connector.simulator.server import Simulator


@contextlib.contextmanager
def run_in_thread(options: SimulatorOptions | None = None) -> Iterator[Simulator]:
    """Listens while the context is open. Raises what stops it from listening."""
    simulator = Simulator(options)
    started = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    failures: list[BaseException] = []

    async def serve() -> None:
        stopping = asyncio.Event()
        async with simulator:
            stop.append((asyncio.get_running_loop(), stopping))
            started.set()
            await stopping.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="simulator", daemon=True)
    thread.start()
    started.wait()
    try:
        if failures:
            raise failures[0]
        yield simulator
    finally:
        for loop, stopping in stop:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stopping.set)
        thread.join()
