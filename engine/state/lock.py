"""One run at a time on a stack: a lock file in Pulumi's form, which its CLI respects and whose locks we respect.

Pulumi's form is {pid, username, hostname, timestamp} in ``locks/organization/PROJECT/STACK/UUID.json``; any file there
means locked. Ours says besides which process of which machine it is, so that a lock whose holder died can be told from
one whose process id somebody else has now.

Checking and writing happen under a lock of the system (flock) on a file beside that folder, so of two runs that start
at once exactly one wins.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import shlex
import socket
import sys
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from engine.state import files, properties
from engine.state.errors import LockedBy

_BESIDE: Final = ".attrs"
# What network file systems say that have no locks, or whose lock service is not there.
_WITHOUT_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told from all others: where it runs and since when. Fields are "" where the system doesn't say."""

    machine: str
    boot: str
    namespace: str  # of process ids: two containers on one machine may both have a process 7
    started: str  # clock ticks since boot


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock. ``since`` is RFC 3339; ``command`` and ``process`` only where bedplate holds it."""

    pid: int
    user: str
    host: str
    since: str
    command: str = ""
    process: Process | None = None

    def encode(self) -> dict[str, Any]:
        encoded: dict[str, Any] = {
            "pid": self.pid,
            "username": self.user,
            "hostname": self.host,
            "timestamp": self.since,
            "command": self.command,
        }
        if self.process is not None:
            of = self.process
            encoded |= {"machine": of.machine, "boot": of.boot, "namespace": of.namespace, "started": of.started}
        return encoded


class StackLock:
    """Holds a stack while in its ``with`` block. Raises LockedBy on entry when another run holds it.

    ``notes`` says whose locks were taken over, because their process is gone.
    """

    def __init__(self, folder: Path, stack: str, *, command: str | None = None) -> None:
        """``folder`` is the stack's ``StackStore.lock_folder``; ``command`` is what a second run is told."""
        self._folder = folder
        self._stack = stack
        self._command = shlex.join(sys.argv) if command is None else command
        self._path = folder / f"{uuid.uuid4()}.json"
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        files.make_folder(self._folder)
        with _alone(self._folder.with_name(f"{self._folder.name}.flock")):
            self.check()
            # Not inside the folder: there Pulumi's CLI would take it for a lock.
            temporary = self._folder.with_name(f".{self._path.name}{files.TEMPORARY}")
            _write_private(temporary, properties.dumps(_myself(self._command).encode()).encode())
            temporary.replace(self._path)
            try:
                self.check()  # again, for Pulumi's CLI, which does not know of our flock
            except LockedBy:
                self.release()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the stack back. Does nothing the second time."""
        self._path.unlink(missing_ok=True)

    def check(self) -> None:
        """Take over what the dead left; raise LockedBy for the first holder that may be alive."""
        for path in _files(self._folder):
            if path == self._path:
                continue
            holder = read_holder(path)
            if holder is None:
                continue
            if not is_gone(holder):
                raise LockedBy(
                    self._stack,
                    path,
                    pid=holder.pid,
                    user=holder.user,
                    host=holder.host,
                    since=holder.since,
                    command=holder.command,
                )
            _remove(path)
            self.notes.append(
                f"took over the lock on {self._stack} that process {holder.pid} of {holder.user} left on "
                f"{holder.since}; that process is gone"
            )


def locks(folder: Path) -> list[tuple[Path, Holder | None]]:
    """Every lock in a stack's ``lock_folder``, and who holds it; None where the lock can't be read."""
    found: list[tuple[Path, Holder | None]] = []
    for path in _files(folder):
        try:
            holder = read_holder(path)
        except LockedBy:
            found.append((path, None))
        else:
            if holder is not None:  # None: released meanwhile
                found.append((path, holder))
    return found


def break_locks(folder: Path) -> None:
    """Take every lock in ``folder`` from whoever holds it. Nobody stops for that who is at work."""
    for path in _files(folder):
        _remove(path)


def _files(folder: Path) -> list[Path]:
    """Whatever lies there is a lock, but for what the CLI's storage library keeps beside each file of its own."""
    return [path for path in sorted(folder.glob("*")) if path.suffix != _BESIDE]


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + _BESIDE).unlink(missing_ok=True)


def read_holder(path: Path) -> Holder | None:
    """Who holds the lock at ``path``; None when it was released meanwhile. Raises LockedBy when it can't be read."""
    try:
        content: Any = json.loads(_bytes(path))
        process = None
        if "boot" in content:
            keys = ("machine", "boot", "namespace", "started")
            process = Process(*(str(content.get(key, "")) for key in keys))
        return Holder(
            int(content["pid"]),
            str(content["username"]),
            str(content["hostname"]),
            str(content["timestamp"]),
            str(content.get("command", "")),
            process,
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, IsADirectoryError):
        # Unreadable is no reason to think that nobody holds it.
        raise LockedBy(
            path.parent.name, path, pid=0, user="someone", host="somewhere", since="an unknown time", command=""
        ) from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        if error.errno == errno.ESTALE:  # what NFS says of a file that another machine has removed
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        raise


def is_gone(holder: Holder) -> bool:
    """Whether the process of ``holder`` certainly does not run any more. Never true for another machine's."""
    here = _process(os.getpid())
    there = holder.process
    if holder.host != socket.gethostname() or (there is not None and there.machine != here.machine):
        return False
    if there is not None and there.boot != here.boot:
        return bool(here.machine)  # the machine was started anew since
    if there is not None and there.namespace != here.namespace:
        return False
    if not _runs(holder.pid):
        return True
    return there is not None and there.started != _process(holder.pid).started


def _myself(command: str) -> Holder:
    pid = os.getpid()
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Holder(pid, current_user(), socket.gethostname(), since, command, _process(pid))


def by_whom() -> dict[str, str]:
    """Who does something to a stack, and where, for its history."""
    return {"user": current_user(), "host": socket.gethostname()}


def current_user() -> str:
    """Who runs this process, by name where the system knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return _stat(pid)[:1] != ["Z"]  # a zombie runs no more, it only has not been buried


def _process(pid: int) -> Process:
    """What the system says about the process ``pid`` of this machine."""
    stat = _stat(pid)
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return Process(
        machine=_system_text(Path("/etc/machine-id")),
        boot=_system_text(Path("/proc/sys/kernel/random/boot_id")),
        namespace=namespace,
        started=stat[19] if len(stat) > 19 else "",
    )


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` behind the name, which may hold blanks and parentheses; empty without one."""
    return _system_text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()


def _system_text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())  # one that is empty when the power comes back would hold the stack for ever


@contextlib.contextmanager
def _alone(path: Path) -> Generator[None]:
    """Nobody else is in this block with ``path``; the system ends it when the process dies.

    Where the file system has no such locks, this is left to looking before and after, as Pulumi's CLI does it: of two
    that begin at once both may step back, and never both go on.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
        yield
