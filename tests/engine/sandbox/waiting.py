"""What tests of things in other processes share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.sandbox import process

DEADLINE = 30.0  # seconds for something that happens in another process


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    return process.start_time(pid) is not None


def naming(text: str) -> list[int]:
    """The pids of all processes whose command line or working directory names ``text``."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, folder = (entry / "cmdline").read_bytes().decode(errors="replace"), str((entry / "cwd").readlink())
        except OSError:
            continue  # ended meanwhile
        if command and (text in command or text in folder):
            found.append(int(entry.name))
    return found
