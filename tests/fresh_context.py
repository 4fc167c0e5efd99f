"""Running a Pulumi program in the tests' own process, as if nothing had run in it before."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def in_fresh_context(program: Callable[[], None]) -> None:
    """In a thread and a context of its own: Pulumi keeps its state in context variables and the thread's event loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    def own_loop() -> None:
        # Pulumi makes a loop for each thread that answers a call, and closes none.
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    def isolated() -> None:
        workers = ThreadPoolExecutor(initializer=own_loop)
        asyncio.get_event_loop().set_default_executor(workers)
        contextvars.Context().run(program)
        workers.shutdown()

    with ThreadPoolExecutor(max_workers=1, initializer=own_loop) as pool:
        result = pool.submit(isolated)
    for loop in loops:
        loop.close()
    result.result()
