"""Emulators for tests that go through the command line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from tests.integration.commands import Workplace
from tests.integration.emulated import Emulated, emulator

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def emulator_of_module() -> Iterator[Emulated]:
    with emulator() as running:
        yield running


@pytest.fixture
def emulated(emulator_of_module: Emulated) -> Iterator[Emulated]:
    """An empty emulator inside the test's process, whose requests the test may watch or spoil."""
    emulator_of_module.reset()
    yield emulator_of_module
    emulator_of_module.before = emulator_of_module.after = emulator_of_module.spoil = None
    emulator_of_module.asked = None
    emulator_of_module.changes = 0


def in_sandbox(work: Workplace, emulated: Emulated) -> Iterator[Workplace]:
    """``work`` while its sandbox is that emulator; for fixtures."""
    work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    yield work
    work.run("sandbox", "down").expect(0)


def client_of(work: Workplace) -> Client:
    """What makes boto3 clients of the sandbox that runs in ``work``."""
    endpoint = work.run("sandbox", "status", "--output", "json").expect(0).json()["endpoint"]

    @functools.cache  # making one takes longer than asking it
    def client(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test",
        )  # fmt: skip

    return client
