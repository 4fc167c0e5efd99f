"""One command at a time on one sandbox. The lock dies with its holder (flock), and its file goes with the sandbox."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager

from engine.sandbox.errors import SandboxBusy
from engine.sandbox.model import SandboxFiles

WAIT = 120.0  # seconds: longer than a start may take, but for a cluster whose images have to be pulled first
POLL = 0.05  # seconds


@contextmanager
def locked(files: SandboxFiles, *, wait: float = WAIT) -> Generator[None]:
    """Hold the sandbox's lock. Raises SandboxBusy after ``wait`` seconds.

    Leaving it removes the lock's file, and the directories above it that are empty, when the sandbox is gone.
    """
    descriptor = _acquire(files, wait)
    try:
        yield
    finally:
        if not files.directory.exists():
            files.lock.unlink(missing_ok=True)
            _remove_empty(files)
        os.close(descriptor)


def _acquire(files: SandboxFiles, wait: float) -> int:
    deadline = time.monotonic() + wait
    while True:
        descriptor = _open(files)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise SandboxBusy(
                    f"sandbox {files.name!r}: another command has been starting or stopping it for {wait:.0f} s "
                    f"(lock {files.lock}); wait for that command, or end it"
                ) from None
            time.sleep(POLL)
            continue
        if _same_file(descriptor, files):
            return descriptor
        os.close(descriptor)  # its last holder removed it meanwhile: what we hold is no longer the lock


def _open(files: SandboxFiles) -> int:
    while True:
        files.base.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # another command removed the empty directory in between


def _same_file(descriptor: int, files: SandboxFiles) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), files.lock.stat())
    except FileNotFoundError:
        return False


def _remove_empty(files: SandboxFiles) -> None:
    for directory in (files.base, files.base.parent):
        try:
            directory.rmdir()
        except OSError:
            return  # something else lives there
