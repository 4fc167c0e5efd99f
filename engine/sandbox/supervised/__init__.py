"""Processes that live and end together, in a directory of their own: what a sandbox's Kubernetes half runs.

A supervisor starts them by a plan, and kills them all when it ends: when it is told to, when the directory is removed,
or when its owner ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox import kubeconfig, process
from engine.sandbox.supervised.record import PLAN, SUPERVISOR, is_ours, processes

__all__ = ["Start", "end", "is_ours", "mark", "processes", "spawn"]

GRACE = 5.0  # seconds that the supervisor has to end all


@dataclass(frozen=True)
class Start:
    """How to start one process. ``after`` names the one that must be ready before; ``notifies``: it says when it is.

    Saying so is systemd's protocol, which etcd and the API server speak: READY=1 on the socket NOTIFY_SOCKET.
    """

    name: str
    command: list[str]
    after: str | None = None
    notifies: bool = False


def mark(directory: Path, starts: Sequence[Start]) -> None:
    """Write the plan: from now on the directory is ours, and `end` removes it."""
    plan = {"id": secrets.token_hex(16), "starts": [dataclasses.asdict(one) for one in starts]}
    kubeconfig.write_private(directory / PLAN, json.dumps(plan, indent=2) + "\n")


def spawn(directory: Path, environment: Mapping[str, str], *, bound: bool = False) -> int | None:
    """Start the supervisor of the plan in ``directory``.

    With ``bound`` it ends when this process does; returned is our end of the pipe by which it knows.
    """
    command = [sys.executable, "-P", "-m", "engine.sandbox.supervised.supervisor", str(directory)]
    if not bound:
        process.spawn(command, environment=environment, log=directory / "supervisor.log")
        return None
    theirs, ours = os.pipe()
    os.set_inheritable(theirs, True)
    try:
        process.spawn([*command, str(theirs)], environment=environment, log=directory / "supervisor.log")
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return ours


def end(directory: Path) -> None:
    """End what runs in ``directory``, however it was left, and remove it. What is not a supervisor's is left alone."""
    if not is_ours(directory):
        return
    for one in sorted(processes(directory), key=lambda found: found.name != SUPERVISOR):
        # The supervisor kills the others, and first: it must not see them end and say so. Then there is nothing to do.
        process.end(one.pid, one.started, grace=GRACE)
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():  # a process wrote into it at that moment
        shutil.rmtree(directory)
