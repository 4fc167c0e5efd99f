"""Options of the whole suite."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import seats

REPOSITORY = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="many more seeds of the tests that take seeds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, each by its name and with the reason, the tests of what this machine does not have or nobody asked for."""
    reasons = {"native": _why_not_native, "docker": _why_not_docker, "exhaustive": _why_not_exhaustive}
    for marker, reason in reasons.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        why = reason(config) if marked else None
        if why:
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=why))
    items.sort(key=_begins)


def _begins(item: pytest.Item) -> int:
    """What takes longest comes first, so that no worker has it when the others are done."""
    ranks = ("clock", "timeout")
    return next((rank for rank, marker in enumerate(ranks) if item.get_closest_marker(marker)), len(ranks))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the test's time limit
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with seats.taken(item):
        return (yield)


def _why_not_native(_: pytest.Config) -> str | None:
    from engine.sandbox.native import cache_of, find

    return None if find(cache_of(REPOSITORY)) else "the native control plane is not built: `bedplate sandbox build`"


def _why_not_docker(_: pytest.Config) -> str | None:
    from engine.sandbox.docker import engine_problem, images

    if problem := engine_problem():
        return problem
    if shutil.which("kind") is None:
        return "there is no `kind` on PATH"
    # A test must not take a gigabyte from the network that nobody asked for.
    image = images()["kind"]["image"]
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    return None if found.returncode == 0 else f"the node's image is not here: `docker pull {image}`"


def _why_not_exhaustive(config: pytest.Config) -> str | None:
    return None if config.getoption("--exhaustive") else "more seeds of what runs already: --exhaustive"
