"""The Pulumi CLI, where it is on PATH, doing what we do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.measure import Measured, measure, once


class Peer:
    """The Pulumi CLI, with the state of each program in a folder of its own; None where it is not installed."""

    def __init__(self, scratch: Path) -> None:
        self._pulumi = shutil.which("pulumi")
        self._scratch = scratch
        scratch.mkdir()

    @property
    def version(self) -> str:
        if self._pulumi is None:
            return "not on PATH, so there is nothing to compare with"
        return subprocess.run([self._pulumi, "version"], capture_output=True, text=True, check=True).stdout.strip()

    def preview(self, folder: Path, runs: int) -> Measured | None:
        if self._pulumi is None:
            return None
        return measure(
            self._command(folder, "preview"), folder=folder, runs=runs, environment=self._environment(folder)
        )

    def up(self, folder: Path, limit: float) -> Measured | None:
        """An ``up`` with its preview, as ours has one; it is ended after ``limit`` seconds."""
        if self._pulumi is None:
            return None
        command = self._command(folder, "up", "--yes")
        return once(command, folder=folder, environment=self._environment(folder), limit=limit)

    def _environment(self, folder: Path) -> dict[str, str]:
        state = self._scratch / folder.name  # one that is ended stays locked
        state.mkdir(exist_ok=True)
        return {
            "PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": str(self._scratch / "home"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip

    def _command(self, folder: Path, *verb: str) -> list[str]:
        pulumi = self._pulumi or "pulumi"
        init = [pulumi, "stack", "select", "--create", "dev"]
        environment = {**os.environ, **self._environment(folder)}
        subprocess.run(init, cwd=folder, env=environment, check=True, capture_output=True)
        return [pulumi, *verb, "--stack", "dev", "--non-interactive"]
