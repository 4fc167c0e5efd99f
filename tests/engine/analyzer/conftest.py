"""One host of policy packs for all tests of a module: what it imports takes longer than any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from engine.analyzer.client import started
from engine.analyzer.environment import StackFacts
from engine.analyzer.processes import Processes
from tests.engine.analyzer.packs import Asking, write


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[asyncio.Runner, Processes]]:
    processes = Processes()
    with asyncio.Runner() as runner:
        runner.run(_imported(processes, tmp_path_factory.mktemp("first")))
        yield runner, processes
        runner.run(processes.close())


async def _imported(processes: Processes, folder: Path) -> None:
    """Wait for the host's imports, so that no test's time limit has to allow for them."""
    async with started(write(folder), StackFacts("shop", "dev"), processes=processes):
        pass


@pytest.fixture
def asking(tmp_path: Path, _running: tuple[asyncio.Runner, Processes]) -> Asking:
    return Asking(tmp_path, *_running)
