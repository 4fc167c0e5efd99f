"""Runs of the ``helm`` executable: arguments without secrets, an environment of our own, and a limit of time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.providers.base import ProviderError
from engine.providers.kubernetes.helm.workspace import Workspace

# What would lead helm to another cluster, namespace or identity than those that it is given.
_MISLEADING: Final = re.compile(r"KUBECONFIG|HELM_KUBE\w*|HELM_NAMESPACE|HELM_DEBUG")


class HelmFailed(ProviderError):
    """``helm`` ended with an error; the message is its own, in one line."""


class HelmTimedOut(HelmFailed):
    """``helm`` did not end in time and was stopped."""


@dataclass(frozen=True)
class Helm:
    """The executable at ``path``."""

    path: str

    def run(self, arguments: Sequence[str], workspace: Workspace, *, seconds: float, stdin: str | None = None) -> str:
        """What one command writes to its standard output. Raises HelmFailed or HelmTimedOut."""
        try:
            done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
                [self.path, *arguments],
                input=stdin if stdin is not None else "",
                env=_environment(workspace),
                cwd=workspace.started_in,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HelmTimedOut(f"helm {arguments[0]} did not end within {seconds:g} seconds") from error
        except OSError as error:
            raise HelmFailed(f"{self.path} can't be run: {error.strerror}") from error
        if done.returncode != 0:
            raise HelmFailed(_complaint(done.stderr) or f"helm {arguments[0]} ended with {done.returncode}")
        return done.stdout


def find_helm() -> Helm | None:
    """The ``helm`` on PATH, or None."""
    path = shutil.which("helm")
    return Helm(path) if path else None


def _environment(workspace: Workspace) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not _MISLEADING.fullmatch(key)}
    return {**kept, **workspace.environment}


def _complaint(stderr: str) -> str:
    """What helm complains of, without its warnings and without saying twice that it failed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("WARNING:")]
    starts = [index for index, line in enumerate(lines) if line.startswith("Error:")]
    told = " ".join(lines[starts[-1] :] if starts else lines[-3:])
    return re.sub(r"^Error: (INSTALLATION FAILED: |UPGRADE FAILED: |uninstall: )?", "", told)
