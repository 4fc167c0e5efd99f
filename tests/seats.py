"""Room for tests that go by the clock: while one runs, as many workers wait as there are more than cores.

There are more workers than cores because many tests wait, for servers and for Kubernetes' own seconds. A test marked
`clock` has servers that do things each second, and would be told of what came too late where too much else runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

import pytest


@contextlib.contextmanager
def taken(item: pytest.Item) -> Generator[None]:
    """While a test runs its worker has its seat; one that goes by the clock has the seats of those that wait, too."""
    worker: dict[str, object] | None = getattr(item.config, "workerinput", None)
    if worker is None:
        yield
        return
    number, count = int(str(worker["workerid"]).removeprefix("gw")), int(str(worker["workercount"]))
    others = range(1, count - cores() + 1) if item.get_closest_marker("clock") else ()
    # Beside the folders of the workers' own temporary files; what is locked are bytes of it that need not be there.
    with (Path(str(item.config.getoption("basetemp"))).parent / "seats").open("ab") as seats:
        # In order, so that two such tests never wait for each other.
        for seat in sorted({number, *((number + other) % count for other in others)}):
            _take(seats.fileno(), seat)
        yield  # closing the file gives all seats back


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _take(descriptor: int, seat: int) -> None:
    """Wait for a seat. Who waits has the place in front of it, so that its worker does not sit down again first."""
    front, itself = 2 * seat, 2 * seat + 1
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, front)
    fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, itself)
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, front)
