"""Packs as processes, as Pulumi's Python language host starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

REPOSITORY = Path(__file__).parents[2]
POLICIES = REPOSITORY / "policies"


@contextmanager
def running(pack: Path, environment: Mapping[str, str] | None = None) -> Generator[Any]:
    """A pack's process, and a stub that talks with it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    process = subprocess.Popen(
        command, cwd=pack, env={**inherited, **(environment or {})}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, f"{pack} did not start"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()
