"""The emulator as a user starts it: a process of its own, one for each worker of the test run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    command = [sys.executable, "-m", "engine.emulator", "--instance-id", "under-test"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        assert emulator.stdout is not None
        yield json.loads(emulator.stdout.readline())["endpoint"]
        emulator.terminate()
        assert emulator.wait(10) == 0


@pytest.fixture(scope="session")
def client(endpoint: str) -> Client:
    """A boto3 client of a service; no retries, so that what the emulator answers is what a test sees."""
    made: dict[str, Any] = {}

    def of(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownMemberType]  # service is data
                service,
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return made[service]

    return of
