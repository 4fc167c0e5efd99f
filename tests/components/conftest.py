"""Recordings of the program, one per environment and mode, made once for each test process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from stacks.settings import environments
from tests.components.platform_recording import Run, config_of, run_program


@cache
def _recorded(environment: str, offline: bool) -> Run:
    return run_program(config_of(environment), environment, offline=offline)


@pytest.fixture
def recorded() -> Callable[[str], Run]:
    """What an environment registers where AWS answers."""
    return lambda environment: _recorded(environment, False)


@pytest.fixture
def recorded_offline() -> Callable[[str], Run]:
    """What an environment registers in a preview without AWS."""
    return lambda environment: _recorded(environment, True)


@pytest.fixture(params=environments())
def environment(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def run(environment: str) -> Run:
    """What each environment registers, in turn."""
    return _recorded(environment, False)
