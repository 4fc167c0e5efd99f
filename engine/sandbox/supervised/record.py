"""The two files between a supervisor and who started it: what is to be started, and what runs."""

from __future__ import annotations

import json
from pathlib import Path

from engine.sandbox.model import Process

PLAN = "plan.json"  # {"id": ..., "starts": [as Start]}
RECORD = "processes.json"  # {"id": ..., "processes": [{"name", "pid", "started"}]}; the supervisor's is the first
SUPERVISOR = "supervisor"


def is_ours(directory: Path) -> bool:
    """Whether a supervisor's files lie in ``directory``, or none at all: then it may be removed."""
    try:
        names = {path.name for path in directory.iterdir() if not path.name.startswith(".")}
    except FileNotFoundError:
        return True
    return not names or bool(names & {PLAN, RECORD})


def processes(directory: Path) -> tuple[Process, ...]:
    """What was started in ``directory``; nothing where there is no record, or it can't be understood."""
    try:
        content = json.loads((directory / RECORD).read_text())
        return tuple(Process(**one) for one in content["processes"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()
