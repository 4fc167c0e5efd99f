"""Runs of the ``helm`` executable: arguments without secrets, an environment of our own, and a limit of time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.providers.base import ProviderError
from engine.providers.kubernetes.helm.workspace import Workspace

QUICK: Final = 60.0  # seconds for a question
LOOK: Final = 0.5  # seconds between two looks at whether the run stops
GRACE: Final = 10.0  # seconds for helm to end when it is asked to

# What would lead helm to another cluster, namespace or identity than those that it is given.
_MISLEADING: Final = re.compile(r"KUBECONFIG|HELM_KUBE\w*|HELM_NAMESPACE|HELM_DEBUG")


class HelmFailed(ProviderError):
    """``helm`` ended with an error; the message is its own, in one line."""


class HelmTimedOut(HelmFailed):
    """``helm`` did not end in time and was stopped."""


class HelmCancelled(HelmFailed):
    """``helm`` was stopped because the run is being cancelled."""


@dataclass(frozen=True)
class Helm:
    """The executable at ``path``. Once ``stopping`` is set, commands that take long are stopped."""

    path: str
    stopping: threading.Event = field(default_factory=threading.Event)

    def ask(self, arguments: Sequence[str], workspace: Workspace) -> str:
        """What a command tells that changes nothing. Raises HelmFailed or HelmTimedOut."""
        return self._run(arguments, workspace, QUICK, None, threading.Event())

    def run(self, arguments: Sequence[str], workspace: Workspace, *, seconds: float, stdin: str | None = None) -> str:
        """What one command writes to its standard output. Raises HelmFailed, HelmTimedOut or HelmCancelled."""
        return self._run(arguments, workspace, seconds, stdin, self.stopping)

    def _run(
        self,
        arguments: Sequence[str],
        workspace: Workspace,
        seconds: float,
        stdin: str | None,
        stopping: threading.Event,
    ) -> str:
        try:
            process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
                [self.path, *arguments],
                env=_environment(workspace),
                cwd=workspace.started_in,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C is the engine's to pass on
            )
        except OSError as error:
            raise HelmFailed(f"{self.path} can't be run: {error.strerror}") from error
        with process:
            out, complaints = _await(process, f"helm {arguments[0]}", stdin or "", seconds, stopping)
        if process.returncode != 0:
            raise HelmFailed(_complaint(complaints) or f"helm {arguments[0]} ended with {process.returncode}")
        return out


def _await(
    process: subprocess.Popen[str], name: str, stdin: str, seconds: float, stopping: threading.Event
) -> tuple[str, str]:
    """What a process writes until it ends; it is ended where it takes too long or where the run stops."""
    deadline = time.monotonic() + seconds
    given: str | None = stdin
    while True:
        try:
            return process.communicate(given, timeout=min(LOOK, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            given = None  # it has it already
            if stopping.is_set():
                _end(process)
                raise HelmCancelled(f"{name} was ended because the run was cancelled") from None
            if time.monotonic() >= deadline:
                _end(process)
                raise HelmTimedOut(f"{name} did not end within {seconds:g} seconds") from None


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, which lets helm record the state of the release; kill one that doesn't."""
    process.terminate()
    try:
        process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def find_helm(stopping: threading.Event | None = None) -> Helm | None:
    """The ``helm`` on PATH, or None."""
    path = shutil.which("helm")
    return Helm(path, stopping or threading.Event()) if path else None


def _environment(workspace: Workspace) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not _MISLEADING.fullmatch(key)}
    return {**kept, **workspace.environment}


def _complaint(stderr: str) -> str:
    """What helm complains of, without its warnings and without saying twice that it failed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("WARNING:")]
    starts = [index for index, line in enumerate(lines) if line.startswith("Error:")]
    told = " ".join(lines[starts[-1] :] if starts else lines[-3:])
    return re.sub(r"^Error: (INSTALLATION FAILED: |UPGRADE FAILED: |uninstall: )?", "", told)
