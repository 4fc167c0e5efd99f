"""Starts the processes of a plan and ends them all: ``python -m engine.sandbox.supervised.supervisor DIRECTORY FD``.

It ends when it is told to (SIGTERM), when its record in the directory is gone or names another (a removed directory
orphans nothing), and, with FD, when the other end of that pipe closes (its owner has ended). What the processes hold is
thrown away with them, so they are killed: asking them to stop would take seconds. On Linux the kernel does the same
when the supervisor itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from engine.sandbox import process
from engine.sandbox.supervised.record import PLAN, RECORD, SUPERVISOR

INTERVAL = 2.0  # seconds between two looks at the record
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Supervisor:
    """The processes of one plan, which lies in the working directory.

    Every path is relative: in a directory that was removed and made anew, nothing of the new one is touched.
    """

    def __init__(self, owner: int | None) -> None:
        plan = json.loads(Path(PLAN).read_text())
        self._owner = owner
        self._id: str = plan["id"]
        self._waiting: list[dict[str, Any]] = plan["starts"]
        self._running: dict[int, subprocess.Popen[bytes]] = {}  # by pid
        self._names: dict[int, str] = {}
        self._listeners: dict[int, tuple[str, socket.socket]] = {}  # by file descriptor
        self._processes = [{"name": SUPERVISOR, "pid": os.getpid(), "started": process.start_time(os.getpid())}]

    def run(self) -> None:
        """Until there is a reason to end."""
        wake, poke = os.pipe()
        os.set_blocking(poke, False)
        signal.set_wakeup_fd(poke)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, _nothing)
        try:
            self._save()
            self._start_after(None)
            while self._wait(wake):
                self._reap()
        finally:
            self._kill()

    def _wait(self, wake: int) -> bool:
        """Wait for anything to happen; returns whether to go on."""
        watched = [wake, *self._listeners, *([] if self._owner is None else [self._owner])]
        ready, _, _ = select.select(watched, [], [], INTERVAL)
        if wake in ready and set(os.read(wake, 512)) & {signal.SIGTERM, signal.SIGINT}:
            return False
        if self._owner in ready:
            return False  # nothing is ever written: it is the end of the file
        for descriptor in set(ready) & set(self._listeners):
            name, listener = self._listeners[descriptor]
            if b"READY=1" in listener.recv(4096):
                del self._listeners[descriptor]
                listener.close()
                self._start_after(name)
        return bool(ready) or self._belongs()

    def _belongs(self) -> bool:
        try:
            content = json.loads(Path(RECORD).read_text())
        except (OSError, ValueError):
            return False
        return isinstance(content, dict) and content.get("id") == self._id

    def _start_after(self, ready: str | None) -> None:
        for start in [one for one in self._waiting if one["after"] == ready]:
            self._waiting.remove(start)
            self._start(start)
        self._save()

    def _start(self, start: dict[str, Any]) -> None:
        name = start["name"]
        environment = dict(os.environ)
        if start["notifies"]:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            listener.bind(f"{name}.notify")  # relative, as the whole path may be too long for a socket
            self._listeners[listener.fileno()] = (name, listener)
            environment["NOTIFY_SOCKET"] = f"{name}.notify"
        with open(f"{name}.log", "ab", opener=_private) as log:  # Path.open takes no opener
            child = subprocess.Popen(  # noqa: S603  # commands of ours
                start["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                preexec_fn=_die_with_parent,  # this process has one thread
            )  # fmt: skip
        self._running[child.pid], self._names[child.pid] = child, name
        self._processes.append({"name": name, "pid": child.pid, "started": process.start_time(child.pid)})

    def _reap(self) -> None:
        for pid, child in list(self._running.items()):
            code = child.poll()
            if code is not None:
                del self._running[pid]
                print(f"{self._names[pid]} (pid {pid}) ended with {code}", flush=True)

    def _save(self) -> None:
        """Write the record in one step. A directory that is gone is found out by the next look."""
        temporary = Path(f".{RECORD}")
        with contextlib.suppress(FileNotFoundError):
            with open(temporary, "w", opener=_private) as stream:
                json.dump({"id": self._id, "processes": self._processes}, stream, indent=2)
            temporary.replace(RECORD)

    def _kill(self) -> None:
        for child in self._running.values():
            child.kill()
        deadline = time.monotonic() + 5.0
        for child in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(deadline - time.monotonic(), 0.1))


def _nothing(_signal: int, _frame: object) -> None:
    """The signal's number arrives on the wake-up pipe."""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    os.chdir(sys.argv[1])
    Supervisor(int(sys.argv[2]) if len(sys.argv) > 2 else None).run()


if __name__ == "__main__":
    main()
