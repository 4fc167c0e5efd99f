"""Processes as the sandbox needs them: start detached, recognise again later, end for good."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PROC = Path("/proc")


def spawn(arguments: Sequence[str], *, environment: Mapping[str, str], log: Path) -> int:
    """Start ``arguments`` in a session of its own, with its output in ``log`` (mode 0600); returns its pid."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(arguments[0], list(arguments), environment, file_actions=actions, setsid=True)


def start_time(pid: int) -> str | None:
    """When the process started, in a form that is only good for comparing; None when there is no such process."""
    if _PROC.is_dir() and sys.platform == "linux":
        return _start_time_from_proc(pid)
    shown = subprocess.run(  # noqa: S603  # ps with a number; there is no user input in it
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else None


def _start_time_from_proc(pid: int) -> str | None:
    try:
        # The command in parentheses may hold anything: count from its end. Fields 3 (state), 20 (threads) and 22
        # (start, in ticks).
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # While others of its threads still end, a process whose first thread has ended keeps its ports.
    ended = fields[0] in ("Z", "X") and int(fields[17]) <= 1
    return None if ended else fields[19]


def is_alive(pid: int, started: str | None) -> bool:
    """Whether the process that had ``pid`` and started at ``started`` still runs."""
    _reap(pid)
    return started is not None and start_time(pid) == started


def end(pid: int, started: str | None, *, grace: float) -> bool:
    """SIGTERM, then SIGKILL after ``grace`` seconds. Returns whether there was anything to end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not is_alive(pid, started):
            return number is signal.SIGKILL
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        _wait(pid, started, grace)
    return True


def _wait(pid: int, started: str | None, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # started by another command: its parent is init, which reaps it
        os.waitpid(pid, os.WNOHANG)


def holder_of_port(port: int) -> str | None:
    """Who listens on the TCP port, as ``pid 123 (command)``; None where the system does not tell."""
    inodes = _listening_inodes(port)
    for entry in _PROC.glob("[0-9]*/fd/*") if inodes else ():
        try:
            target = str(entry.readlink())
        except OSError:
            continue  # ended meanwhile, or another user's
        if target in inodes:
            process = entry.parent.parent
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return f"pid {process.name} ({command[:80]})"
    return None


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in (_PROC / "net/tcp", _PROC / "net/tcp6"):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for fields in (row.split() for row in rows):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: LISTEN
                found.add(f"socket:[{fields[9]}]")
    return found
