"""The Pulumi CLI, where it is on PATH, doing what we do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.measure import Measured, measure, once


class Peer:
    """The Pulumi CLI on a program, with state in a folder of its own; None where it is not installed."""

    def __init__(self, scratch: Path) -> None:
        self._pulumi = shutil.which("pulumi")
        self._environment = {
            "PULUMI_BACKEND_URL": f"file://{scratch}", "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": str(scratch / "home"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        scratch.mkdir()

    @property
    def version(self) -> str:
        if self._pulumi is None:
            return "not on PATH, so there is nothing to compare with"
        return subprocess.run([self._pulumi, "version"], capture_output=True, text=True, check=True).stdout.strip()

    def preview(self, folder: Path, runs: int) -> Measured | None:
        if self._pulumi is None:
            return None
        return measure(self._command(folder, "preview"), folder=folder, runs=runs, environment=self._environment)

    def up(self, folder: Path, limit: float) -> Measured | None:
        """An ``up`` with its preview, as ours has one; it is ended after ``limit`` seconds."""
        if self._pulumi is None:
            return None
        return once(self._command(folder, "up", "--yes"), folder=folder, environment=self._environment, limit=limit)

    def _command(self, folder: Path, *verb: str) -> list[str]:
        pulumi = self._pulumi or "pulumi"
        init = [pulumi, "stack", "select", "--create", "dev"]
        subprocess.run(init, cwd=folder, env={**os.environ, **self._environment}, check=True, capture_output=True)
        return [pulumi, *verb, "--stack", "dev", "--non-interactive"]
